//! A volume that an earlier claim has left behind, offered again with its data.

use k8s_openapi::api::core::v1::PersistentVolume;
use kube::ResourceExt;
use tokio::time::Instant;

use super::waiting;
use crate::context::Ctx;
use crate::exchange::volume;

/// Offers a volume again, unless it has forgotten its earlier claim since it was read. It is tried until the deadline while
/// the server is away, or somebody else changes the volume.
///
/// # Errors
/// If it cannot be offered.
pub async fn offer(ctx: &Ctx, deadline: Instant, read: &PersistentVolume) -> anyhow::Result<()> {
    waiting::insist(ctx, deadline, waiting::is_passing, async || {
        match ctx.cluster().await?.get::<PersistentVolume>(&read.name_any()).await? {
            Some(now) if volume::claim(&now) == volume::claim(read) => {
                ctx.perform(&volume::forget_claim(&now)?).await.map(drop)
            }
            _ => Ok(()),
        }
    })
    .await
}
