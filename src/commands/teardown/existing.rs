//! What there is of the exchange, ours and somebody else's.

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolume, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::serde::Serialize;
use kube::api::ListParams;
use kube::core::ObjectMeta;
use kube::{Resource, ResourceExt};

use super::members::Apart;
use crate::error::Error;
use crate::exchange::marks::is_ours;
use crate::exchange::names;
use crate::kubernetes::gone::Leaving;
use crate::kubernetes::{Cause, Cluster, Object, Place};
use crate::observe::{Reading, Reason, Snapshot};

/// What there is under the exchange's names.
#[derive(Clone, Default)]
pub struct Existing {
    /// What runs, in the order in which it goes: what people reach first, the database last.
    pub workloads: Vec<Leaving>,
    pub claims: Vec<Leaving>,
    /// The lesson's volume. One that the cluster made goes by itself.
    pub volumes: Vec<Leaving>,
    /// The lesson's volume where the claim has another one by now. Only what is deleted with the data is looked for.
    pub set_aside: Option<PersistentVolume>,
    /// The Secrets. Only what is deleted with the data is looked for.
    pub secrets: Vec<Leaving>,
    /// What a replicated database alone has.
    pub apart: Apart,
    /// What has a name of ours, and not our label.
    pub foreign: Vec<String>,
    /// What could not be read.
    pub unknown: Vec<(String, Reason)>,
}

/// As many as a namespace ever has.
const MOST: u32 = 100;

impl Existing {
    /// Sorts what was read.
    pub fn new(snapshot: &Snapshot, replicasets: &Reading<Vec<ReplicaSet>>) -> anyhow::Result<Self> {
        let mut there = Self::default();
        let [backend, frontend] = names::DEPLOYMENTS.map(|name| snapshot.deployments.get(name));
        let [postgres_service, backend_service, frontend_service] =
            names::SERVICES.map(|name| snapshot.services.get(name));
        let workloads = [
            there.ours(frontend_service)?,
            there.ours(frontend)?,
            there.ours(backend_service)?,
            there.ours(backend)?,
            there.ours(Some(&snapshot.statefulset))?,
            there.ours(postgres_service)?,
            there.ours(Some(&snapshot.network_policy))?,
        ];
        there.workloads = workloads.into_iter().flatten().collect();
        for name in names::REPLICATED_SERVICES {
            let service = there.ours(snapshot.services.get(name))?;
            there.workloads.extend(service);
        }
        for set in orphaned(replicasets.present().map(Vec::as_slice).unwrap_or_default()) {
            there.workloads.push(leaving(set)?);
        }
        for member in &snapshot.members {
            let claim = there.ours(Some(&member.claim))?;
            there.claims.extend(claim);
            // One that the cluster made for the claim has none of our labels.
            let made = |volume: &PersistentVolume| is_ours(volume.meta());
            if member.claim.present().is_none() || member.volume.present().is_some_and(made) {
                let volume = there.ours(Some(&member.volume))?;
                there.volumes.extend(volume);
            }
        }
        there.unknown = snapshot.unknown().into_iter().map(|(object, reason)| (object, reason.clone())).collect();
        // Who may not read policies has created none.
        if let Reading::Unknown(reason @ Reason::Failed(_)) = &snapshot.network_policy {
            there.unknown.push((format!("networkpolicy/{}", names::NETWORK_POLICY), reason.clone()));
        }
        // Few have any that nothing controls: who may not list them is told so, and goes on.
        if let Reading::Unknown(reason @ Reason::Failed(_)) = replicasets {
            there.unknown.push(("replicasets".to_owned(), reason.clone()));
        }
        Ok(there)
    }

    /// Adds what says how far the lesson's questions are answered. Who may not read it has answered none.
    pub async fn with_lesson(mut self, cluster: &Cluster) -> anyhow::Result<Self> {
        let kept = match cluster.get::<ConfigMap>(names::LESSON).await {
            Err(error) if matches!(error.cause, Cause::Forbidden(_)) => None,
            kept => kept?,
        };
        let kept = self.ours(Some(&Reading::from(Ok(kept))))?;
        self.workloads.extend(kept);
        Ok(self)
    }

    /// Adds what a replicated database alone has.
    pub async fn with_members(mut self, cluster: &Cluster, snapshot: &Snapshot, with_data: bool) -> Self {
        let mut apart = Apart::read(cluster, snapshot, with_data).await;
        self.foreign.append(&mut apart.foreign);
        self.unknown.append(&mut apart.unknown);
        self.apart = apart;
        self
    }

    /// Adds the lesson's volume where its claim names another one: it may have the files of an earlier claim.
    pub async fn with_volume_set_aside(mut self, cluster: &Cluster, snapshot: &Snapshot) -> anyhow::Result<Self> {
        let usual = names::volume(cluster.namespace());
        // The members of a replicated database never have it.
        if snapshot.is_replicated()
            || snapshot.members.iter().all(|member| member.volume_name().is_none_or(|name| name == usual))
        {
            return Ok(self);
        }
        let found = match cluster.get::<PersistentVolume>(&usual).await {
            // Who may not read volumes has none that this program made.
            Err(error) if matches!(error.cause, Cause::Forbidden(_)) => None,
            found => found?,
        };
        let is_left = |volume: &PersistentVolume| is_ours(volume.meta()) && volume.meta().deletion_timestamp.is_none();
        self.set_aside = found.filter(is_left);
        if let Some(volume) = &self.set_aside {
            self.volumes.push(leaving(volume)?);
        }
        Ok(self)
    }

    /// Adds the Secrets.
    pub async fn with_secrets(mut self, cluster: &Cluster, snapshot: &Snapshot) -> anyhow::Result<Self> {
        let ours = ListParams::default().labels(&names::selector()).limit(MOST);
        for secret in cluster.list::<Secret>(&ours).await? {
            let name = secret.name_any();
            if [names::SECRET, names::MEMBERS_SECRET].contains(&name.as_str())
                || secret.labels().contains_key(names::ROTATED)
            {
                self.secrets.push(leaving(&secret)?);
            }
        }
        let of_members = snapshot.is_replicated().then_some(names::MEMBERS_SECRET);
        for name in [names::SECRET].into_iter().chain(of_members) {
            if self.secrets.iter().all(|secret| secret.object.name != name)
                && let Some(secret) = cluster.get::<Secret>(name).await?
            {
                self.foreign.push(Object::of(&bare(&secret.metadata))?.reference());
            }
        }
        Ok(self)
    }

    /// Whether there is data, or what belongs to it.
    pub fn has_data(&self) -> bool {
        let of_data = [&self.claims, &self.volumes, &self.secrets, &self.apart.state];
        of_data.into_iter().any(|objects| !objects.is_empty())
    }

    /// Fails if something could not be read: it may be there, and would stay without a word.
    pub fn is_known(&self, place: &Place) -> Result<(), Error> {
        // Who may not read volumes has none that this program made.
        let unknown = self.unknown.iter().find(|(object, _)| {
            !object.contains("volume/") && !object.contains("the volume") && object != "endpointslices"
        });
        let Some((object, Reason::Forbidden(why) | Reason::Failed(why))) = unknown else { return Ok(()) };
        Err(Error::new(
            format!("could not read {object} in namespace {}, so nothing was deleted: {why}", place.namespace),
            place.by_hand.check_permissions(),
        ))
    }

    fn ours<K>(&mut self, reading: Option<&Reading<K>>) -> anyhow::Result<Option<Leaving>>
    where
        K: Resource<DynamicType = ()> + Serialize,
    {
        let Some(object) = reading.and_then(Reading::present) else { return Ok(None) };
        if is_ours(object.meta()) {
            return Ok(Some(leaving(object)?));
        }
        self.foreign.push(Object::of(object)?.reference());
        Ok(None)
    }
}

/// A Secret without its data.
fn bare(metadata: &ObjectMeta) -> Secret {
    Secret { metadata: metadata.clone(), ..Secret::default() }
}

/// Those that nothing controls: no Deployment deletes them, and they create their pods again.
pub fn orphaned(sets: &[ReplicaSet]) -> impl Iterator<Item = &ReplicaSet> {
    sets.iter().filter(|set| controller(*set).is_none())
}

/// What controls an object.
pub fn controller<K: Resource>(object: &K) -> Option<&OwnerReference> {
    object.meta().owner_references.iter().flatten().find(|owner| owner.controller == Some(true))
}

/// An object as one that is to go.
pub fn leaving<K: Resource<DynamicType = ()> + Serialize>(object: &K) -> anyhow::Result<Leaving> {
    Ok(Leaving { object: Object::of(object)?, uid: object.meta().uid.clone().unwrap_or_default() })
}
