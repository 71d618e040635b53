//! Applies the objects in the order of need, with a line for each as kubectl has it.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, Secret};
use kube::ResourceExt;
use kube::core::ObjectMeta;
use tokio::time::{Instant, sleep};

use super::{Args, existing, reuse};
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::{names, objects};
use crate::kubernetes::act::{Apply, Create};
use crate::kubernetes::{Cause, Object, RequestError, adopt};
use crate::observe::{Reading, Snapshot};

/// Applies all.
pub async fn all(
    args: &Args,
    ctx: &Ctx,
    in_order: &[Object],
    snapshot: &Snapshot,
    deadline: Instant,
) -> anyhow::Result<()> {
    let dry_run = args.dry_run.is_some();
    namespace(args, ctx).await?;
    secret(ctx, dry_run, deadline).await?;
    let reused = snapshot.released_volume().filter(|_| args.reuse_volume && !dry_run);
    if let Some(volume) = reused {
        ctx.perform(&reuse::offer(volume)?).await?;
        ctx.printer.note(format!("persistentvolume/{} is offered again, with its data", volume.name_any()));
    }
    for object in in_order {
        let there = existing::of(object, snapshot);
        if let Reading::Present(there) = there
            && !dry_run
            && let Some(adoption) = adopt::patch(object, there)
        {
            ctx.perform(&adoption).await?;
        }
        // While nothing is really adopted, what was applied by hand contests its fields.
        let adopting = |there: &ObjectMeta| adopt::patch(object, there).is_some();
        let force = args.force_conflicts || (dry_run && there.present().is_some_and(|there| adopting(there)));
        let applied = ctx.perform(&Apply { object: object.clone(), force, dry_run }).await?;
        let outcome = match there {
            Reading::Present(there) if there.resource_version == applied.metadata.resource_version => "unchanged",
            Reading::Present(there) if there.generation == applied.metadata.generation && adopting(there) => "adopted",
            Reading::Present(_) => "configured",
            Reading::Absent => "created",
            // What was there could not be read.
            Reading::Unknown(_) | Reading::NotAsked => "serverside-applied",
        };
        say(ctx, &object.reference(), outcome, dry_run)?;
    }
    if let (Some(_), Reading::Present(claim)) = (reused, &snapshot.claim) {
        ctx.perform(&reuse::touch(claim)?).await?;
    }
    Ok(())
}

fn say(ctx: &Ctx, object: &str, outcome: &str, dry_run: bool) -> anyhow::Result<()> {
    let dry_run = if dry_run { " (server dry run)" } else { "" };
    ctx.printer.out(format!("{object} {outcome}{dry_run}"))
}

async fn namespace(args: &Args, ctx: &Ctx) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    if !args.create_namespace || cluster.get::<Namespace>(cluster.namespace()).await?.is_some() {
        return Ok(());
    }
    let metadata = ObjectMeta { name: Some(cluster.namespace().to_owned()), ..ObjectMeta::default() };
    let object = Object::of(&Namespace { metadata, ..Namespace::default() })?;
    let reference = object.reference();
    match ctx.perform(&Create { object, hidden: None, dry_run: args.dry_run.is_some() }).await {
        Err(error) if exists_already(&error) => Ok(()),
        created => {
            created?;
            say(ctx, &reference, "created", args.dry_run.is_some())
        }
    }
}

fn exists_already(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<RequestError>().map(|error| &error.cause), Some(Cause::Conflict { .. }))
}

const PAUSE: Duration = Duration::from_millis(250);

/// Creates the Secret if there is none, and never changes one: PostgreSQL keeps the password of its first start.
async fn secret(ctx: &Ctx, dry_run: bool, deadline: Instant) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    let object = Object::of(&objects::secret(cluster.namespace())?)?;
    let reference = object.reference();
    if cluster.get::<Secret>(names::SECRET).await?.is_some() {
        return say(ctx, &reference, "unchanged", dry_run);
    }
    if !dry_run {
        earlier_pods_are_gone(ctx, deadline).await?;
    }
    let hidden = Some(("/stringData/password", "$(openssl rand -hex 24)"));
    match ctx.perform(&Create { object, hidden, dry_run }).await {
        // Another deploy was faster. Its password is as good.
        Err(error) if exists_already(&error) => say(ctx, &reference, "unchanged", dry_run),
        created => {
            created?;
            say(ctx, &reference, "created", dry_run)
        }
    }
}

/// Waits until no pod is left that knows an earlier Secret of this name: as long as there is one on a node, the kubelet
/// hands out the old password to new pods too.
async fn earlier_pods_are_gone(ctx: &Ctx, deadline: Instant) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    let mut told = false;
    loop {
        let snapshot = Snapshot::read(cluster).await?;
        let stopping: Vec<_> = [names::POSTGRES, names::BACKEND]
            .into_iter()
            .flat_map(|app| snapshot.pods_of(app))
            .filter(|pod| pod.metadata.deletion_timestamp.is_some())
            .filter_map(|pod| pod.metadata.name.as_deref())
            .collect();
        if stopping.is_empty() {
            return Ok(());
        }
        if !told {
            ctx.printer.note(format!("waiting for pods of an earlier deployment to end: {}", stopping.join(", ")));
            told = true;
        }
        if Instant::now() > deadline {
            return Err(Error::new(
                format!("pods of an earlier deployment do not end: {}", stopping.join(", ")),
                format!("see why: kubectl describe pod {} -n {}", stopping[0], cluster.namespace()),
            )
            .into());
        }
        sleep(PAUSE).await;
    }
}
