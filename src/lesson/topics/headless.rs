//! A headless Service, and one with a virtual address.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};
use kube::ResourceExt;

use super::live::Live;
use super::shown::{self, Fact, Shown, Table};
use super::{Look, Topic};
use crate::exchange::names;
use crate::observe::Reading;

pub const TOPIC: Topic = Topic {
    name: "headless",
    title: "Headless Service: its name gives the pods' own addresses",
    question: Some(3),
    idea: [
        "A Service usually has one virtual address, and each connection to it goes to one of the pods behind it.",
        "A headless Service has no address of its own: DNS answers its name with the addresses of its ready pods.",
        "A client needs this when it must reach one certain pod, such as the database, and not just any pod.",
    ],
    shows,
    not_shown,
    by_hand: &[
        Look::in_namespace(
            "see which Service has an address, in the column CLUSTER-IP",
            "get services -l app.kubernetes.io/part-of=kubecoin",
        ),
        Look::in_namespace(
            "see the addresses of the pods behind each Service",
            "get endpointslices -l app.kubernetes.io/part-of=kubecoin",
        ),
        Look::in_namespace(
            "ask DNS for the headless name, in a pod",
            "exec postgres-0 -- getent hosts postgres-headless",
        ),
        Look::in_namespace(
            "ask DNS for the name of the other Service",
            "exec postgres-0 -- getent hosts backend-service",
        ),
    ],
};

const COLUMNS: &[&str] = &["SERVICE", "CLUSTER-IP", "ITS-NAME-GIVES", "READY-PODS"];

/// What stands in a cell that nobody knows.
const UNKNOWN: &str = "unknown";

fn shows(live: &Live) -> Vec<Shown> {
    let rows: Vec<_> = services(live).map(|service| row(live, service)).collect();
    let mut all = Vec::new();
    if !rows.is_empty() {
        all.push(Table { columns: COLUMNS, rows }.into());
    }
    if !matches!(live.snapshot.endpoints, Reading::Present(_)) {
        all.extend(shown::of("the list of EndpointSlices", &live.snapshot.endpoints, |_| Vec::new()));
    }
    for name in [names::POSTGRES_SERVICE, names::BACKEND_SERVICE] {
        all.extend(of_service(live, name));
    }
    all.extend(of_client(live));
    all
}

/// The Services that are there: the headless one of the lesson first.
fn services(live: &Live) -> impl Iterator<Item = &Service> {
    let all = &live.snapshot.services;
    let others = all.keys().map(String::as_str).filter(|name| !names::SERVICES.contains(name));
    names::SERVICES.into_iter().chain(others).filter_map(|name| all.get(name)?.present())
}

fn row(live: &Live, service: &Service) -> Vec<String> {
    let name = service.name_any();
    let gives = match address(service) {
        Some(address) => address.to_owned(),
        None => addresses(live, &name).unwrap_or_else(|| UNKNOWN.to_owned()),
    };
    let pods = endpoints(live, &name).map_or_else(|| UNKNOWN.to_owned(), |all| joined(all.into_iter().filter_map(pod)));
    let own = cluster_ip(service).unwrap_or_default().to_owned();
    vec![name, own, gives, pods]
}

/// What is to be said of a Service, and of none at all.
pub(super) fn of_service(live: &Live, name: &str) -> Vec<Shown> {
    let object = format!("service/{name}");
    let Some(reading) = live.snapshot.services.get(name) else { return Vec::new() };
    shown::of(&object, reading, |service| {
        let says = match (is_headless(service), address(service)) {
            (true, _) => "is headless: its name gives the addresses of its ready pods",
            (false, Some(_)) => "is not headless: its name gives one virtual address",
            (false, None) => "has no address",
        };
        vec![Fact::new(&object, says).because_of("spec.clusterIP", cluster_ip(service)).into()]
    })
}

/// Who uses the headless name.
pub(super) fn of_client(live: &Live) -> Option<Shown> {
    let host = live.database_host()?;
    let fact = Fact::new(format!("deployment/{}", names::BACKEND), format!("reaches the database by the name {host}"));
    Some(fact.because("env DB_HOST", host).into())
}

fn not_shown(live: &Live) -> Vec<String> {
    let mut all = Vec::new();
    if !services(live).any(is_headless) {
        all.push("a headless Service: none that could be read is headless".to_owned());
    }
    if live.replicas() == Some(1) {
        all.push("a name that gives several addresses: the database has one pod".to_owned());
    }
    let behind = |name| endpoints(live, name).filter(|endpoints| endpoints.len() == 1);
    if behind(names::BACKEND_SERVICE).is_some() {
        let one = format!("one pod is behind {}", names::BACKEND_SERVICE);
        all.push(format!("how connections to a virtual address go to several pods: {one}"));
    }
    all.push(NOT_ASKED.to_owned());
    all
}

/// What objects alone do not tell.
pub(super) const NOT_ASKED: &str = "what DNS really answers: only the objects were read (dns-check asks DNS)";

fn cluster_ip(service: &Service) -> Option<&str> {
    service.spec.as_ref()?.cluster_ip.as_deref().filter(|ip| !ip.is_empty())
}

/// Whether it says that it has no address of its own.
pub(super) fn is_headless(service: &Service) -> bool {
    cluster_ip(service) == Some(NO_ADDRESS)
}

/// What `clusterIP` is in a headless Service.
const NO_ADDRESS: &str = "None";

/// Its virtual address.
pub(super) fn address(service: &Service) -> Option<&str> {
    cluster_ip(service).filter(|ip| *ip != NO_ADDRESS)
}

/// The ready addresses behind a Service, if they are known.
pub(super) fn addresses(live: &Live, service: &str) -> Option<String> {
    Some(joined(endpoints(live, service)?.iter().flat_map(|endpoint| endpoint.addresses.iter().cloned())))
}

/// The ready endpoints of a Service, if they are known: only those of the exchange's own Services are read.
pub(super) fn endpoints<'a>(live: &'a Live, service: &str) -> Option<Vec<&'a Endpoint>> {
    let slices = live.snapshot.endpoints.present().filter(|_| names::SERVICES.contains(&service))?;
    let is_of = |slice: &&EndpointSlice| slice.labels().get(names::OF_SERVICE).is_some_and(|label| label == service);
    let all = slices.iter().filter(is_of).flat_map(|slice| &slice.endpoints);
    let is_ready = |endpoint: &&Endpoint| endpoint.conditions.as_ref().and_then(|it| it.ready).unwrap_or(true);
    Some(all.filter(is_ready).collect())
}

fn pod(endpoint: &Endpoint) -> Option<String> {
    endpoint.target_ref.as_ref()?.name.clone()
}

/// Each once, in order: a pod with two addresses has two endpoints.
fn joined(all: impl Iterator<Item = String>) -> String {
    all.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(",")
}
