//! The data: where it lies, whether its files can be deleted, and the end of what has held it.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::{Resource, ResourceExt};
use tokio::time::Instant;

use super::existing::{self, Existing};
use super::{Args, remove, wipe};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::exchange::marks;
use crate::exchange::{names, objects};
use crate::kubernetes::gone::Leaving;
use crate::kubernetes::{Cause, Object, RequestError};
use crate::observe::{Reading, Snapshot};

/// Makes sure, before anything is deleted, that the files can be; gives their owner. None if there are no files to reach.
pub async fn owner(ctx: &Ctx, snapshot: &Snapshot, there: &Existing) -> anyhow::Result<Option<i64>> {
    let cluster = ctx.cluster().await?;
    let phase = |claim: &PersistentVolumeClaim| claim.status.as_ref().and_then(|status| status.phase.clone());
    // The volume is deleted first: once it goes, the files were deleted. It may be gone when its claim is read just before.
    let volume_goes = match &snapshot.volume {
        Reading::Present(volume) => volume.metadata.deletion_timestamp.is_some(),
        Reading::Absent => true,
        Reading::Unknown(_) | Reading::NotAsked => false,
    };
    let (Some(claim), Some(_)) = (snapshot.claim.present(), &there.claim) else {
        return match snapshot.released_volume().filter(|_| there.volume.is_some() && !volume_goes) {
            None => Ok(None),
            Some(volume) => Err(Error::new(
                format!(
                    "persistentvolume/{} has files {}, but its claim is gone, so no pod can reach them; nothing was deleted",
                    volume.name_any(),
                    place(snapshot)
                ),
                ctx.own_command("deploy --reuse-volume").to("first bind it to a claim again"),
            )
            .into()),
        };
    };
    if phase(claim).as_deref() != Some("Bound") || (claim.metadata.deletion_timestamp.is_some() && volume_goes) {
        return Ok(None);
    }
    if claim.metadata.deletion_timestamp.is_some() {
        return Err(Error::new(
            format!("persistentvolumeclaim/{} is being deleted already, so no pod can mount it to delete the files; nothing was deleted", names::CLAIM),
            format!("the files are {}: delete them there", place(snapshot)),
        )
        .into());
    }
    wipe::node_is_there(cluster, snapshot).await?;
    Ok(Some(wipe::owner(cluster, snapshot).await?))
}

/// Deletes what has held the data. The volume goes before its claim: it stays until the claim is gone, but a run that is
/// interrupted leaves no volume behind without a claim by which its files could be reached.
pub async fn delete(
    args: &Args,
    ctx: &Ctx,
    snapshot: &Snapshot,
    there: &Existing,
    deadline: Instant,
) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::Holds;
    let volume: Vec<Leaving> = there.volume.iter().cloned().collect();
    let mut leaving = match remove::delete(ctx, &volume).await {
        Err(error) if is_forbidden(&error) => {
            ctx.printer.error(&format!("{error:#}"));
            ctx.printer.hint("its files are deleted; ask a cluster administrator to delete it");
            outcome = Outcome::DoesNotHold;
            Vec::new()
        }
        going => going?,
    };
    let rest: Vec<Leaving> = there.claim.iter().chain(&there.secrets).cloned().collect();
    leaving.extend(remove::delete(ctx, &rest).await?);
    if let Some(made) =
        snapshot.volume.present().filter(|volume| there.volume.is_none() && is_deleted_with_claim(volume))
    {
        leaving.push(existing::leaving(made)?);
    }
    Ok(if remove::gone(ctx, &leaving, deadline, args.timeout).await? { outcome } else { Outcome::DoesNotHold })
}

fn is_forbidden(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(RequestError { cause: Cause::Forbidden(_), .. }))
}

fn is_deleted_with_claim(volume: &PersistentVolume) -> bool {
    volume.spec.as_ref().and_then(|spec| spec.persistent_volume_reclaim_policy.as_deref()) == Some("Delete")
}

/// The image of the database: it is on the node already.
pub fn image(snapshot: &Snapshot) -> anyhow::Result<String> {
    let used = || {
        let set = snapshot.statefulset.present()?.spec.as_ref()?;
        set.template.spec.as_ref()?.containers.first()?.image.clone()
    };
    match used() {
        Some(image) => Ok(image),
        None => objects::postgres_image(),
    }
}

/// Where the files lie.
pub fn place(snapshot: &Snapshot) -> String {
    let volume = snapshot.volume.present();
    let path = volume.and_then(|volume| Some(volume.spec.as_ref()?.host_path.as_ref()?.path.clone()));
    let pod = snapshot.postgres_pod().and_then(|pod| pod.spec.as_ref()?.node_name.clone());
    let node = volume.and_then(marks::pinned_to).or(pod).map(|node| format!(" of node {node}")).unwrap_or_default();
    match (path, snapshot.claim.present().and_then(|claim| claim.spec.as_ref()?.volume_name.clone())) {
        (Some(path), _) => format!("in {path}{node}"),
        (None, Some(volume)) => format!("in volume {volume}"),
        (None, None) => "in no volume yet".to_owned(),
    }
}

/// Says what stays, where the data lies, and how it is found again.
pub fn kept(ctx: &Ctx, snapshot: &Snapshot) -> anyhow::Result<()> {
    let reference = |object: Object| object.reference();
    let claim = snapshot.claim.present().map(Object::of).transpose()?.map(reference);
    let volume =
        snapshot.volume.present().filter(|volume| !volume.meta().name.as_deref().unwrap_or_default().is_empty());
    let volume = volume.map(Object::of).transpose()?.map(reference);
    let all: Vec<String> = claim.clone().into_iter().chain(volume).collect();
    if all.is_empty() {
        return Ok(());
    }
    ctx.printer.note(format!("kept: {}, and the Secret", all.join(", ")));
    ctx.printer.note(format!("the data is kept {}", place(snapshot)));
    let again = match (&claim, snapshot.released_volume()) {
        (None, Some(_)) => "deploy --reuse-volume",
        _ => "deploy",
    };
    ctx.printer.note(ctx.own_command(again).to("to deploy it again with its data"));
    ctx.printer.note(ctx.own_command("teardown --delete-data").to("to delete the data too"));
    Ok(())
}
