//! Applies the objects in the order of need, with a line for each as kubectl has it.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, PersistentVolumeClaim, Secret};
use kube::ResourceExt;
use kube::core::ObjectMeta;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{Args, Prepared, obstacle};
use crate::commands::shared::{directories, reuse, waiting};
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::{claim, names};
use crate::kubernetes::act::{Apply, Create};
use crate::kubernetes::{Cause, Object, adopt};
use crate::observe::{Reading, Snapshot};

/// Applies all. While the server is away, it is tried again until the deadline.
pub async fn all(
    args: &Args,
    ctx: &Ctx,
    Prepared { snapshot, existing, secrets, directories, image, objects, .. }: &Prepared,
    deadline: Instant,
) -> anyhow::Result<()> {
    let dry_run = args.dry_run.is_some();
    if !waiting::insist(ctx, deadline, waiting::server_away, async || namespace(args, ctx).await).await? {
        ctx.printer.note("the server cannot dry-run in a namespace that does not exist yet");
        return Ok(());
    }
    for one in secrets {
        waiting::insist(ctx, deadline, waiting::server_away, async || secret(ctx, one, dry_run, deadline).await)
            .await?;
    }
    let reused: Vec<_> = snapshot.released_volumes().filter(|_| args.reuse_volume && !dry_run).collect();
    for volume in &reused {
        reuse::offer(ctx, deadline, volume).await?;
        ctx.printer.note(format!("persistentvolume/{} is made available again, with its data", volume.name_any()));
    }
    if !dry_run {
        directories::create(ctx, image, directories, deadline).await?;
    }
    for object in objects {
        let there = existing.of(object, snapshot);
        waiting::insist(ctx, deadline, waiting::is_passing, async || one(args, ctx, object, &there).await).await?;
    }
    for waiting_one in snapshot.claims().filter(|claim| !reused.is_empty() && !is_bound(claim)) {
        let touch = claim::touch(waiting_one)?;
        waiting::insist(ctx, deadline, waiting::server_away, async || ctx.perform(&touch).await).await?;
    }
    Ok(())
}

fn is_bound(claim: &PersistentVolumeClaim) -> bool {
    claim.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Bound")
}

/// Moves the ownership of what was applied by hand, if it was not moved yet.
async fn take_over(ctx: &Ctx, object: &Object) -> anyhow::Result<()> {
    let now = ctx.cluster().await?.get_object(object).await?;
    match now.and_then(|now| adopt::patch(object, &now.metadata)) {
        Some(adoption) => ctx.perform(&adoption).await.map(drop),
        None => Ok(()),
    }
}

/// Applies an object, and says what that has changed of what was there.
async fn one(args: &Args, ctx: &Ctx, object: &Object, there: &Reading<&ObjectMeta>) -> anyhow::Result<()> {
    let dry_run = args.dry_run.is_some();
    let adopting = there.present().is_some_and(|there| adopt::patch(object, there).is_some());
    if adopting && !dry_run {
        take_over(ctx, object).await?;
    }
    // While nothing is really adopted, what was applied by hand contests its fields.
    let force = args.force_conflicts || (dry_run && adopting);
    let apply = Apply { object: object.clone(), force, dry_run };
    let applied = match ctx.perform(&apply).await {
        Err(error) if force && Cause::of(&error).is_some_and(obstacle::is_of_a_value) => {
            ctx.perform(&Apply { object: without_values(apply.object), ..apply }).await?
        }
        // What this program has patched is its own: the replicas of a lesson that was killed.
        Err(error) if Cause::of(&error).is_some_and(obstacle::is_with_itself) => {
            ctx.perform(&Apply { force: true, ..apply }).await?
        }
        // An administrator has created it for those who may not: else the preflight has refused.
        Err(error) if obstacle::is_grant(&object.reference()) && is_forbidden(&error) => {
            return say(ctx, &object.reference(), "unchanged", dry_run);
        }
        applied => applied?,
    };
    let outcome = match there {
        Reading::Present(there) if is_same(there, &applied.metadata) => "unchanged",
        Reading::Present(there) if adopting && there.generation == applied.metadata.generation => "adopted",
        Reading::Present(_) => "configured",
        Reading::Absent => "created",
        // What was there could not be read.
        Reading::Unknown(_) | Reading::NotAsked => "serverside-applied",
    };
    say(ctx, &object.reference(), outcome, dry_run)
}

/// An object with an empty value for each variable that is read from a Secret. It takes the place of one that somebody has set,
/// which no apply deletes, and beside which the server accepts no reference.
pub fn without_values(mut object: Object) -> Object {
    let containers = object.body.pointer_mut("/spec/template/spec/containers").and_then(Value::as_array_mut);
    let variables = containers.into_iter().flatten().filter_map(|container| container.get_mut("env")?.as_array_mut());
    for variable in variables.flatten().filter(|variable| variable.get("valueFrom").is_some()) {
        variable["value"] = "".into();
    }
    object
}

/// Whether an apply has changed nothing: else the server notes that its manager has changed something, and when. The
/// object's version says less: a controller may have written there since the object was read.
fn is_same(there: &ObjectMeta, applied: &ObjectMeta) -> bool {
    there.generation == applied.generation && adopt::own(there) == adopt::own(applied)
}

fn say(ctx: &Ctx, object: &str, outcome: &str, dry_run: bool) -> anyhow::Result<()> {
    let dry_run = if dry_run { " (server dry run)" } else { "" };
    ctx.printer.out(format!("{object} {outcome}{dry_run}"))
}

/// Creates the namespace if that is asked for. Gives whether there is one now, which after a dry run there may not be.
async fn namespace(args: &Args, ctx: &Ctx) -> anyhow::Result<bool> {
    let cluster = ctx.cluster().await?;
    if !args.create_namespace || cluster.get::<Namespace>(cluster.namespace()).await?.is_some() {
        return Ok(true);
    }
    let dry_run = args.dry_run.is_some();
    let metadata = ObjectMeta { name: Some(cluster.namespace().to_owned()), ..ObjectMeta::default() };
    let object = Object::of(&Namespace { metadata, ..Namespace::default() })?;
    let reference = object.reference();
    match ctx.perform(&Create { object, hidden: None, dry_run }).await {
        Err(error) if exists_already(&error) => Ok(true),
        created => {
            created?;
            say(ctx, &reference, "created", dry_run)?;
            Ok(!dry_run)
        }
    }
}

fn is_forbidden(error: &anyhow::Error) -> bool {
    matches!(Cause::of(error), Some(Cause::Forbidden(_)))
}

fn exists_already(error: &anyhow::Error) -> bool {
    matches!(Cause::of(error), Some(Cause::Conflict { .. }))
}

const PAUSE: Duration = Duration::from_millis(250);

/// Creates the Secret if there is none, and never changes one: PostgreSQL keeps the password of its first start.
async fn secret(ctx: &Ctx, secret: &Secret, dry_run: bool, deadline: Instant) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    let object = Object::of(secret)?;
    let reference = object.reference();
    if cluster.get::<Secret>(&object.name).await?.is_some() {
        return say(ctx, &reference, "unchanged", dry_run);
    }
    if !dry_run {
        earlier_pods_are_gone(ctx, deadline).await?;
    }
    let hidden = Some(("/stringData", "$(openssl rand -hex 24)"));
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
            ctx.printer
                .note(format!("waiting for pods of an earlier deployment to terminate: {}", stopping.join(", ")));
            told = true;
        }
        if Instant::now() > deadline {
            return Err(Error::too_late(
                format!("pods of an earlier deployment do not terminate: {}", stopping.join(", ")),
                ctx.by_hand.kubectl(["describe", "pod", stopping[0]]).to("see why"),
            )
            .into());
        }
        sleep(PAUSE).await;
    }
}
