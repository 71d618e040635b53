//! Round 2: what is asked for because of what round 1 showed.

use std::collections::BTreeSet;
use std::fmt::Debug;

use futures_util::future::join_all;
use jiff::Timestamp;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{Event, Namespace, Node};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::version::Info;
use k8s_openapi::serde::de::DeserializeOwned;
use kube::api::ListParams;
use kube::core::ClusterResourceScope;
use kube::{Resource, ResourceExt};
use serde::{Deserialize, Serialize};
use tokio::join;

use super::configuration::{self, Holder};
use super::database::{Credentials, Database};
use super::logs::{self, Log, Run};
use super::path::{self, Path, Way};
use super::{Reading, Reason, Snapshot, readiness};
use crate::exchange::names;
use crate::kubernetes::Cluster;
use crate::text::one_line;

/// What round 2 is to read.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is asked for by itself")]
pub struct Wanted {
    /// The UIDs of the objects whose events are asked for.
    pub events: BTreeSet<String>,
    /// Whether the database is asked, if its pod is ready.
    pub database: bool,
    /// Whether a request is sent by the page's own way.
    pub path: bool,
    /// Whether it is sent again for a while, if its failure may pass.
    pub insist: bool,
    /// Whether DNS is asked, which is not done here.
    pub names: bool,
    /// Whether what pods are given, and the namespace, are looked at.
    pub surroundings: bool,
    /// The runs of containers whose last words are read.
    pub logs: BTreeSet<Run>,
    /// Whether the namespace's disruption budgets are listed.
    pub budgets: bool,
    /// Whether the namespace's network policies are listed.
    pub policies: bool,
    /// Whether the nodes of the cluster are listed.
    pub nodes: bool,
    /// Whether its `StorageClasses` are.
    pub classes: bool,
    /// Whether the server is asked for its version.
    pub server: bool,
}

/// What round 2 has found. What a saved case of an older version does not have was not asked for.
#[expect(clippy::unsafe_derive_deserialize, reason = "what is unsafe is within the macro `join!`")]
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Details {
    /// Events of what is not healthy, the newest last.
    pub events: Vec<Happening>,
    /// The UIDs of the objects of which these are all; none if nothing was asked for.
    #[serde(skip)]
    pub asked: Option<BTreeSet<String>>,
    /// The database, if it was asked.
    pub database: Reading<Database>,
    /// Whether PostgreSQL takes the password that its pod was given, if that was tried.
    pub credentials: Reading<Credentials>,
    /// What came of a request by the page's own way, if one was sent.
    pub path: Reading<Path>,
    /// What pods cannot start without.
    pub configuration: Vec<Holder>,
    /// The namespace, if it was looked at. Many may not.
    pub namespace: Reading<Namespace>,
    /// The last words of containers that crash.
    pub logs: Vec<Log>,
    /// The disruption budgets of the namespace, if they were listed.
    pub budgets: Reading<Vec<PodDisruptionBudget>>,
    /// The network policies of the namespace, if they were listed.
    pub policies: Reading<Vec<NetworkPolicy>>,
    /// All nodes of the cluster, if they were listed. Many may not.
    pub nodes: Reading<Vec<Node>>,
    /// All its `StorageClasses`, if they were listed. Many may not.
    pub classes: Reading<Vec<StorageClass>>,
    /// The server's version, if it was asked.
    pub server: Reading<Box<Info>>,
}

/// An event: what the cluster said of an object, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happening {
    /// The object's UID: those of the exchange have the same names each time, and their events outlive them.
    pub uid: String,
    /// A word for it: `FailedScheduling`.
    pub reason: String,
    /// A sentence for it, on one line.
    pub message: String,
    /// When it was seen last.
    pub at: Option<Timestamp>,
}

/// As many objects of a kind in the namespace as are looked through.
const MOST_OBJECTS: u32 = 100;

/// As many events of one object as say what is the matter with it.
const MOST: u32 = 50;

/// As many objects of the cluster as are listed. Of more, nothing can be said of all.
const MOST_OF_CLUSTER: u16 = 500;

/// The words of the kubectl commands that read the objects which are wanted, and logs.
#[must_use]
pub fn kubectl(snapshot: &Snapshot, namespace: &str, wanted: &Wanted) -> Vec<Vec<String>> {
    let given = wanted.surroundings.then(|| {
        let given = configuration::references(snapshot);
        ["get".to_owned(), format!("namespace/{namespace}")].into_iter().chain(given).collect()
    });
    let events = (!wanted.events.is_empty()).then(|| vec!["get".to_owned(), "events".to_owned()]);
    let get = |kinds: &[(bool, &str)]| {
        let kinds: Vec<&str> = kinds.iter().filter(|(is_wanted, _)| *is_wanted).map(|(_, kind)| *kind).collect();
        (!kinds.is_empty()).then(|| vec!["get".to_owned(), kinds.join(",")])
    };
    let of_namespace = get(&[(wanted.budgets, "poddisruptionbudgets"), (wanted.policies, "networkpolicies")]);
    let of_cluster = get(&[(wanted.nodes, "nodes"), (wanted.classes, "storageclasses")]);
    let version = wanted.server.then(|| vec!["version".to_owned()]);
    let logs = wanted.logs.iter().map(Run::kubectl);
    [given, events, of_namespace, of_cluster, version].into_iter().flatten().chain(logs).collect()
}

impl Details {
    /// Asks for what is wanted, all at once.
    pub async fn read(snapshot: &Snapshot, cluster: &Cluster, wanted: Wanted) -> Self {
        let ready = snapshot.primary().filter(|pod| readiness::pod(pod));
        let server = ready.filter(|_| wanted.database);
        let database = async {
            match server {
                Some(server) => database(snapshot, cluster, &server.name_any()).await,
                None => (Reading::NotAsked, Reading::NotAsked),
            }
        };
        let path = async {
            match Way::of(snapshot).filter(|way| wanted.path && way.pod.is_some()) {
                Some(way) => path::ask(cluster, &way, wanted.insist && ready.is_some()).await,
                None => Reading::NotAsked,
            }
        };
        let surroundings = async {
            if !wanted.surroundings {
                return (Vec::new(), Reading::NotAsked);
            }
            let namespace = cluster.get::<Namespace>(cluster.namespace());
            let (configuration, namespace) = join!(configuration::read(snapshot, cluster), namespace);
            (configuration, namespace.into())
        };
        let around = async {
            let Wanted { logs, budgets, policies, nodes, classes, server, .. } = wanted;
            join!(
                logs::read(cluster, logs),
                all_of_namespace(cluster, budgets),
                all_of_namespace(cluster, policies),
                all_of_cluster(cluster, nodes),
                all_of_cluster(cluster, classes),
                version(cluster, server)
            )
        };
        let asked = wanted.events.clone();
        let (events, (database, credentials), path, (configuration, namespace), around) = join!(
            events(cluster, &asked),
            Box::pin(database),
            Box::pin(path),
            Box::pin(surroundings),
            Box::pin(around)
        );
        let (logs, budgets, policies, nodes, classes, server) = around;
        let asked = Some(asked);
        Self {
            events,
            asked,
            database,
            credentials,
            path,
            configuration,
            namespace,
            logs,
            budgets,
            policies,
            nodes,
            classes,
            server,
        }
    }

    /// The newest event of an object with one of these reasons.
    #[must_use]
    pub fn newest(&self, object: &impl Resource, reasons: &[&str]) -> Option<&Happening> {
        self.newest_that(object, |event| reasons.contains(&event.reason.as_str()))
    }

    /// The newest event of an object that is like this.
    #[must_use]
    pub fn newest_that(&self, object: &impl Resource, is: impl Fn(&Happening) -> bool) -> Option<&Happening> {
        let uid = object.meta().uid.as_deref();
        let is_asked = |asked: &BTreeSet<String>| uid.is_none_or(|uid| asked.contains(uid));
        debug_assert!(
            self.asked.as_ref().is_none_or(is_asked),
            "nobody asked for the events of {:?}",
            object.meta().name
        );
        let of_object = |event: &&Happening| uid == Some(&event.uid);
        self.events.iter().rev().filter(of_object).find(|event| is(event))
    }
}

/// The objects of a kind in the namespace, if they are wanted.
async fn all_of_namespace<K>(cluster: &Cluster, wanted: bool) -> Reading<Vec<K>>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope> + Clone + Debug + DeserializeOwned,
{
    if !wanted {
        return Reading::NotAsked;
    }
    cluster.list(&ListParams::default().limit(MOST_OBJECTS)).await.map(Some).into()
}

/// All objects of a kind of which a cluster has few, if they are wanted.
async fn all_of_cluster<K>(cluster: &Cluster, wanted: bool) -> Reading<Vec<K>>
where
    K: Resource<Scope = ClusterResourceScope, DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    if !wanted {
        return Reading::NotAsked;
    }
    match cluster.list_everywhere(&ListParams::default().limit(MOST_OF_CLUSTER.into())).await {
        Ok(all) if all.len() >= MOST_OF_CLUSTER.into() => {
            Reading::Unknown(Reason::Failed(format!("there are {MOST_OF_CLUSTER} or more")))
        }
        all => all.map(Some).into(),
    }
}

/// The server's version, if it is wanted.
async fn version(cluster: &Cluster, wanted: bool) -> Reading<Box<Info>> {
    if wanted { cluster.version().await.map(|version| Some(Box::new(version))).into() } else { Reading::NotAsked }
}

/// The events of these objects. Those that may not be read are left out: they explain, they do not decide.
async fn events(cluster: &Cluster, uids: &BTreeSet<String>) -> Vec<Happening> {
    let events = join_all(uids.iter().map(|uid| async move {
        let selector = format!("involvedObject.uid={uid}");
        cluster.list::<Event>(&ListParams::default().fields(&selector).limit(MOST)).await.unwrap_or_default()
    }));
    let mut happenings: Vec<Happening> = events.await.into_iter().flatten().map(Happening::from).collect();
    happenings.sort_by_key(|happening| happening.at);
    happenings
}

/// The database of a pod, and whether it takes the password that the backend uses.
async fn database(snapshot: &Snapshot, cluster: &Cluster, pod: &str) -> (Reading<Database>, Reading<Credentials>) {
    match other_secret(snapshot) {
        Some(name) => join!(Database::read(cluster, pod), Credentials::of_secret(cluster, pod, name)),
        None => Database::read_with_login(cluster, pod).await,
    }
}

/// Whether the server of a pod takes the password that the backend uses.
pub async fn credentials(snapshot: &Snapshot, cluster: &Cluster, pod: &str) -> Reading<Credentials> {
    match other_secret(snapshot) {
        Some(name) => Credentials::of_secret(cluster, pod, name).await,
        None => Credentials::read(cluster, pod).await,
    }
}

/// The Secret of the backend's password if the server's own pod was given another one: the first one is left as it is when
/// another takes its place.
fn other_secret(snapshot: &Snapshot) -> Option<&str> {
    snapshot.backend_secret().filter(|name| *name != names::SECRET)
}

impl From<Event> for Happening {
    fn from(event: Event) -> Self {
        let series = event.series.and_then(|series| series.last_observed_time).map(|time| time.0);
        let at = series
            .or(event.last_timestamp.map(|time| time.0))
            .or(event.event_time.map(|time| time.0))
            .or(event.first_timestamp.map(|time| time.0));
        Self {
            uid: event.involved_object.uid.unwrap_or_default(),
            reason: event.reason.unwrap_or_default(),
            message: one_line(&event.message.unwrap_or_default()),
            at,
        }
    }
}
