//! What the cluster's objects say of names: the part of a snapshot that DNS is held against.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::ResourceExt;

use crate::exchange::names;
use crate::observe::{Reading, Snapshot, readiness, target};

/// What the objects of the exchange, or of another set, say of names.
#[derive(Clone, Debug)]
pub struct Facts {
    pub namespace: String,
    /// The name of the set.
    pub set: String,
    /// The name of the Service below which its pods have names; empty if another set names none.
    pub headless_name: String,
    /// The labels by which the set selects its pods.
    pub selector: BTreeMap<String, String>,
    /// How many members a replicated database has, by their claims and its set; none of one server.
    pub members: Option<usize>,
    /// The Services with an address of their own that are asked for beside it: the exchange's.
    pub others: Vec<&'static str>,
    /// The pods that the set shall have, in their order.
    pub replicas: Reading<Vec<Replica>>,
    /// Members beyond these that have not ended yet, and are among the endpoints of the headless Service.
    pub leaving: Vec<Replica>,
    /// The Service that the set names.
    pub set_service: Option<String>,
    /// The Services by their names.
    pub services: BTreeMap<String, Reading<ServiceFacts>>,
    /// The ready addresses behind each Service.
    pub published: Reading<BTreeMap<String, BTreeSet<IpAddr>>>,
    /// When the addresses behind the Services of a replicated database were written last. Another member can become the primary
    /// while every pod stays ready.
    pub rewritten: Option<Timestamp>,
    /// What the backend is told to connect to: a name, or several before a replicated database.
    pub database_hosts: Vec<String>,
}

/// A pod that the set shall have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replica {
    pub name: String,
    /// Whether it is there.
    pub exists: bool,
    /// Its addresses; none before it has started.
    pub addresses: BTreeSet<IpAddr>,
    /// Whether it is ready, and not on its way out.
    pub ready: bool,
    /// When it became ready, or stopped being so.
    pub since: Option<Timestamp>,
    pub labels: BTreeMap<String, String>,
}

impl Replica {
    /// Whether it has an address.
    #[must_use]
    pub fn has_address(&self) -> bool {
        !self.addresses.is_empty()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceFacts {
    /// Its own addresses; none if it is headless.
    pub addresses: BTreeSet<IpAddr>,
    /// For each family of addresses that it speaks, whether it is IPv6.
    pub families: BTreeSet<bool>,
    /// Which labels pods must have; none if it selects nothing by itself.
    pub selector: BTreeMap<String, String>,
    /// Whether pods that are not ready are published too.
    pub publishes_unready: bool,
    /// Its named ports.
    pub ports: Vec<Port>,
    /// When it was created.
    pub created: Option<Timestamp>,
}

/// A named port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Port {
    pub name: String,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// Where the pods listen.
    pub number: u16,
}

impl ServiceFacts {
    /// Whether it has no address of its own.
    #[must_use]
    pub fn is_headless(&self) -> bool {
        self.addresses.is_empty()
    }

    /// Whether it gives the address of a pod, as soon as its endpoints are written.
    #[must_use]
    pub fn publishes(&self, replica: &Replica) -> bool {
        replica.ready || self.publishes_unready
    }

    /// Whether it selects a pod with these labels.
    #[must_use]
    pub fn selects(&self, labels: &BTreeMap<String, String>) -> bool {
        !self.selector.is_empty() && self.selector.iter().all(|(key, value)| labels.get(key) == Some(value))
    }
}

impl Facts {
    /// What a snapshot says of names.
    #[must_use]
    pub fn new(namespace: &str, snapshot: &Snapshot) -> Self {
        let slices = snapshot.endpoints.present().map(Vec::as_slice).unwrap_or_default();
        let service =
            |(name, reading): (&String, &Reading<Service>)| (name.clone(), reading.map(|one| service(one, slices)));
        let replicas = match (&snapshot.statefulset, &snapshot.pods) {
            (Reading::Present(set), Reading::Present(pods)) => Reading::Present(replicas(set, pods)),
            (Reading::Present(_), other) => other.map(|_| Vec::new()),
            (other, _) => other.map(|_| Vec::new()),
        };
        let backend = snapshot.deployments.get(names::BACKEND).and_then(Reading::present);
        let members = snapshot.is_replicated().then_some(snapshot.members.len());
        let others = names::services(members.is_some()).filter(|name| *name != names::POSTGRES_SERVICE);
        let published = snapshot.endpoints.map(|slices| published(slices));
        Self {
            namespace: namespace.to_owned(),
            set: snapshot.workload(names::POSTGRES).to_owned(),
            selector: snapshot.statefulset.present().and_then(selector).cloned().unwrap_or_default(),
            headless_name: snapshot.headless_name().to_owned(),
            members,
            others: others.filter(|_| snapshot.target.is_none()).collect(),
            leaving: members.map(|_| leaving(snapshot, &replicas, &published)).unwrap_or_default(),
            replicas,
            set_service: snapshot.statefulset.present().and_then(|set| set.spec.as_ref()?.service_name.clone()),
            services: snapshot.services.iter().map(service).collect(),
            published,
            rewritten: members.and_then(|_| rewritten(slices)),
            database_hosts: backend.and_then(database_host).map(|host| hosts(host, members)).unwrap_or_default(),
        }
    }

    /// Whether the set is the exchange's.
    #[must_use]
    pub fn is_exchange(&self) -> bool {
        !self.others.is_empty()
    }

    /// The names of the exchange's Services: two more where its database is replicated.
    pub fn known_services(&self) -> impl Iterator<Item = &'static str> {
        names::services(self.members.is_some())
    }

    /// The other Services of a replicated database's namespace that have an address behind them. The DNS server has names for
    /// it below each of them too.
    pub fn also_behind(&self, address: IpAddr) -> impl Iterator<Item = &str> {
        let all = self.published.present().filter(|_| self.members.is_some()).into_iter().flatten();
        let others = all.filter(move |(name, addresses)| **name != self.headless_name && addresses.contains(&address));
        others.map(|(name, _)| name.as_str())
    }

    /// The headless Service, if it is there.
    #[must_use]
    pub fn headless(&self) -> Option<&ServiceFacts> {
        self.services.get(&self.headless_name)?.present()
    }

    /// The Service that the set names, if it is another one than that of the exchange. A set may name none.
    #[must_use]
    pub fn other_service(&self) -> Option<&str> {
        self.set_service.as_deref().filter(|name| !name.is_empty() && *name != self.headless_name)
    }

    /// Whether the set names no Service, so that its pods have no names of their own.
    #[must_use]
    pub fn names_no_pods(&self) -> bool {
        matches!(self.replicas, Reading::Present(_)) && self.set_service.as_deref().unwrap_or_default().is_empty()
    }

    /// Whether the headless Service is there, and selects none of the pods that the set has.
    #[must_use]
    pub fn selects_no_pod(&self) -> bool {
        let mut there = self.replicas.present().into_iter().flatten().filter(|replica| replica.exists).peekable();
        let Some(service) = self.headless().filter(|_| there.peek().is_some()) else { return false };
        !there.any(|replica| service.selects(&replica.labels))
    }

    /// The pods that the headless Service should give the addresses of, each with it. None if it selects none of them.
    pub fn of_headless(&self) -> impl Iterator<Item = (&Replica, &ServiceFacts)> {
        let service = self.headless().filter(|_| !self.selects_no_pod());
        let replicas = self.replicas.present().into_iter().flatten();
        replicas.filter_map(move |replica| Some((replica, service?)))
    }

    /// When what is expected has changed last, as far as is known.
    #[must_use]
    pub fn changed(&self) -> Option<Timestamp> {
        let pods = self.replicas.present().into_iter().flatten().filter_map(|replica| replica.since);
        let services = self.services.values().filter_map(|service| service.present()?.created);
        pods.chain(services).chain(self.rewritten).max()
    }
}

fn replicas(set: &StatefulSet, pods: &[Pod]) -> Vec<Replica> {
    let replica = |name: String| {
        let found = pods.iter().find(|pod| pod.name_any() == name);
        found.map_or_else(|| Replica { name: name.clone(), ..Replica::default() }, replica)
    };
    target::pod_names(set).into_iter().map(replica).collect()
}

/// The members that the set shall have no more, as long as the headless Service gives their addresses.
fn leaving(
    snapshot: &Snapshot,
    replicas: &Reading<Vec<Replica>>,
    published: &Reading<BTreeMap<String, BTreeSet<IpAddr>>>,
) -> Vec<Replica> {
    let Some(replicas) = replicas.present() else { return Vec::new() };
    let behind = published.present().and_then(|all| all.get(names::POSTGRES_SERVICE));
    let is_wanted = |replica: &Replica| replicas.iter().any(|wanted| wanted.name == replica.name);
    let is_behind = |replica: &Replica| behind.is_some_and(|behind| !replica.addresses.is_disjoint(behind));
    let members = snapshot.members.iter().filter_map(|member| snapshot.pod_of(member)).map(replica);
    members.filter(|replica| !is_wanted(replica) && is_behind(replica)).collect()
}

fn replica(pod: &Pod) -> Replica {
    let status = pod.status.clone().unwrap_or_default();
    let ips = status.pod_ips.unwrap_or_default().into_iter().map(|ip| ip.ip).chain(status.pod_ip);
    let conditions = status.conditions.unwrap_or_default();
    let ready = conditions.iter().find(|condition| condition.type_ == "Ready");
    Replica {
        name: pod.name_any(),
        exists: true,
        addresses: ips.filter_map(|ip| ip.parse().ok()).collect(),
        ready: readiness::pod(pod),
        since: ready.and_then(|condition| condition.last_transition_time.as_ref()).map(|time| time.0),
        labels: pod.labels().clone(),
    }
}

fn service(service: &Service, slices: &[EndpointSlice]) -> ServiceFacts {
    let spec = service.spec.clone().unwrap_or_default();
    let own_name = service.name_any();
    let behind = |name: &str| {
        let ports = of_service(slices, &own_name).flat_map(|slice| slice.ports.iter().flatten());
        ports.filter(|port| port.name.as_deref() == Some(name)).find_map(|port| port.port)
    };
    let port = |port: &k8s_openapi::api::core::v1::ServicePort| {
        let name = port.name.clone().filter(|name| !name.is_empty())?;
        let number = u16::try_from(behind(&name).unwrap_or(port.port)).ok()?;
        Some(Port { name, protocol: port.protocol.as_deref().unwrap_or("TCP").to_lowercase(), number })
    };
    ServiceFacts {
        addresses: spec.cluster_ips.iter().flatten().chain(&spec.cluster_ip).filter_map(|ip| ip.parse().ok()).collect(),
        families: spec.ip_families.iter().flatten().map(|family| family == "IPv6").collect(),
        selector: spec.selector.unwrap_or_default(),
        publishes_unready: spec.publish_not_ready_addresses.unwrap_or(false),
        ports: spec.ports.iter().flatten().filter_map(port).collect(),
        created: service.creation_timestamp().map(|time| time.0),
    }
}

fn of_service<'a>(slices: &'a [EndpointSlice], name: &str) -> impl Iterator<Item = &'a EndpointSlice> {
    slices.iter().filter(move |slice| slice.labels().get(names::OF_SERVICE).is_some_and(|service| service == name))
}

fn published(slices: &[EndpointSlice]) -> BTreeMap<String, BTreeSet<IpAddr>> {
    let mut all: BTreeMap<String, BTreeSet<IpAddr>> = BTreeMap::new();
    for slice in slices {
        let Some(service) = slice.labels().get(names::OF_SERVICE) else { continue };
        let ready = slice
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.conditions.as_ref().and_then(|conditions| conditions.ready).unwrap_or(true));
        let addresses =
            ready.flat_map(|endpoint| &endpoint.addresses).filter_map(|address| address.parse::<IpAddr>().ok());
        all.entry(service.clone()).or_default().extend(addresses);
    }
    all
}

/// When one of the slices behind the Services of a replicated database was written last, as the API server notes it.
fn rewritten(slices: &[EndpointSlice]) -> Option<Timestamp> {
    let services = names::REPLICATED_SERVICES.into_iter().chain([names::POSTGRES_SERVICE]);
    let entries = services.flat_map(|name| of_service(slices, name)).flat_map(|slice| &slice.metadata.managed_fields);
    entries.flatten().filter_map(|entry| entry.time.as_ref()).map(|time| time.0).max()
}

fn selector(set: &StatefulSet) -> Option<&BTreeMap<String, String>> {
    set.spec.as_ref()?.selector.match_labels.as_ref()
}

fn database_host(backend: &Deployment) -> Option<String> {
    let containers = &backend.spec.as_ref()?.template.spec.as_ref()?.containers;
    let variables = containers.iter().flat_map(|container| container.env.iter().flatten());
    variables.into_iter().find(|variable| variable.name == names::DATABASE_HOST)?.value.clone()
}

/// The names in `DB_HOST`: libpq takes a list. One server is given one name.
fn hosts(host: String, members: Option<usize>) -> Vec<String> {
    match members {
        Some(_) => host.split(',').map(str::to_owned).collect(),
        None => vec![host],
    }
}
