//! A member of the database: the names that it keeps, and the storage behind them.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::Resource;
use serde::{Deserialize, Serialize};
use tokio::join;

use super::Reading;
use crate::exchange::names;
use crate::kubernetes::Cluster;

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
