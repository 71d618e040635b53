//! The claims of a pod, and the volumes under them.

use futures_util::future::join_all;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::ResourceExt;

use crate::kubernetes::Cluster;
use crate::observe::Reading;
use crate::persistence::evidence::Claimed;
use crate::persistence::identity::ClaimSeen;

/// Reads the claims of these names at once, each with its volume.
pub async fn claimed(cluster: &Cluster, names: impl IntoIterator<Item = String>) -> Vec<Claimed> {
    join_all(names.into_iter().map(|name| one(cluster, name))).await
}

async fn one(cluster: &Cluster, name: String) -> Claimed {
    let claim = Reading::from(cluster.get::<PersistentVolumeClaim>(&name).await).map(|claim| ClaimSeen::from(claim));
    let volume = match claim.present().and_then(|claim| claim.volume.as_deref()) {
        Some(volume) => {
            Reading::from(cluster.get::<PersistentVolume>(volume).await).map(|volume| volume.uid().unwrap_or_default())
        }
        None => Reading::NotAsked,
    };
    Claimed { name, claim, volume }
}
