//! `teardown`: takes the exchange away, and its data only when told to.

mod confirm;
mod there;
mod wipe;

use std::time::Duration;

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use kube::api::{DynamicObject, ListParams};
use kube::{Resource, ResourceExt};
use tokio::time::Instant;

use crate::cli::duration;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::exchange::names;
use crate::kubernetes::act::{Delete, Deleted, command};
use crate::kubernetes::gone::{self, Leaving};
use crate::kubernetes::{Cause, Object, RequestError};
use crate::observe::Snapshot;
use there::There;

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin teardown                      # deploy finds the data again
  kubectl kubecoin teardown --delete-data        # asks, and then nothing is left
  kubectl kubecoin teardown --delete-data --yes  # for scripts

Only what has the label app.kubernetes.io/part-of=kubecoin is deleted. The namespace stays.";

/// What `teardown` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Delete the data too: the files, the claim, the volume and the Secret
    #[arg(long)]
    delete_data: bool,

    /// Do not ask: for scripts
    #[arg(short, long)]
    yes: bool,

    /// How long to wait until all is gone
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    timeout: Duration,
}

/// Takes it away.
///
/// # Errors
/// If it cannot be read or deleted, or nobody confirms it.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    super::announce(ctx).await?;
    let snapshot = super::snapshot(ctx).await?;
    let cluster = ctx.cluster().await?;
    let mut there = There::new(&snapshot)?;
    if args.delete_data {
        there = there.with_secrets(cluster).await?;
    }
    for object in &there.foreign {
        ctx.printer.error(&format!(
            "{object} is left alone: it belongs to somebody else, for it has no label {}",
            names::selector()
        ));
    }
    unreadable(&there, cluster.namespace())?;
    let outcome = Outcome::holds_if(there.foreign.is_empty());
    let data = there.claim.is_some() || there.volume.is_some() || !there.secrets.is_empty();
    let runs = !there.workloads.is_empty() || snapshot.pods.present().is_some_and(|pods| !pods.is_empty());
    let nothing_to_do = !(runs || (data && args.delete_data));
    if nothing_to_do {
        ctx.printer.out(format!("there is no exchange in namespace {}", cluster.namespace()))?;
        kept(ctx, &snapshot)?;
        return Ok(outcome);
    }
    if !confirm::ask(args, ctx).await? {
        return Ok(Outcome::DoesNotHold);
    }
    let deadline = Instant::now() + args.timeout;
    let wiping = if args.delete_data {
        match wiping(ctx, &snapshot, &there).await {
            Err(error) if error.is::<wipe::NodeAway>() => {
                ctx.printer.error(&format!("{error:#}"));
                ctx.printer.hint("see how the nodes are: kubectl get nodes; without --delete-data the files stay");
                return Ok(Outcome::DoesNotHold);
            }
            wiping => wiping?,
        }
    } else {
        None
    };
    let mut leaving = delete(ctx, &there.workloads).await?;
    leaving.extend(pods(ctx).await?);
    if !gone(ctx, &leaving, deadline, args.timeout).await? {
        return Ok(Outcome::DoesNotHold);
    }
    if !args.delete_data {
        kept(ctx, &snapshot)?;
        return Ok(outcome);
    }
    if let Some(owner) = wiping {
        wipe::wipe(ctx, &image(&snapshot)?, owner, deadline).await?;
        ctx.printer.out(format!("the files {} are deleted", place(&snapshot)))?;
    }
    let complete = delete_data(args, ctx, &snapshot, &there, deadline).await?;
    Ok(if complete == Outcome::Holds { outcome } else { complete })
}

/// What is not known may be there, and would stay without a word.
fn unreadable(there: &There, namespace: &str) -> Result<(), Error> {
    // Who may not read volumes has none that this program made.
    let unknown = there.unknown.iter().find(|(object, _)| {
        !object.contains("volume/") && !object.contains("the volume") && object != "endpointslices"
    });
    match unknown {
        None => Ok(()),
        Some((object, reason)) => Err(Error::new(
            format!("could not read {object} in namespace {namespace}: {reason:?}"),
            format!("see what you may do there: kubectl auth can-i --list -n {namespace}"),
        )),
    }
}

/// Makes sure, before anything is deleted, that the files can be; gives their owner. None if there are no files to reach.
async fn wiping(ctx: &Ctx, snapshot: &Snapshot, there: &There) -> anyhow::Result<Option<i64>> {
    let cluster = ctx.cluster().await?;
    let phase = |claim: &PersistentVolumeClaim| claim.status.as_ref().and_then(|status| status.phase.clone());
    let (Some(claim), Some(_)) = (snapshot.claim.present(), &there.claim) else {
        return match snapshot.released_volume().filter(|_| there.volume.is_some()) {
            None => Ok(None),
            Some(volume) => Err(Error::new(
                format!(
                    "persistentvolume/{} holds files {}, but its claim is gone, so no pod can reach them; nothing was deleted",
                    volume.name_any(),
                    place(snapshot)
                ),
                format!("first give it its claim again: {}", ctx.own_command("deploy --reuse-volume")),
            )
            .into()),
        };
    };
    // The volume is deleted first: then the files were.
    let volume_goes = snapshot.volume.present().is_some_and(|volume| volume.metadata.deletion_timestamp.is_some());
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

/// Deletes objects one after the other, and says each. Gives those that go as soon as nothing holds them any more.
async fn delete(ctx: &Ctx, objects: &[Leaving]) -> anyhow::Result<Vec<Leaving>> {
    let mut going = Vec::new();
    for one in objects {
        match ctx.perform(&Delete { object: one.object.clone(), uid: Some(one.uid.clone()) }).await? {
            Deleted::Gone => ctx.printer.out(format!("{} deleted", one.object.reference()))?,
            Deleted::Going { .. } => going.push(one.clone()),
        }
    }
    Ok(going)
}

/// The pods of the exchange: they outlive their workloads for a while.
async fn pods(ctx: &Ctx) -> anyhow::Result<Vec<Leaving>> {
    let apps = [names::POSTGRES, names::BACKEND, names::FRONTEND].join(",");
    let selector = format!("{},{} in ({apps})", names::selector(), names::APP);
    let found = ctx.cluster().await?.list::<Pod>(&ListParams::default().labels(&selector)).await?;
    found.iter().map(there::leaving).collect()
}

/// Waits until all are gone, and explains what is not.
async fn gone(ctx: &Ctx, leaving: &[Leaving], deadline: Instant, timeout: Duration) -> anyhow::Result<bool> {
    let cluster = ctx.cluster().await?;
    if leaving.is_empty() {
        return Ok(true);
    }
    let references: Vec<String> = leaving.iter().map(|one| one.object.reference()).collect();
    let limit = format!("--timeout={}s", timeout.as_secs());
    ctx.show(|| {
        let words = ["wait", "--for=delete", &limit].into_iter().chain(references.iter().map(String::as_str));
        command(cluster.place(), &words.collect::<Vec<_>>())
    });
    let left = gone::wait(cluster, leaving, deadline).await;
    for one in leaving.iter().filter(|one| left.iter().all(|(object, _)| object.reference() != one.object.reference()))
    {
        ctx.printer.out(format!("{} deleted", one.object.reference()))?;
    }
    let Some((first, _)) = left.first() else { return Ok(true) };
    ctx.printer.error(&format!("not gone within {timeout:?}:"));
    for (object, there) in &left {
        ctx.printer.note(format!("  {} {}", object.reference(), holds(there.as_ref())));
    }
    ctx.printer.hint(&format!(
        "see what holds it: kubectl get {} -n {} -o yaml; then run teardown again",
        first.reference(),
        cluster.namespace()
    ));
    Ok(false)
}

/// What keeps an object that is being deleted.
fn holds(there: Option<&DynamicObject>) -> String {
    let Some(object) = there else { return "could not be read".to_owned() };
    match (object.metadata.deletion_timestamp.is_some(), object.finalizers()) {
        (false, _) => "is not being deleted: somebody has made it anew".to_owned(),
        (true, []) => "is being stopped".to_owned(),
        (true, finalizers) => format!("is held by finalizers: {}", finalizers.join(", ")),
    }
}

/// Deletes what has held the data. The volume goes before its claim: it stays until the claim is gone, but a run that is
/// interrupted leaves no volume behind without a claim by which its files could be reached.
async fn delete_data(
    args: &Args,
    ctx: &Ctx,
    snapshot: &Snapshot,
    there: &There,
    deadline: Instant,
) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::Holds;
    let volume: Vec<Leaving> = there.volume.iter().cloned().collect();
    let mut leaving = match delete(ctx, &volume).await {
        Err(error) if is_forbidden(&error) => {
            ctx.printer.error(&format!("{error:#}"));
            ctx.printer.hint("its files are deleted; ask who may delete volumes to delete it");
            outcome = Outcome::DoesNotHold;
            Vec::new()
        }
        going => going?,
    };
    let rest: Vec<Leaving> = there.claim.iter().chain(&there.secrets).cloned().collect();
    leaving.extend(delete(ctx, &rest).await?);
    if let Some(made) =
        snapshot.volume.present().filter(|volume| there.volume.is_none() && is_deleted_with_claim(volume))
    {
        leaving.push(there::leaving(made)?);
    }
    Ok(if gone(ctx, &leaving, deadline, args.timeout).await? { outcome } else { Outcome::DoesNotHold })
}

fn is_forbidden(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(RequestError { cause: Cause::Forbidden(_), .. }))
}

fn is_deleted_with_claim(volume: &PersistentVolume) -> bool {
    volume.spec.as_ref().and_then(|spec| spec.persistent_volume_reclaim_policy.as_deref()) == Some("Delete")
}

/// The image of the database: it is on the node already.
fn image(snapshot: &Snapshot) -> anyhow::Result<String> {
    let used = || {
        let set = snapshot.statefulset.present()?.spec.as_ref()?;
        set.template.spec.as_ref()?.containers.first()?.image.clone()
    };
    match used() {
        Some(image) => Ok(image),
        None => crate::exchange::objects::postgres_image(),
    }
}

/// Where the files lie.
fn place(snapshot: &Snapshot) -> String {
    let volume = snapshot.volume.present();
    let path = volume.and_then(|volume| Some(volume.spec.as_ref()?.host_path.as_ref()?.path.clone()));
    let pod = snapshot.postgres_pod().and_then(|pod| pod.spec.as_ref()?.node_name.clone());
    let node = volume.and_then(super::deploy::pin).or(pod).map(|node| format!(" of node {node}")).unwrap_or_default();
    match (path, snapshot.claim.present().and_then(|claim| claim.spec.as_ref()?.volume_name.clone())) {
        (Some(path), _) => format!("in {path}{node}"),
        (None, Some(volume)) => format!("in volume {volume}"),
        (None, None) => "in no volume yet".to_owned(),
    }
}

/// Says what stays, where the data lies, and how it is found again.
fn kept(ctx: &Ctx, snapshot: &Snapshot) -> anyhow::Result<()> {
    let reference = |object: Object| object.reference();
    let claim = snapshot.claim.present().map(Object::of).transpose()?.map(reference);
    let volume =
        snapshot.volume.present().filter(|volume| !volume.meta().name.as_deref().unwrap_or_default().is_empty());
    let volume = volume.map(Object::of).transpose()?.map(reference);
    let all: Vec<String> = claim.clone().into_iter().chain(volume).collect();
    if all.is_empty() {
        return Ok(());
    }
    ctx.printer.note(format!("kept: {}, and the Secret; the data lies {}", all.join(", "), place(snapshot)));
    let again = match (&claim, snapshot.released_volume()) {
        (None, Some(_)) => "deploy --reuse-volume",
        _ => "deploy",
    };
    ctx.printer.note(format!("back again with its data: {}", ctx.own_command(again)));
    ctx.printer.note(format!("away with the data too:   {}", ctx.own_command("teardown --delete-data")));
    Ok(())
}
