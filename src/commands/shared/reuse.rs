//! A volume that an earlier claim has left behind, offered again with its data.

use k8s_openapi::api::core::v1::PersistentVolume;
use kube::ResourceExt;
use serde_json::json;
use tokio::time::Instant;

use super::waiting;
use crate::context::Ctx;
use crate::kubernetes::Object;
use crate::kubernetes::act::Patch;

/// The UID of the claim that the volume was bound to.
#[must_use]
pub fn claim(volume: &PersistentVolume) -> Option<&str> {
    volume.spec.as_ref()?.claim_ref.as_ref()?.uid.as_deref()
}

/// Offers a volume again, unless it has forgotten its earlier claim since it was read. It is tried until the deadline while
/// the server is away, or somebody else changes the volume.
///
/// # Errors
/// If it cannot be offered.
pub async fn offer(ctx: &Ctx, deadline: Instant, read: &PersistentVolume) -> anyhow::Result<()> {
    waiting::insist(ctx, deadline, waiting::is_passing, async || {
        match ctx.cluster().await?.get::<PersistentVolume>(&read.name_any()).await? {
            Some(now) if claim(&now) == claim(read) => ctx.perform(&forget(&now)?).await.map(drop),
            _ => Ok(()),
        }
    })
    .await
}

/// Makes the volume forget which claim it was bound to; for whom it is reserved stays. Holds only for the version of the
/// volume that was read.
fn forget(volume: &PersistentVolume) -> anyhow::Result<Patch> {
    let body = json!({
        "metadata": { "resourceVersion": volume.metadata.resource_version },
        "spec": { "claimRef": { "uid": null, "resourceVersion": null } },
    });
    Ok(Patch { object: Object { body, ..Object::of(volume)? } })
}
