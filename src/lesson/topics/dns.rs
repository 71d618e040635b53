//! DNS: what makes the name of a pod an address.

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;

use super::headless::{self, NOT_ASKED};
use super::live::{self, Live};
use super::shown::{self, Fact, Shown, Table};
use super::{Look, Topic};
use crate::exchange::names;
use crate::observe::readiness;
use crate::observe::target::pod_names;

pub const TOPIC: Topic = Topic {
    name: "dns",
    title: "DNS: how the name of a pod becomes an address",
    question: Some(3),
    idea: [
        "The stable name of a pod, such as postgres-0, comes from the StatefulSet.",
        "The Service that the set names in serviceName makes this name resolvable: DNS knows it as POD.SERVICE.",
        "Being headless does something else: it makes the Service's own name give the addresses of the pods.",
    ],
    shows,
    not_shown,
    by_hand: &[
        Look::in_namespace(
            "ask DNS for the pod's name, in a pod",
            "exec postgres-0 -- getent hosts postgres-0.postgres-headless",
        ),
        Look::in_namespace("ask DNS for the Service's own name", "exec postgres-0 -- getent hosts postgres-headless"),
        Look::in_namespace(
            "see which Service the set names",
            "get statefulset/postgres -o custom-columns=NAME:.metadata.name,SERVICE:.spec.serviceName",
        ),
        Look::in_namespace(
            "see where a pod looks names up, and with which endings",
            "exec postgres-0 -- cat /etc/resolv.conf",
        ),
    ],
};

const COLUMNS: &[&str] = &["NAME", "GIVES", "ADDRESS-OF"];

/// What stands in a cell that nobody knows.
const UNKNOWN: &str = "unknown";

fn shows(live: &Live) -> Vec<Shown> {
    let set = &live.snapshot.statefulset;
    let rows: Vec<_> = set.present().into_iter().flat_map(|set| of_pods(live, set)).chain(of_services(live)).collect();
    let mut all = Vec::new();
    if !rows.is_empty() {
        all.push(Table { columns: COLUMNS, rows }.into());
    }
    all.extend(shown::of(&live.snapshot.set_reference(), set, |set| vec![of_set(live, set)]));
    all.extend(live.set_pods().filter_map(of_pod));
    let service = live.set().and_then(service_name).unwrap_or(names::POSTGRES_SERVICE);
    all.extend(headless::of_service(live, service));
    all.extend(headless::of_client(live));
    all
}

/// The Service that the set names.
fn service_name(set: &StatefulSet) -> Option<&str> {
    set.spec.as_ref()?.service_name.as_deref().filter(|name| !name.is_empty())
}

/// The names of the set's pods.
fn of_pods(live: &Live, set: &StatefulSet) -> Vec<Vec<String>> {
    let Some(service) = service_name(set) else { return Vec::new() };
    let endpoints = headless::endpoints(live, service);
    let gives = |pod: &str| {
        let Some(all) = &endpoints else { return UNKNOWN.to_owned() };
        let own = all.iter().filter(|endpoint| endpoint.hostname.as_deref() == Some(pod));
        own.flat_map(|endpoint| endpoint.addresses.iter().map(String::as_str)).collect::<Vec<_>>().join(",")
    };
    let row = |pod: String| vec![full(live, &format!("{pod}.{service}")), gives(&pod), format!("pod {pod}")];
    pod_names(set).into_iter().map(row).collect()
}

/// The names of the Services between which the idea distinguishes.
fn of_services(live: &Live) -> Vec<Vec<String>> {
    let services = [names::POSTGRES_SERVICE, names::BACKEND_SERVICE];
    let services = services.into_iter().filter_map(|name| Some((name, live.snapshot.services.get(name)?.present()?)));
    let row = |(name, service)| {
        let (gives, which) = match headless::address(service) {
            Some(address) => (address.to_owned(), "the Service itself"),
            None => (headless::addresses(live, name).unwrap_or_else(|| UNKNOWN.to_owned()), "every ready pod"),
        };
        vec![full(live, name), gives, which.to_owned()]
    };
    services.map(row).collect()
}

/// A name up to where the cluster's domain begins.
fn full(live: &Live, name: &str) -> String {
    format!("{name}.{}.svc", live.namespace)
}

fn of_set(live: &Live, set: &StatefulSet) -> Shown {
    let object = live.snapshot.set_reference();
    match service_name(set) {
        Some(service) => {
            let says = format!("has the names of its pods below the Service {service}");
            Fact::new(object, says).because("spec.serviceName", service).into()
        }
        None => Fact::new(object, "has no names for its pods in DNS").because_unset("spec.serviceName").into(),
    }
}

fn of_pod(pod: &Pod) -> Option<Shown> {
    let spec = pod.spec.as_ref()?;
    let (hostname, subdomain) = (spec.hostname.as_deref()?, spec.subdomain.as_deref()?);
    let fact = Fact::new(live::reference(pod), "was given this name by the set");
    Some(fact.because("spec.hostname", hostname).because("spec.subdomain", subdomain).into())
}

fn not_shown(live: &Live) -> Vec<String> {
    let mut all: Vec<_> = live.without_pod().into_iter().chain([NOT_ASKED.to_owned()]).collect();
    if live.replicas() == Some(1) {
        let same = "with one pod, both names give the same address";
        all.push(format!("the difference between the pod's name and the Service's name: {same}"));
    }
    all.push("the end of the full names, often cluster.local: no object has it, only DNS knows it".to_owned());
    if live.set_pods().any(|pod| !readiness::pod(pod)) {
        all.push("the name of a pod that is not ready: DNS does not give it before the pod is ready".to_owned());
    }
    all
}

#[cfg(test)]
mod tests {
    use kube::ResourceExt;

    use super::*;
    use crate::observe::Reading;

    #[test]
    fn the_name_of_a_pod_is_as_good_as_the_endpoints() {
        let mut live = Live::recorded().unwrap();
        let first = |live: &Live| of_pods(live, live.set().unwrap()).remove(0);
        assert_eq!(first(&live)[0], "postgres-0.postgres-headless.alice.svc");
        assert!(first(&live)[1].parse::<std::net::IpAddr>().is_ok());
        live.snapshot.endpoints = Reading::Absent;
        assert_eq!(first(&live)[1], UNKNOWN);
        live.snapshot.endpoints = Reading::Present(Vec::new());
        assert_eq!(first(&live)[1], "");
    }

    #[test]
    fn a_set_without_a_service_has_no_names() {
        let mut live = Live::recorded().unwrap();
        let Reading::Present(set) = &mut live.snapshot.statefulset else { panic!("it is there") };
        set.spec.as_mut().unwrap().service_name = None;
        assert_eq!(of_pods(&live, live.set().unwrap()), Vec::<Vec<String>>::new());
        let facts = format!("{:?}", shows(&live));
        assert!(facts.contains("has no names for its pods in DNS"), "{facts}");
        assert_eq!(live.set_pods().map(ResourceExt::name_any).collect::<Vec<_>>(), ["postgres-0"]);
    }
}
