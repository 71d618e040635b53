//! What several causes look at in Services.

use k8s_openapi::api::core::v1::{Pod, Service, ServicePort};
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt;

use crate::exchange::names;
use crate::observe::{Reading, Snapshot};

/// The Services that are there: each with the app that it leads to, and its name. Of another set that is the one that it names.
pub fn all(snapshot: &Snapshot) -> impl Iterator<Item = (&'static str, &str, &Service)> {
    let exchange = [names::POSTGRES, names::BACKEND, names::FRONTEND].into_iter().zip(names::SERVICES);
    let exchange = exchange.filter(|_| snapshot.target.is_none());
    let target = snapshot.target.is_some().then(|| (names::POSTGRES, snapshot.headless_name()));
    exchange.chain(target).filter_map(|(app, name)| Some((app, name, snapshot.services.get(name)?.present()?)))
}

/// Whether it has no address of its own.
pub fn is_headless(service: &Service) -> bool {
    service.spec.as_ref().and_then(|spec| spec.cluster_ip.as_deref()) == Some("None")
}

/// Whether it leads to a pod, by the labels of both.
pub fn selects(service: &Service, pod: &Pod) -> bool {
    let selector = service.spec.as_ref().and_then(|spec| spec.selector.as_ref());
    selector.is_some_and(|all| !all.is_empty() && all.iter().all(|(key, value)| pod.labels().get(key) == Some(value)))
}

/// Its selector as kubectl shows it.
pub fn selector(service: &Service) -> String {
    let selector = service.spec.iter().flat_map(|spec| spec.selector.iter().flatten());
    let pairs: Vec<String> = selector.map(|(key, value)| format!("{key}={value}")).collect();
    if pairs.is_empty() { "nothing".to_owned() } else { pairs.join(",") }
}

/// The port of the pods that one of its ports leads to.
pub fn target(port: &ServicePort) -> IntOrString {
    port.target_port.clone().unwrap_or(IntOrString::Int(port.port))
}

/// Whether a pod declares a port.
pub fn has_port(pod: &Pod, target: &IntOrString) -> bool {
    let mut ports =
        pod.spec.iter().flat_map(|spec| &spec.containers).flat_map(|container| container.ports.iter().flatten());
    ports.any(|port| match target {
        IntOrString::Int(number) => port.container_port == *number,
        IntOrString::String(name) => port.name.as_ref() == Some(name),
    })
}

/// The ready endpoints behind a Service; none if that is not known. Slices carry the labels of their Service, and are listed by
/// that of the exchange: those of a Service without it were not read.
fn endpoints<'a>(snapshot: &'a Snapshot, service: &'a str) -> Option<impl Iterator<Item = &'a Endpoint>> {
    let of_service =
        move |slice: &&EndpointSlice| slice.labels().get(names::OF_SERVICE).is_some_and(|name| name == service);
    let slices = snapshot.endpoints.present()?.iter().filter(of_service);
    // Those of another set's Service are listed by its name.
    let is_ours = || {
        if snapshot.target.is_some() {
            return true;
        }
        let service = snapshot.services.get(service).and_then(Reading::present);
        service.is_some_and(|service| service.labels().get(names::PART_OF.0).is_some_and(|it| it == names::PART_OF.1))
    };
    if !snapshot.endpoints.present()?.iter().any(|slice| of_service(&slice)) && !is_ours() {
        return None;
    }
    let is_ready = |endpoint: &&Endpoint| endpoint.conditions.as_ref().and_then(|it| it.ready).unwrap_or(true);
    Some(slices.flat_map(|slice| &slice.endpoints).filter(is_ready))
}

/// How many ready endpoints a Service has, if that is known.
pub fn ready_endpoints(snapshot: &Snapshot, service: &str) -> Option<usize> {
    endpoints(snapshot, service).map(Iterator::count)
}

/// The ready pods behind a Service that are not of its app. Another set may share its Service with others on purpose.
pub fn foreign(snapshot: &Snapshot, app: &str, service: &str) -> Vec<String> {
    let pods = endpoints(snapshot, service).into_iter().flatten().filter_map(|endpoint| {
        let pod = endpoint.target_ref.as_ref().filter(|it| it.kind.as_deref() == Some("Pod"))?;
        pod.name.clone()
    });
    let pods = pods.filter(|_| snapshot.target.is_none());
    pods.filter(|name| !snapshot.pods_of(app).any(|pod| pod.name_any() == *name)).collect()
}
