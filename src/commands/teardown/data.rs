//! The data: where it lies, whether its files can be deleted, and the end of what has held it.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::ResourceExt;
use tokio::time::Instant;

use super::existing::{self, Existing};
use super::wipe::{self, Files};
use super::{Args, remove};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::exchange::marks;
use crate::exchange::{names, objects};
use crate::kubernetes::gone::Leaving;
use crate::kubernetes::{Cause, Object, RequestError};
use crate::observe::{Member, Reading, Snapshot, container};

/// Makes sure, before anything is deleted, that the files can be. Gives those that can be reached.
pub async fn files(ctx: &Ctx, snapshot: &Snapshot, there: &Existing) -> anyhow::Result<Vec<Files>> {
    let mut all = Vec::new();
    for member in &snapshot.members {
        all.extend(files_of(ctx, snapshot, member, there).await?);
    }
    Ok(all)
}

async fn files_of(ctx: &Ctx, snapshot: &Snapshot, member: &Member, there: &Existing) -> anyhow::Result<Option<Files>> {
    let cluster = ctx.cluster().await?;
    let phase = |claim: &PersistentVolumeClaim| claim.status.as_ref().and_then(|status| status.phase.clone());
    // The volume is deleted first: once it goes, the files were deleted. It may be gone when its claim is read just before.
    let volume_goes = match &member.volume {
        Reading::Present(volume) => volume.metadata.deletion_timestamp.is_some(),
        Reading::Absent => true,
        Reading::Unknown(_) | Reading::NotAsked => false,
    };
    let Some(claim) = member.claim.present().filter(|_| has(&there.claims, &member.claim_name)) else {
        let left = member.released_volume().filter(|volume| has(&there.volumes, &volume.name_any()) && !volume_goes);
        return match left {
            None => Ok(None),
            Some(volume) => Err(Error::new(
                format!(
                    "persistentvolume/{} has files {}, but its claim is gone, so no pod can reach them; nothing was deleted",
                    volume.name_any(),
                    place(snapshot, member)
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
            format!("persistentvolumeclaim/{} is being deleted already, so no pod can mount it to delete the files; nothing was deleted", member.claim_name),
            format!("the files are {}: delete them there", place(snapshot, member)),
        )
        .into());
    }
    wipe::node_is_there(cluster, snapshot, member).await?;
    let owner = wipe::owner(cluster, snapshot.pod_of(member)).await?;
    Ok(Some(Files { claim: member.claim_name.clone(), owner, place: place(snapshot, member) }))
}

fn has(all: &[Leaving], name: &str) -> bool {
    all.iter().any(|one| one.object.name == name)
}

/// Deletes what has held the data. A volume goes before its claim: it stays until the claim is gone, but a run that is
/// interrupted leaves no volume behind without a claim by which its files could be reached.
pub async fn delete(
    args: &Args,
    ctx: &Ctx,
    snapshot: &Snapshot,
    there: &Existing,
    deadline: Instant,
) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::Holds;
    let mut leaving = match remove::delete(ctx, &there.volumes).await {
        Err(error) if is_forbidden(&error) => {
            ctx.printer.error(&format!("{error:#}"));
            ctx.printer.hint("its files are deleted; ask a cluster administrator to delete it");
            outcome = Outcome::DoesNotHold;
            Vec::new()
        }
        going => going?,
    };
    let rest: Vec<Leaving> = there.claims.iter().chain(&there.secrets).cloned().collect();
    leaving.extend(remove::delete(ctx, &rest).await?);
    let is_made =
        |volume: &&PersistentVolume| !has(&there.volumes, &volume.name_any()) && is_deleted_with_claim(volume);
    for made in snapshot.volumes().filter(is_made) {
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
        container::image(set.template.spec.as_ref()?, names::POSTGRES).map(str::to_owned)
    };
    match used() {
        Some(image) => Ok(image),
        None => objects::postgres_image(),
    }
}

/// Where the files of a member are.
fn place(snapshot: &Snapshot, member: &Member) -> String {
    let volume = member.volume.present();
    let path = volume.and_then(|volume| Some(volume.spec.as_ref()?.host_path.as_ref()?.path.clone()));
    let pod = snapshot.pod_of(member).and_then(|pod| pod.spec.as_ref()?.node_name.clone());
    let node = volume.and_then(marks::pinned_to).or(pod).map(|node| format!(" of node {node}")).unwrap_or_default();
    match (path, member.volume_name()) {
        (Some(path), _) => format!("in {path}{node}"),
        (None, Some(volume)) => format!("in volume {volume}"),
        (None, None) => "in no volume yet".to_owned(),
    }
}

/// Says what stays, where the data lies, and how it is found again.
pub fn kept(ctx: &Ctx, snapshot: &Snapshot) -> anyhow::Result<()> {
    let mut all = Vec::new();
    for member in &snapshot.members {
        let claim = member.claim.present().map(Object::of).transpose()?;
        let volume = member.volume.present().map(Object::of).transpose()?;
        all.extend(claim.into_iter().chain(volume).map(|object| object.reference()));
    }
    if all.is_empty() {
        return Ok(());
    }
    ctx.printer.note(format!("kept: {}, and the Secret", all.join(", ")));
    for member in &snapshot.members {
        ctx.printer.note(format!("the data is kept {}", place(snapshot, member)));
    }
    let is_left = |member: &Member| member.claim.present().is_none() && member.released_volume().is_some();
    let again = if snapshot.members.iter().any(is_left) { "deploy --reuse-volume" } else { "deploy" };
    ctx.printer.note(ctx.own_command(again).to("to deploy it again with its data"));
    ctx.printer.note(ctx.own_command("teardown --delete-data").to("to delete the data too"));
    Ok(())
}
