//! Round 1: the objects of the exchange, each by its name, all at once. Those of any other set are read in `target`.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kube::api::ListParams;
use kube::{Resource, ResourceExt};
use serde::{Deserialize, Serialize};
use tokio::join;

use super::live::Change;
use super::replication::{self, Replication};
use super::{Member, Reading, Reason, container, readiness};
use crate::exchange::names;
use crate::kubernetes::{Cause, Cluster, RequestError};

/// The objects of the exchange in one namespace, or those of another StatefulSet.
#[expect(clippy::unsafe_derive_deserialize, reason = "what is unsafe is within the macro `join!`")]
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// The name of the set, if it is any other than the exchange's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The set.
    pub statefulset: Reading<StatefulSet>,
    /// The Deployments by their names.
    pub deployments: BTreeMap<String, Reading<Deployment>>,
    /// The pods of all workloads.
    pub pods: Reading<Vec<Pod>>,
    /// The members of the database, the first one first.
    pub members: Vec<Member>,
    /// The Services by their names: those of the exchange, and the one that the set names if that is another.
    pub services: BTreeMap<String, Reading<Service>>,
    /// The addresses behind the Services.
    pub endpoints: Reading<Vec<EndpointSlice>>,
    /// Who may reach the database, if somebody has asked for it.
    #[serde(default)]
    pub network_policy: Reading<NetworkPolicy>,
    /// Who is what in a replicated database. Not asked where there is one server.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub replication: Reading<Replication>,
}

/// The words of the kubectl commands that read the same.
#[must_use]
pub fn kubectl(namespace: &str) -> [String; 3] {
    let services = names::SERVICES.map(|name| format!("service/{name}")).join(" ");
    let deployments = names::DEPLOYMENTS.map(|name| format!("deployment/{name}")).join(" ");
    [
        format!("get statefulset/{} pvc/{} {deployments} {services}", names::POSTGRES, names::CLAIM),
        format!("get pods,endpointslices,networkpolicies -l {}", names::selector()),
        format!("get pv/{}", names::volume(namespace)),
    ]
}

/// The most objects of one kind that are the exchange's own. Whoever labels more gets no slower answer for it.
const MOST: u32 = 100;

/// What a list is of: never everything.
fn ours() -> ListParams {
    ListParams::default().labels(&names::selector())
}

impl Snapshot {
    /// Reads all at once, as it is now. What cannot be read is unknown, with the reason.
    ///
    /// # Errors
    /// If nothing at all could be read, and not for want of permission: then there is no cluster to speak of.
    pub async fn read(cluster: &Cluster) -> Result<Self, RequestError> {
        Self::with(cluster, ours().limit(MOST)).await
    }

    /// The same for a glance: pods and addresses as the server's cache has them, which is what watches are told, and may be
    /// some milliseconds behind. A list of the present makes the server wait until its cache has caught up with every write
    /// of the cluster: up to 77 ms were measured on Kubernetes 1.37, six times as long as all the rest. The cache has no pages,
    /// and so no limit.
    ///
    /// # Errors
    /// As above.
    pub async fn glance(cluster: &Cluster) -> Result<Self, RequestError> {
        Self::with(cluster, ours().match_any()).await
    }

    async fn with(cluster: &Cluster, ours: ListParams) -> Result<Self, RequestError> {
        // Ten requests in flight are too large to be carried about in every caller's state.
        Box::pin(Self::at_once(cluster, ours)).await
    }

    async fn at_once(cluster: &Cluster, ours: ListParams) -> Result<Self, RequestError> {
        let [postgres_service, backend_service, frontend_service] = names::SERVICES;
        let [backend, frontend] = names::DEPLOYMENTS;
        let read = join!(
            cluster.get::<StatefulSet>(names::POSTGRES),
            cluster.list::<Pod>(&ours),
            Member::new(names::MEMBER).read(cluster),
            cluster.list::<EndpointSlice>(&ours),
            cluster.get::<Service>(postgres_service),
            cluster.get::<Service>(backend_service),
            cluster.get::<Service>(frontend_service),
            cluster.get::<Deployment>(backend),
            cluster.get::<Deployment>(frontend),
            cluster.get::<NetworkPolicy>(names::NETWORK_POLICY),
        );
        let (statefulset, pods, member, endpoints, service_1, service_2, service_3, one, other, network_policy) = read;
        let (statefulset, failure) = match statefulset {
            Err(error) if !matches!(error.cause, Cause::Forbidden(_)) => {
                (Reading::Unknown(Reason::Failed(error.cause.to_string())), Some(error))
            }
            other => (other.into(), None),
        };
        let mut snapshot = Self {
            target: None,
            statefulset,
            pods: pods.map(Some).into(),
            members: vec![member],
            endpoints: endpoints.map(Some).into(),
            services: named(names::SERVICES, [service_1, service_2, service_3]),
            deployments: named(names::DEPLOYMENTS, [one, other]),
            network_policy: network_policy.into(),
            replication: Reading::NotAsked,
        };
        if snapshot.may_be_replicated() {
            Box::pin(snapshot.read_replicated(cluster)).await;
        }
        if let Some(name) = snapshot.other_service() {
            snapshot.services.insert(name.clone(), cluster.get(&name).await.into());
        }
        match failure {
            Some(error) if snapshot.nothing_answered() => Err(error),
            _ => Ok(snapshot),
        }
    }

    /// Whether the set makes a claim for each of its pods, or there is neither a set nor the claim of one server: then there may
    /// be the claims of members that were deleted.
    fn may_be_replicated(&self) -> bool {
        match &self.statefulset {
            Reading::Present(set) => makes_claims(set),
            Reading::Absent => self.members.iter().all(|member| matches!(member.claim, Reading::Absent)),
            Reading::Unknown(_) | Reading::NotAsked => false,
        }
    }

    /// Reads what a replicated database has and one server has not. With no claim of a member and no set, it is none.
    async fn read_replicated(&mut self, cluster: &Cluster) {
        let members = Member::all(cluster, self.statefulset.present()).await;
        if members.is_empty() {
            return;
        }
        self.members = members;
        let [primary, replicas] = names::REPLICATED_SERVICES;
        let (replication, primary_service, replicas_service) =
            join!(Replication::read(cluster), cluster.get::<Service>(primary), cluster.get::<Service>(replicas));
        self.replication = replication;
        self.services.extend(named(names::REPLICATED_SERVICES, [primary_service, replicas_service]));
    }

    /// Whether the database is replicated: its set makes a claim for each member, or such claims are left of one.
    #[must_use]
    pub fn is_replicated(&self) -> bool {
        self.target.is_none()
            && self.members.first().is_some_and(|member| names::number_of(&member.claim_name).is_some())
    }

    /// How many members a replicated database shall have, if its set is there.
    #[must_use]
    pub fn replicas(&self) -> Option<u32> {
        let set = self.statefulset.present().filter(|_| self.is_replicated())?;
        u32::try_from(set.spec.as_ref()?.replicas.unwrap_or(1)).ok()
    }

    /// How many members a replicated database has: those of its set, or as many as lead to all data that was kept of one. If
    /// fewer came back, none of them might know all rows.
    #[must_use]
    pub fn member_count(&self) -> Option<u32> {
        let has_data = |member: &&Member| member.claim.present().is_some() || member.volume.present().is_some();
        let numbers = self.members.iter().filter(has_data).filter_map(|member| names::number_of(&member.claim_name));
        let by_data = || numbers.max().map(|highest| highest.saturating_add(1));
        self.is_replicated().then(|| self.replicas().or_else(by_data)).flatten()
    }

    /// The names of the claims of members that a replicated database has no more, while its set is there.
    #[must_use]
    pub fn kept_claims(&self) -> Vec<String> {
        let Some(members) = self.replicas().filter(|members| *members > 0) else { return Vec::new() };
        let is_kept = |claim: &String| names::number_of(claim).is_some_and(|number| number >= members);
        self.claims().map(ResourceExt::name_any).filter(is_kept).collect()
    }

    /// The Service that the set names, if it is none of the exchange's: then its pods have no names, or others.
    fn other_service(&self) -> Option<String> {
        let name = self.statefulset.present()?.spec.as_ref()?.service_name.clone()?;
        (!name.is_empty() && !self.services.contains_key(&name)).then_some(name)
    }

    fn nothing_answered(&self) -> bool {
        let mut readings = self.reasons().into_iter().map(|(_, reason)| reason);
        readings.all(|reason| matches!(reason, Some(Reason::Failed(_))))
    }

    /// What is known after a change.
    #[must_use]
    pub fn step(mut self, change: Change) -> Self {
        let pick =
            |name: &str, found: Option<Deployment>| (name.to_owned(), found.map_or(Reading::Absent, Reading::Present));
        match change {
            Change::StatefulSet(found) => {
                self.statefulset = found.map_or(Reading::Absent, |set| Reading::Present(*set));
            }
            Change::Claim(name, found) => {
                if let Some(member) = self.members.iter_mut().find(|member| member.claim_name == name) {
                    member.claim = found.map_or(Reading::Absent, |claim| Reading::Present(*claim));
                }
            }
            Change::Pods(pods) => self.pods = Reading::Present(pods),
            Change::Deployments(mut all) => {
                self.deployments = names::DEPLOYMENTS
                    .map(|name| {
                        pick(name, all.iter().position(|one| one.name_any() == name).map(|at| all.swap_remove(at)))
                    })
                    .into();
            }
            Change::Lost(_) => {}
        }
        self
    }

    /// The pods of a workload, by its label `app`. Those of another set were read as such, whatever their labels.
    pub fn pods_of<'a>(&'a self, app: &'a str) -> impl Iterator<Item = &'a Pod> {
        let pods = self.pods.present().map(Vec::as_slice).unwrap_or_default();
        let is_target = self.target.is_some() && app == names::POSTGRES;
        pods.iter().filter(move |pod| is_target || pod.labels().get(names::APP).is_some_and(|label| label == app))
    }

    /// The name of a workload, by its label `app`.
    #[must_use]
    pub fn workload<'a>(&'a self, app: &'a str) -> &'a str {
        self.target.as_deref().filter(|_| app == names::POSTGRES).unwrap_or(app)
    }

    /// The set as kubectl names it.
    #[must_use]
    pub fn set_reference(&self) -> String {
        format!("statefulset/{}", self.workload(names::POSTGRES))
    }

    /// The name of the Service below which the set's pods have names: the exchange's, or the one that another set names.
    #[must_use]
    pub fn headless_name(&self) -> &str {
        let named = || self.statefulset.present()?.spec.as_ref()?.service_name.as_deref();
        if self.target.is_some() { named().unwrap_or_default() } else { names::POSTGRES_SERVICE }
    }

    /// The pod that has a member's name now.
    #[must_use]
    pub fn pod_of(&self, member: &Member) -> Option<&Pod> {
        self.pods_of(names::POSTGRES).find(|pod| pod.name_any() == member.pod)
    }

    /// The pod of the member that takes writes: of one server, its pod. A frozen primary keeps its label beside the new one, so
    /// that of a ready one counts more.
    #[must_use]
    pub fn primary(&self) -> Option<&Pod> {
        if !self.is_replicated() {
            return self.pod_of(self.members.first()?);
        }
        let leader = self.replication.present().and_then(|it| it.leader.as_deref());
        replication::primary(self.pods_of(names::POSTGRES), leader)
    }

    /// The names of the members' claims.
    #[must_use]
    pub fn claim_names(&self) -> Vec<String> {
        self.members.iter().map(|member| member.claim_name.clone()).collect()
    }

    /// The claims that are there.
    pub fn claims(&self) -> impl Iterator<Item = &PersistentVolumeClaim> {
        self.members.iter().filter_map(|member| member.claim.present())
    }

    /// The volumes that are there.
    pub fn volumes(&self) -> impl Iterator<Item = &PersistentVolume> {
        self.members.iter().filter_map(|member| member.volume.present())
    }

    /// The Secret whose password the backend uses, if there is a backend.
    #[must_use]
    pub fn backend_secret(&self) -> Option<&str> {
        let backend = self.deployments.get(names::BACKEND)?.present()?;
        container::secret_of(backend.spec.as_ref()?.template.spec.as_ref()?, names::BACKEND_PASSWORD)
    }

    /// The Secret of what the members use among themselves, if there is a replicated database: the one that its next pods are given.
    #[must_use]
    pub fn members_secret(&self) -> Option<&str> {
        let set = self.statefulset.present().filter(|_| self.is_replicated())?;
        container::secret_of(set.spec.as_ref()?.template.spec.as_ref()?, names::MEMBERS_PASSWORD)
    }

    /// The pods of members that still have another Secret than that: `rotate-password` was interrupted.
    pub fn pods_with_old_passwords(&self) -> impl Iterator<Item = &Pod> {
        let newest = self.members_secret();
        let has_it = move |pod: &Pod| {
            pod.spec.as_ref().and_then(|spec| container::secret_of(spec, names::MEMBERS_PASSWORD)) == newest
        };
        self.pods_of(names::POSTGRES).filter(move |pod| newest.is_some() && !has_it(pod))
    }

    /// Whether every workload of the exchange is ready. The set's status may still speak of a pod that is on its way out.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let is_ready = |reading: &Reading<Deployment>| reading.present().is_some_and(readiness::deployment);
        self.statefulset.present().is_some_and(readiness::statefulset)
            && self.pods_of(names::POSTGRES).all(|pod| pod.metadata.deletion_timestamp.is_none())
            && !self.deployments.is_empty()
            && self.deployments.values().all(is_ready)
    }

    /// The volumes that earlier claims have left behind with their data.
    pub fn released_volumes(&self) -> impl Iterator<Item = &PersistentVolume> {
        self.members.iter().filter_map(Member::released_volume)
    }

    /// Whether none of the workloads and pods could be read.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        let workloads = self.deployments.values().map(reason).chain([reason(&self.statefulset), reason(&self.pods)]);
        workloads.into_iter().all(|reason| reason.is_some())
    }

    /// What could not be read, and why.
    #[must_use]
    pub fn unknown(&self) -> Vec<(String, &Reason)> {
        self.reasons().into_iter().filter_map(|(object, reason)| Some((object, reason?))).collect()
    }

    /// Everything that is read, and why it could not be: all but the policy, which nothing depends on.
    fn reasons(&self) -> Vec<(String, Option<&Reason>)> {
        let mut all = vec![(self.set_reference(), reason(&self.statefulset)), ("pods".to_owned(), reason(&self.pods))];
        for member in &self.members {
            all.push((member.claim_reference(), reason(&member.claim)));
            let volume = match member.volume_name() {
                Some(name) => format!("persistentvolume/{name}"),
                None if self.members.len() == 1 => "the volume".to_owned(),
                None => format!("the volume of {}", member.claim_reference()),
            };
            all.push((volume, reason(&member.volume)));
        }
        all.push(("endpointslices".to_owned(), reason(&self.endpoints)));
        all.extend(self.deployments.iter().map(|(name, reading)| (format!("deployment/{name}"), reason(reading))));
        all.extend(self.services.iter().map(|(name, reading)| (format!("service/{name}"), reason(reading))));
        all
    }

    /// Whether workloads, Services or the claim have been deleted, and are still there.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        fn ends<K: Resource>(reading: &Reading<K>) -> bool {
            reading.present().is_some_and(|object| object.meta().deletion_timestamp.is_some())
        }
        ends(&self.statefulset)
            || self.members.iter().any(Member::is_ending)
            || self.deployments.values().any(ends)
            || self.services.values().any(ends)
    }

    /// Whether nothing of the exchange is there, as far as can be seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self.statefulset, Reading::Absent)
            && self.deployments.values().all(|reading| matches!(reading, Reading::Absent))
    }
}

/// Whether a set makes a claim for each of its pods.
#[must_use]
pub fn makes_claims(set: &StatefulSet) -> bool {
    let templates = set.spec.as_ref().and_then(|spec| spec.volume_claim_templates.as_ref());
    templates.is_some_and(|templates| !templates.is_empty())
}

fn named<T, const N: usize>(
    names: [&str; N],
    results: [Result<Option<T>, RequestError>; N],
) -> BTreeMap<String, Reading<T>> {
    names.into_iter().zip(results).map(|(name, result)| (name.to_owned(), result.into())).collect()
}

fn reason<T>(reading: &Reading<T>) -> Option<&Reason> {
    match reading {
        Reading::Unknown(reason) => Some(reason),
        _ => None,
    }
}
