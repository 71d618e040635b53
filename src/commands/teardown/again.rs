//! Gives a volume a claim again, so that a pod can mount it to delete its files.

use std::time::Duration;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt;
use tokio::time::{Instant, sleep};

use super::wipe::Files;
use crate::commands::shared::reuse;
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::{claim, objects};
use crate::kubernetes::Object;
use crate::kubernetes::act::Create;
use crate::kubernetes::gone::Leaving;

/// The pause before the cluster is asked again.
const PAUSE: Duration = Duration::from_millis(250);

/// How long a claim and a volume that are both there may take to be bound, before the cluster is told to look again.
const BINDING: Duration = Duration::from_secs(1);

/// What was created, and is to go when the files are deleted.
pub struct Bound {
    pub claim: Leaving,
    /// The volume, if it had to be created again too.
    pub volume: Option<Leaving>,
}

/// Binds the volume to a new claim of the name for which it is reserved. The claim that it had must be gone. A run that is
/// interrupted leaves both, by which the next one reaches the files.
///
/// # Errors
/// If the volume or the claim cannot be changed, or they are not bound by the deadline.
pub async fn bind(ctx: &Ctx, files: &Files, volume: &PersistentVolume, deadline: Instant) -> anyhow::Result<Bound> {
    let cluster = ctx.cluster().await?;
    let name = volume.name_any();
    let left = left_behind(ctx, &name, deadline).await?;
    ctx.printer
        .note(format!("persistentvolume/{name} gets a new claim, so that a pod can mount it to delete its files"));
    let made = match &left {
        Some(left) => {
            reuse::offer(ctx, deadline, left).await?;
            None
        }
        None => Some(create(ctx, Object::of(&anew(volume))?).await?),
    };
    let left = left.as_ref().unwrap_or(volume);
    let created = create(ctx, Object::of(&objects::claim_of(left, cluster.namespace(), &files.claim)?)?).await?;
    let reference = created.object.reference();
    let start = Instant::now();
    let mut touched = false;
    loop {
        let claim = cluster.get::<PersistentVolumeClaim>(&files.claim).await?;
        let phase = claim.as_ref().and_then(|claim| claim.status.as_ref()?.phase.as_deref()).unwrap_or("Pending");
        if phase == "Bound" {
            return Ok(Bound { claim: created, volume: made });
        }
        if Instant::now() >= deadline {
            return Err(Error::too_late(
                format!("{reference} is not bound to persistentvolume/{name} in time, but {phase}"),
                ctx.by_hand.kubectl(["describe", &reference]).to("see why").and("then run teardown again"),
            )
            .into());
        }
        if let Some(waiting) = claim.filter(|_| !touched && start.elapsed() > BINDING) {
            touched = true;
            ctx.perform(&claim::touch(&waiting)?).await?;
        }
        sleep(PAUSE).await;
    }
}

async fn create(ctx: &Ctx, object: Object) -> anyhow::Result<Leaving> {
    let create = Create { object, hidden: None, dry_run: false };
    let created = ctx.perform(&create).await?;
    ctx.printer.out(format!("{} created", create.object.reference()))?;
    Ok(Leaving { object: create.object, uid: created.metadata.uid.unwrap_or_default() })
}

/// The volume as it was before it was ever bound.
fn anew(volume: &PersistentVolume) -> PersistentVolume {
    let metadata = ObjectMeta {
        name: volume.metadata.name.clone(),
        labels: volume.metadata.labels.clone(),
        ..ObjectMeta::default()
    };
    let mut spec = volume.spec.clone();
    if let Some(claim) = spec.as_mut().and_then(|spec| spec.claim_ref.as_mut()) {
        (claim.uid, claim.resource_version) = (None, None);
    }
    PersistentVolume { metadata, spec, status: None }
}

/// The volume, once the cluster has seen that its claim is gone; none if it was deleted with it.
async fn left_behind(ctx: &Ctx, name: &str, deadline: Instant) -> anyhow::Result<Option<PersistentVolume>> {
    let cluster = ctx.cluster().await?;
    loop {
        let Some(volume) = cluster.get::<PersistentVolume>(name).await? else { return Ok(None) };
        let phase = volume.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default();
        let goes = volume.metadata.deletion_timestamp.is_some();
        if phase != "Bound" && !goes {
            return Ok(Some(volume));
        }
        if Instant::now() >= deadline {
            let reference = format!("persistentvolume/{name}");
            let state = if goes { "is still being deleted" } else { "still counts as bound" };
            return Err(Error::too_late(
                format!("{reference} {state}, although its claim is gone"),
                ctx.by_hand.kubectl_of_cluster(["describe", &reference]).to("see why").and("then run teardown again"),
            )
            .into());
        }
        sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_volume_that_is_created_again_is_reserved_and_not_bound() {
        let spec = json!({ "hostPath": { "path": "/data" },
                           "claimRef": { "name": "postgres-pvc", "uid": "1", "resourceVersion": "2" } });
        let volume = json!({ "metadata": { "name": "pv", "uid": "3", "resourceVersion": "4", "labels": { "a": "b" },
                                           "deletionTimestamp": "2026-11-24T02:00:00Z", "finalizers": ["c"] },
                             "spec": spec, "status": { "phase": "Bound" } });
        let anew = serde_json::to_value(anew(&serde_json::from_value(volume).unwrap())).unwrap();
        assert_eq!(anew["metadata"], json!({ "name": "pv", "labels": { "a": "b" } }));
        assert_eq!(anew["spec"], json!({ "hostPath": { "path": "/data" }, "claimRef": { "name": "postgres-pvc" } }));
        assert!(anew.get("status").is_none());
    }
}
