//! A member of the database: the names that it keeps, and the storage behind them.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::api::ListParams;
use kube::{Resource, ResourceExt};
use serde::{Deserialize, Serialize};
use tokio::join;

use super::Reading;
use crate::exchange::marks::is_ours;
use crate::exchange::names;
use crate::kubernetes::Cluster;

/// As many claims as are listed, and members as are looked at.
const MOST: u32 = 50;

/// A member of the database. Its pod is among the snapshot's: pods come and go, and the names stay.
#[expect(clippy::unsafe_derive_deserialize, reason = "what is unsafe is within the macro `join!`")]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// The name of its pod.
    pub pod: String,
    /// The name of its claim.
    pub claim_name: String,
    pub claim: Reading<PersistentVolumeClaim>,
    /// The volume that the claim names, or the lesson's.
    pub volume: Reading<PersistentVolume>,
    /// The lesson's volume, where the claim names another one.
    #[serde(default)]
    pub set_aside: Reading<PersistentVolume>,
}

impl Member {
    /// Nothing is known yet but the names.
    #[must_use]
    pub fn new((pod, claim): (&str, &str)) -> Self {
        Self {
            pod: pod.to_owned(),
            claim_name: claim.to_owned(),
            claim: Reading::NotAsked,
            volume: Reading::NotAsked,
            set_aside: Reading::NotAsked,
        }
    }

    /// All members of a replicated database: those that its set shall have, and those whose claims were kept, or whose volumes on
    /// nodes. None if there is nothing of it.
    pub async fn all(cluster: &Cluster, set: Option<&StatefulSet>) -> Vec<Self> {
        let ours = ListParams::default().labels(&format!("{},{}={}", names::selector(), names::APP, names::POSTGRES));
        let (mut claims, unread) = match cluster.list::<PersistentVolumeClaim>(&ours.limit(MOST)).await {
            Ok(claims) => (claims, Reading::Absent),
            Err(error) => (Vec::new(), Reading::Unknown(error.into())),
        };
        let replicas = set.map_or(0, |set| set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1));
        let wanted = 0..u32::try_from(replicas).unwrap_or(0).min(MOST);
        let kept = claims.iter().filter_map(|claim| names::number_of(&claim.name_any()));
        // With a set, its members' claims lead to them.
        let mut left = if set.is_none() { left_behind(cluster).await } else { BTreeMap::new() };
        let numbers: BTreeSet<u32> = wanted.chain(kept).chain(left.keys().copied()).collect();
        let members = numbers.into_iter().map(|number| {
            let (pod, claim_name) = names::member(number);
            let claim = match claims.iter().position(|claim| claim.name_any() == claim_name) {
                Some(at) => Reading::Present(claims.swap_remove(at)),
                None => unread.clone(),
            };
            let volume = left.remove(&number).map_or(Reading::NotAsked, Reading::Present);
            Self { claim, volume, ..Self::new((&pod, &claim_name)) }
        });
        let template = set.and_then(|set| set.spec.as_ref()?.volume_claim_templates.as_ref()?.first());
        let on_nodes = template.is_some_and(has_no_class);
        let members: Vec<Self> = members.collect();
        join_all(members.into_iter().map(|member| member.with_volume(cluster, on_nodes))).await
    }

    /// Reads the volume that the claim names, or the one on a node that such a claim waits for: one without a class, or one that is
    /// not there and would have none.
    async fn with_volume(self, cluster: &Cluster, on_nodes: bool) -> Self {
        let awaited = || {
            let number = names::number_of(&self.claim_name)?;
            let awaits = self.claim.present().map_or(on_nodes, has_no_class);
            awaits.then(|| names::volume_of_member(cluster.namespace(), number))
        };
        let name = self.volume_name().map(str::to_owned).or_else(awaited);
        let is_known = |name: &String| self.volume.present().is_some_and(|volume| volume.name_any() == *name);
        match name.filter(|name| !is_known(name)) {
            Some(name) => Self { volume: cluster.get(&name).await.into(), ..self },
            None => self,
        }
    }

    /// Reads the claim, and the volume that it names: known beforehand with the lesson's volume, so that both are asked for
    /// at once.
    pub async fn read(self, cluster: &Cluster) -> Self {
        let usual = names::volume(cluster.namespace());
        let (claim, volume) = join!(cluster.get::<PersistentVolumeClaim>(&self.claim_name), cluster.get(&usual));
        let read = Self { claim: claim.into(), ..self };
        match read.volume_name() {
            Some(other) if other != usual => {
                Self { volume: cluster.get(other).await.into(), set_aside: volume.into(), ..read }
            }
            _ => Self { volume: volume.into(), ..read },
        }
    }

    /// The name of the volume that the claim names.
    #[must_use]
    pub fn volume_name(&self) -> Option<&str> {
        self.claim.present()?.spec.as_ref()?.volume_name.as_deref()
    }

    /// The claim as kubectl names it.
    #[must_use]
    pub fn claim_reference(&self) -> String {
        format!("persistentvolumeclaim/{}", self.claim_name)
    }

    /// The volume, if an earlier claim has left it behind with its data.
    #[must_use]
    pub fn released_volume(&self) -> Option<&PersistentVolume> {
        let phase = |volume: &PersistentVolume| volume.status.as_ref().and_then(|status| status.phase.clone());
        self.volume.present().filter(|volume| phase(volume).as_deref() == Some("Released"))
    }

    /// Whether the claim has been deleted, and is still there.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.claim.present().is_some_and(|claim| claim.meta().deletion_timestamp.is_some())
    }
}

/// Whether a claim is to have a volume that somebody creates, and none of a class.
fn has_no_class(claim: &PersistentVolumeClaim) -> bool {
    claim.spec.as_ref().is_some_and(|spec| spec.storage_class_name.as_deref() == Some(""))
}

/// The volumes on nodes that a replicated database has left behind in a namespace, by their numbers. Most have none: only where the
/// first is there, the others are looked for.
async fn left_behind(cluster: &Cluster) -> BTreeMap<u32, PersistentVolume> {
    let read = |number: u32| async move {
        let name = names::volume_of_member(cluster.namespace(), number);
        let volume = cluster.get::<PersistentVolume>(&name).await.ok().flatten()?;
        is_ours(volume.meta()).then_some((number, volume))
    };
    let Some(first) = read(0).await else { return BTreeMap::new() };
    join_all((1..names::MOST_MEMBERS).map(read)).await.into_iter().flatten().chain([first]).collect()
}
