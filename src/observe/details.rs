//! Round 2: what is asked for because of what round 1 showed.

use futures_util::future::join_all;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Event, PersistentVolumeClaim, Pod};
use kube::api::ListParams;
use kube::core::ObjectMeta;
use kube::{Resource, ResourceExt};
use tokio::join;

use super::database::{Credentials, Database};
use super::{Reading, Snapshot, readiness};
use crate::exchange::names;
use crate::kubernetes::Cluster;
use crate::text::one_line;

/// What round 2 has found.
#[derive(Clone, Debug, Default)]
pub struct Details {
    /// Events of what is not healthy, the newest last.
    pub events: Vec<Happening>,
    /// The database, if it was asked.
    pub database: Reading<Database>,
    /// Whether PostgreSQL takes the password that its pod was given, if that was tried.
    pub credentials: Reading<Credentials>,
}

/// An event: what the cluster said of an object, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// As many events of one object as say what is the matter with it.
const MOST: u32 = 50;

impl Details {
    /// Asks for what a snapshot calls for; the database only if so, and only if its pod is ready.
    pub async fn read(snapshot: &Snapshot, cluster: &Cluster, database: bool) -> Self {
        let server = snapshot.primary().filter(|pod| database && readiness::pod(pod));
        let Some(server) = server else {
            return Self { events: Self::events(snapshot, cluster).await, ..Self::default() };
        };
        let pod = server.name_any();
        let (events, database, credentials) = join!(
            Self::events(snapshot, cluster),
            Database::read(cluster, &pod),
            credentials(snapshot, cluster, server)
        );
        Self { events, database, credentials }
    }

    /// The events of the pods that are not ready, of the set while it has none, and of claims while they are not bound.
    /// Events that may not be read are left out: they explain, they do not decide.
    pub async fn events(snapshot: &Snapshot, cluster: &Cluster) -> Vec<Happening> {
        let mut objects: Vec<&ObjectMeta> = [names::POSTGRES, names::BACKEND, names::FRONTEND]
            .into_iter()
            .flat_map(|app| snapshot.pods_of(app))
            .filter(|pod| !readiness::pod(pod))
            .map(Pod::meta)
            .collect();
        let bound = |claim: &PersistentVolumeClaim| {
            claim.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Bound")
        };
        objects.extend(snapshot.claims().filter(|claim| !bound(claim)).map(Resource::meta));
        if snapshot.pods_of(names::POSTGRES).next().is_none() {
            objects.extend(snapshot.statefulset.present().map(Resource::meta));
        }
        let uids = objects.into_iter().filter_map(|object| object.uid.as_deref());
        let events = join_all(uids.map(|uid| async move {
            let selector = format!("involvedObject.uid={uid}");
            cluster.list::<Event>(&ListParams::default().fields(&selector).limit(MOST)).await.unwrap_or_default()
        }));
        let mut happenings: Vec<Happening> = events.await.into_iter().flatten().map(Happening::from).collect();
        happenings.sort_by_key(|happening| happening.at);
        happenings
    }

    /// The newest event of an object with one of these reasons.
    #[must_use]
    pub fn newest(&self, object: &impl Resource, reasons: &[&str]) -> Option<&Happening> {
        let uid = object.meta().uid.as_deref();
        let of_object = |event: &&Happening| uid == Some(&event.uid);
        self.events.iter().rev().filter(of_object).find(|event| reasons.contains(&event.reason.as_str()))
    }
}

/// Whether the server of a pod takes the password that the backend uses. Its own pod was given the first one, which is left as it
/// is when another takes its place.
pub async fn credentials(snapshot: &Snapshot, cluster: &Cluster, server: &Pod) -> Reading<Credentials> {
    let (pod, address) = (server.name_any(), server.status.as_ref().and_then(|status| status.pod_ip.as_deref()));
    match (snapshot.backend_secret(), address) {
        (Some(name), _) if name != names::SECRET => Credentials::of_secret(cluster, &pod, name).await,
        (_, Some(address)) => Credentials::read(cluster, &pod, address).await,
        (_, None) => Reading::NotAsked,
    }
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
