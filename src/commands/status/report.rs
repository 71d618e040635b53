//! What `status` tells, out of what was read: for programs as it is, for people as tables.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt;
use serde::Serialize;

use crate::commands::shared::exercise::symptoms::Symptoms;
use crate::commands::shared::look::Look;
use crate::exchange::marks;
use crate::exchange::names;
use crate::findings::{Finding, Health};
use crate::kubernetes::Place;
use crate::observe::database::Database;
use crate::observe::replication::Said;
use crate::observe::{Member, Reading, Snapshot, container, readiness};
use crate::persistence::proof::Proof;

/// All of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The context's name.
    pub context: String,
    pub namespace: String,
    /// Whether a request went all the way, and nothing else is the matter.
    pub healthy: bool,
    /// How it is, in one word.
    pub health: Health,
    /// The set and the Deployments.
    pub workloads: Vec<Workload>,
    /// The members of the database: from each stable name to its files.
    pub members: Vec<MemberStatus>,
    pub services: Vec<ServiceStatus>,
    /// The policy that lets only the backend reach the database: its name, if there is one.
    pub network_policy: Reading<String>,
    /// The last verdict of `persistence-demo`, if there is one.
    pub last_proof: Option<Proof>,
    pub database: Reading<DatabaseStatus>,
    /// In a replicated database, the standbys that have every acknowledged row. Without one, such a row is on one volume.
    #[serde(skip_serializing_if = "Reading::is_not_asked")]
    pub synchronous: Reading<Vec<String>>,
    /// The claims of members that were removed: they are used again when the database has as many members again.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kept_claims: Vec<String>,
    /// What is the matter.
    pub findings: Vec<Finding>,
    /// What is told in their place while an exercise runs.
    #[serde(flatten)]
    pub symptoms: Option<Symptoms>,
}

/// A workload and its pods.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Workload {
    /// As kubectl names it.
    pub name: String,
    /// How it is.
    pub state: Reading<WorkloadState>,
    pub pods: Vec<PodStatus>,
}

/// How a workload is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkloadState {
    /// How many pods are ready.
    pub ready: i32,
    /// How many there shall be.
    pub desired: i32,
    /// Whether all of the newest revision are ready.
    pub complete: bool,
    /// The newest revision; none for Deployments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Whether it was deleted, and is still there.
    pub terminating: bool,
    /// When it was created.
    pub created_at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PodStatus {
    pub name: String,
    pub uid: String,
    /// Whether it is ready.
    pub ready: bool,
    /// A word for how it is, as kubectl has it.
    pub status: String,
    /// How often its container was started again.
    pub restarts: i32,
    pub node: Option<String>,
    /// Its address.
    pub ip: Option<String>,
    pub image: Option<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
}

/// A member of the database, and the storage behind its name.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberStatus {
    /// Its stable name.
    pub pod: String,
    pub claim: Reading<Claim>,
    pub volume: Reading<Volume>,
    /// From the stable name to the files, each link as far as it is known.
    pub chain: Vec<String>,
    /// Its part in a replicated database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replication: Option<MemberReplication>,
}

/// What a member of a replicated database does, as it said last.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MemberReplication {
    pub role: Role,
    /// `streaming` while it follows the primary; of the primary `running`.
    pub state: String,
    /// One more with each new primary. What follows has the same.
    pub timeline: Option<u32>,
    /// How many bytes of the primary's log it has not received.
    pub lag: Option<u64>,
}

/// The part of a member in a replicated database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// It takes writes.
    Primary,
    /// It follows, and has every acknowledged row.
    SynchronousStandby,
    /// It follows, and may lack the last rows.
    Replica,
}

impl Role {
    /// For people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::SynchronousStandby => "synchronous standby",
            Self::Replica => "replica",
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    pub name: String,
    /// `Bound`, or another phase.
    pub phase: String,
    /// Its class; none for the lesson's.
    pub class: Option<String>,
    pub size: Option<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    pub name: String,
    /// `Bound`, or another phase.
    pub phase: String,
    /// Its class; none for the lesson's.
    pub class: Option<String>,
    pub size: Option<String>,
    /// What becomes of it without its claim.
    pub reclaim_policy: Option<String>,
    /// Its folder on the node.
    pub path: Option<String>,
    /// The node it is pinned to.
    pub node: Option<String>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceStatus {
    pub name: String,
    /// How it is.
    pub state: Reading<ServiceState>,
    /// The addresses of the pods behind it.
    pub endpoints: Reading<Vec<String>>,
}

/// How a Service is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceState {
    /// `ClusterIP` or `NodePort`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its address; `None` for a headless one.
    pub cluster_ip: String,
    /// Its ports: `8080:31234/TCP`.
    pub ports: String,
    /// When it was created.
    pub created_at: Option<Timestamp>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DatabaseStatus {
    /// When the server started.
    pub started_at: Timestamp,
    /// Bytes on disk.
    pub size: u64,
    /// Whether the table `wallets` exists.
    pub table: bool,
    /// Whether somebody has locked it, so that its rows are not known.
    pub locked: bool,
    /// How many rows it has.
    pub rows: Option<u64>,
}

impl Status {
    /// What there is to tell.
    #[must_use]
    pub fn new(place: &Place, look: &Look) -> Self {
        let Look { snapshot, details, health, .. } = look;
        let workload = |app: &str, kind: &str, state| Workload {
            name: format!("{kind}/{app}"),
            state,
            pods: snapshot.pods_of(app).map(|one| pod(one, app)).collect(),
        };
        let mut workloads = vec![workload(names::POSTGRES, "statefulset", snapshot.statefulset.map(set))];
        for app in names::DEPLOYMENTS {
            let state = snapshot.deployments.get(app).map_or(Reading::NotAsked, |reading| reading.map(deployment));
            workloads.push(workload(app, "deployment", state));
        }
        let services = names::services(snapshot.is_replicated()).map(|name| ServiceStatus {
            name: name.to_owned(),
            state: snapshot.services.get(name).map_or(Reading::NotAsked, |reading| reading.map(service)),
            endpoints: snapshot.endpoints.map(|slices| addresses(slices, name)),
        });
        Self {
            context: place.context.clone(),
            namespace: place.namespace.clone(),
            healthy: *health == Health::Healthy,
            health: *health,
            workloads,
            members: snapshot.members.iter().map(|one| member(one, snapshot)).collect(),
            services: services.collect(),
            network_policy: snapshot.network_policy.map(ResourceExt::name_any),
            last_proof: snapshot.statefulset.present().and_then(|set| Proof::of(set.annotations())),
            database: details.database.map(database),
            synchronous: snapshot.replication.map(|replication| replication.synchronous.clone()),
            kept_claims: snapshot.kept_claims(),
            findings: look.findings(),
            symptoms: None,
        }
    }

    /// The same without causes, if an exercise runs.
    #[must_use]
    pub fn without_causes(self, exercise: Option<u8>, look: &Look) -> Self {
        match exercise {
            Some(number) => Self { findings: Vec::new(), symptoms: Some(Symptoms::new(number, look)), ..self },
            None => self,
        }
    }
}

/// How long ago something was, at a time.
pub fn age(since: Option<Timestamp>, now: Timestamp) -> Option<SignedDuration> {
    since.map(|since| now.duration_since(since))
}

fn created(metadata: &ObjectMeta) -> Option<Timestamp> {
    metadata.creation_timestamp.as_ref().map(|time| time.0)
}

fn set(set: &StatefulSet) -> WorkloadState {
    let status = set.status.as_ref();
    WorkloadState {
        ready: status.and_then(|status| status.ready_replicas).unwrap_or(0),
        desired: set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
        complete: readiness::statefulset(set),
        revision: status.and_then(|status| status.update_revision.clone()),
        terminating: set.metadata.deletion_timestamp.is_some(),
        created_at: created(&set.metadata),
    }
}

fn deployment(deployment: &Deployment) -> WorkloadState {
    WorkloadState {
        ready: deployment.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0),
        desired: deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
        complete: readiness::deployment(deployment),
        revision: None,
        terminating: deployment.metadata.deletion_timestamp.is_some(),
        created_at: created(&deployment.metadata),
    }
}

fn pod(pod: &Pod, app: &str) -> PodStatus {
    let status = pod.status.as_ref();
    let container = container::status(pod, app);
    PodStatus {
        name: pod.name_any(),
        uid: pod.uid().unwrap_or_default(),
        ready: readiness::pod(pod),
        status: container::word(pod, app),
        restarts: container.map_or(0, |container| container.restart_count),
        node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
        ip: status.and_then(|status| status.pod_ip.clone()),
        image: pod.spec.as_ref().and_then(|spec| container::image(spec, app)).map(str::to_owned),
        created_at: created(&pod.metadata),
    }
}

/// As kubectl says it: what was deleted is on its way out, whatever its phase.
fn phase(metadata: &ObjectMeta, phase: Option<String>) -> String {
    if metadata.deletion_timestamp.is_some() { "Terminating".to_owned() } else { phase.unwrap_or_default() }
}

fn claim(claim: &PersistentVolumeClaim) -> Claim {
    let spec = claim.spec.as_ref();
    let status = claim.status.as_ref();
    let asked = spec.and_then(|spec| spec.resources.as_ref()?.requests.as_ref()?.get("storage"));
    let has = status.and_then(|status| status.capacity.as_ref()?.get("storage"));
    Claim {
        name: claim.name_any(),
        phase: phase(&claim.metadata, status.and_then(|status| status.phase.clone())),
        class: spec.and_then(|spec| spec.storage_class_name.clone()).filter(|class| !class.is_empty()),
        size: has.or(asked).map(|size| size.0.clone()),
        created_at: created(&claim.metadata),
    }
}

fn volume(volume: &PersistentVolume) -> Volume {
    let spec = volume.spec.as_ref();
    let host_path = spec.and_then(|spec| spec.host_path.as_ref()).map(|source| source.path.clone());
    let local = spec.and_then(|spec| spec.local.as_ref()).map(|source| source.path.clone());
    Volume {
        name: volume.name_any(),
        phase: phase(&volume.metadata, volume.status.as_ref().and_then(|status| status.phase.clone())),
        class: spec.and_then(|spec| spec.storage_class_name.clone()).filter(|class| !class.is_empty()),
        size: spec.and_then(|spec| spec.capacity.as_ref()?.get("storage")).map(|size| size.0.clone()),
        reclaim_policy: spec.and_then(|spec| spec.persistent_volume_reclaim_policy.clone()),
        path: host_path.or(local),
        node: marks::pinned_to(volume),
        created_at: created(&volume.metadata),
    }
}

fn service(service: &Service) -> ServiceState {
    let spec = service.spec.clone().unwrap_or_default();
    let port = |port: &k8s_openapi::api::core::v1::ServicePort| {
        let node_port = port.node_port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{}{node_port}/{}", port.port, port.protocol.as_deref().unwrap_or("TCP"))
    };
    ServiceState {
        kind: spec.type_.unwrap_or_default(),
        cluster_ip: spec.cluster_ip.unwrap_or_default(),
        ports: spec.ports.iter().flatten().map(port).collect::<Vec<_>>().join(","),
        created_at: created(&service.metadata),
    }
}

/// The addresses of the ready pods behind a Service.
fn addresses(slices: &[k8s_openapi::api::discovery::v1::EndpointSlice], service: &str) -> Vec<String> {
    let of_service = slices
        .iter()
        .filter(|slice| slice.labels().get("kubernetes.io/service-name").is_some_and(|name| name == service));
    let endpoints = of_service.flat_map(|slice| &slice.endpoints);
    let ready = endpoints
        .filter(|endpoint| endpoint.conditions.as_ref().and_then(|conditions| conditions.ready).unwrap_or(true));
    let mut all: Vec<String> = ready.flat_map(|endpoint| endpoint.addresses.iter().cloned()).collect();
    all.sort();
    all
}

fn member(member: &Member, snapshot: &Snapshot) -> MemberStatus {
    MemberStatus {
        pod: member.pod.clone(),
        claim: member.claim.map(claim),
        volume: member.volume.map(volume),
        chain: chain(member, snapshot),
        replication: replication(member, snapshot),
    }
}

fn replication(member: &Member, snapshot: &Snapshot) -> Option<MemberReplication> {
    let pod = snapshot.pod_of(member).filter(|_| snapshot.is_replicated())?;
    let said = Said::of(pod)?;
    let primary = snapshot.primary();
    let is_primary = primary.is_some_and(|primary| primary.metadata.uid == pod.metadata.uid);
    let synchronous = snapshot.replication.present().is_some_and(|it| it.synchronous.contains(&member.pod));
    let written = primary.filter(|_| !is_primary).and_then(Said::of).and_then(|said| said.location);
    Some(MemberReplication {
        role: match (is_primary, synchronous) {
            (true, _) => Role::Primary,
            (false, true) => Role::SynchronousStandby,
            (false, false) => Role::Replica,
        },
        state: said.replication_state.unwrap_or(said.state),
        timeline: said.timeline,
        lag: written.zip(said.location).map(|(written, received)| written.saturating_sub(received)),
    })
}

fn chain(member: &Member, snapshot: &Snapshot) -> Vec<String> {
    if member.claim.present().is_none() {
        return Vec::new();
    }
    let mut chain = vec![member.pod.clone(), member.claim_name.clone()];
    let Some(name) = member.volume_name() else { return chain };
    chain.push(name.to_owned());
    let pod_node = snapshot.pod_of(member).and_then(|pod| pod.spec.as_ref()?.node_name.clone());
    if let Some(volume) = member.volume.present().map(volume)
        && let Some(path) = volume.path
    {
        let node = volume.node.or(pod_node).map(|node| format!(" on {node}")).unwrap_or_default();
        chain.push(format!("{path}{node}"));
    }
    chain
}

fn database(database: &Database) -> DatabaseStatus {
    DatabaseStatus {
        started_at: database.started_at,
        size: database.size,
        table: database.locked || database.columns.is_some(),
        locked: database.locked,
        rows: database.rows,
    }
}
