//! `deploy`: from nothing to a running exchange, and again and again with nothing changed.

mod apply;
mod existing;
mod obstacle;
mod preflight;
mod reduce;
mod works;

use std::time::Duration;

use clap::ValueEnum;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use tokio::time::Instant;

use super::shared::shape::{self, Shape};
use super::shared::waiting::{self, Waited};
use super::shared::{announce, credentials, exercise, settle, snapshot_of_any, switch, table};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::exchange::directory::Directory;
use crate::exchange::objects::{self, Objects};
use crate::exchange::{manifests, names};
use crate::flags::duration;
use crate::kubernetes::Object;
use crate::observe::{Reading, Snapshot, container, readiness};
use existing::Existing;
use reduce::Fewer;

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin deploy --init-db                  # everything, with the table
  kubectl kubecoin deploy -n alice --create-namespace
  kubectl kubecoin deploy --storage dynamic          # if you may not create volumes
  kubectl kubecoin deploy --ha --replicas 5          # a database of five members
  kubectl kubecoin deploy --ha --storage static      # each in a directory of a node
  kubectl kubecoin deploy --dry-run=client -o yaml   # print the objects, change nothing";

/// How long a standby may take from being ready until it has every acknowledged row.
const STANDBY: Duration = Duration::from_secs(40);

/// What `deploy` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub struct Args {
    /// Create the wallets table too, like init-db
    #[arg(long)]
    init_db: bool,

    /// What the objects look like.
    #[command(flatten)]
    shape: Shape,

    /// Use the volume that a deleted claim has left behind, with its data
    #[arg(long)]
    reuse_volume: bool,

    /// Create the namespace if it does not exist
    #[arg(long)]
    create_namespace: bool,

    /// How long to wait until everything works; the first image pull can take minutes
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    timeout: Duration,

    /// Wait until everything works
    #[arg(long, value_name = "BOOL", default_value_t = true, num_args = 0..=1, require_equals = true)]
    #[arg(hide_possible_values = true)]
    #[arg(default_missing_value = "true", action = clap::ArgAction::Set)]
    wait: bool,

    /// Only show what would be done: client (only reads) or server (the server validates it)
    #[arg(long, value_enum, value_name = "WHERE", hide_possible_values = true)]
    dry_run: Option<DryRun>,

    /// With --dry-run=client: print the objects
    #[arg(short, long, value_enum, value_name = "FORMAT", requires = "dry_run")]
    output: Option<Output>,

    /// Overwrite fields that someone else has changed
    #[arg(long)]
    force_conflicts: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DryRun {
    /// Only read
    Client,
    /// Let the server check each object
    Server,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Yaml,
}

/// Deploys.
///
/// # Errors
/// If something is in the way, or the cluster does not take an object.
pub async fn run(args: Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    check(&args)?;
    let deadline = Instant::now() + args.timeout;
    let Some(prepared) = waiting::within(deadline, prepare(&args, ctx)).await else {
        return Err(Error::new(
            format!("the API server did not answer all requests within {:?}; nothing was changed", args.timeout),
            ctx.by_hand.check_server().and("or wait longer with --timeout"),
        )
        .into());
    };
    let prepared = prepared?;
    if let Some(fewer) = prepared.fewer.filter(|_| args.dry_run.is_some()) {
        fewer.say(ctx, &prepared.snapshot);
    }
    if args.dry_run == Some(DryRun::Client) {
        return would_be(&args, ctx, &prepared.objects);
    }
    let done = waiting::within(deadline, async {
        if let Some(fewer) = prepared.fewer.filter(|_| args.dry_run.is_none()) {
            fewer.run(ctx, args.timeout, deadline).await?;
        }
        apply::all(&args, ctx, &prepared, deadline).await?;
        if args.dry_run.is_some() {
            return Ok(Outcome::Holds);
        }
        if !args.wait {
            ctx.printer.note(ctx.own_command("status --wait").to("next"));
            return Ok(Outcome::Holds);
        }
        finish(&args, ctx, &prepared.snapshot, deadline).await
    });
    waiting::in_time(ctx, "the exchange was not deployed", args.timeout, done.await)
}

/// What is known before anything is changed.
struct Prepared {
    snapshot: Snapshot,
    /// What is there that the snapshot does not have.
    existing: Existing,
    /// The members that go.
    fewer: Option<Fewer>,
    /// The Secrets that are created if they are not there.
    secrets: Vec<Secret>,
    /// What has to be on nodes before the volumes are.
    directories: Vec<Directory>,
    /// The image of the database, by which that is created.
    image: String,
    /// What shall be, in the order of need.
    objects: Vec<Object>,
}

/// Reads what is there, settles what shall be, and makes sure that nothing is in the way.
async fn prepare(args: &Args, ctx: &Ctx) -> anyhow::Result<Prepared> {
    announce(ctx).await?;
    if args.dry_run.is_none() {
        exercise::none_runs(ctx, "not deployed").await?;
    }
    let snapshot = snapshot_of_any(ctx).await?;
    let settings = settle::settle(&args.shape, ctx, &snapshot).await?;
    let objects = Objects::new(&settings)?;
    let in_order = objects.in_order()?;
    let secrets = objects::secrets(&settings)?;
    let fewer = Fewer::of(settings.members, &snapshot);
    let mut existing = Existing::default();
    if args.dry_run != Some(DryRun::Client) {
        existing = Existing::read(ctx.cluster().await?, &snapshot, &in_order).await;
        let wanted = (&objects, &secrets[..], &in_order[..]);
        preflight::check(args, ctx, wanted, (&snapshot, &existing), fewer.is_some()).await?;
    }
    let directories = directories(&objects, &existing, &snapshot)?;
    let template = objects.postgres.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    let image = template.and_then(|pod| container::image(pod, names::POSTGRES)).unwrap_or_default().to_owned();
    Ok(Prepared { snapshot, existing, fewer, secrets, directories, image, objects: in_order })
}

/// The directories of members that may not be there: those of new volumes, and of members that do not become ready. That of one
/// server is created by the kubelet.
fn directories(objects: &Objects, existing: &Existing, snapshot: &Snapshot) -> anyhow::Result<Vec<Directory>> {
    let mut all = Vec::new();
    for volume in &objects.volumes {
        let Some(number) = names::number_of_volume(&volume.name_any()) else { continue };
        let is_there = matches!(existing.of(&Object::of(volume)?, snapshot), Reading::Present(_));
        let (name, _) = names::member(number);
        let pod = snapshot.pods_of(names::POSTGRES).find(|pod| pod.name_any() == name);
        if !is_there || pod.is_some_and(|pod| !readiness::pod(pod)) {
            all.extend(Directory::of(volume));
        }
    }
    Ok(all)
}

/// Waits until everything is ready, makes sure that it works together, and says what comes next.
async fn finish(args: &Args, ctx: &Ctx, snapshot: &Snapshot, deadline: Instant) -> anyhow::Result<Outcome> {
    // A new database has no other passwords than its Secret.
    if snapshot.is_replicated() {
        if !is_so(args, ctx, deadline, waiting::postgres_ready).await? {
            return Ok(Outcome::DoesNotHold);
        }
        waiting::insist(ctx, deadline, waiting::server_away, async || credentials::repair_members(ctx).await).await?;
    }
    if !is_so(args, ctx, deadline, waiting::all_ready).await? {
        return Ok(Outcome::DoesNotHold);
    }
    waiting::insist(ctx, deadline, waiting::server_away, async || credentials::repair(ctx).await).await?;
    if args.init_db && table::initialise(ctx, args.timeout, deadline).await? == Outcome::DoesNotHold {
        return Ok(Outcome::DoesNotHold);
    }
    if args.shape.ha {
        waiting::insist(ctx, deadline, waiting::server_away, async || on_two_volumes(ctx, deadline).await).await?;
    }
    works::check(ctx, deadline).await
}

/// Waits until an acknowledged row of a replicated database is on two volumes: Patroni names the standby some seconds after all
/// members are ready. Not for ever, for somebody may have switched it off.
async fn on_two_volumes(ctx: &Ctx, deadline: Instant) -> anyhow::Result<()> {
    let snapshot = Snapshot::read(ctx.cluster().await?).await?;
    let snapshot = switch::with_standby(ctx, snapshot, deadline.min(Instant::now() + STANDBY)).await?;
    if snapshot.replication.present().is_some_and(|replication| replication.synchronous.is_empty()) {
        ctx.printer
            .warning("no standby has every acknowledged row yet; until one has, such a row is on one volume only");
        ctx.printer.hint(ctx.own_command("doctor").to("see why"));
    }
    Ok(())
}

/// Waits until it is so, or says that it was not in time.
async fn is_so(args: &Args, ctx: &Ctx, deadline: Instant, holds: fn(&Snapshot) -> bool) -> anyhow::Result<bool> {
    let wait = async || waiting::until(ctx, deadline, holds, true).await;
    match waiting::insist(ctx, deadline, waiting::server_away, wait).await? {
        Waited::Done => Ok(true),
        Waited::TimedOut(last) => {
            waiting::say_timed_out(ctx, "the exchange was not ready", args.timeout, &last);
            Ok(false)
        }
    }
}

/// What the flags alone rule out.
fn check(args: &Args) -> Result<(), Error> {
    if args.output.is_some() && args.dry_run != Some(DryRun::Client) {
        return Err(shape::both("--output", "--dry-run=server"));
    }
    args.shape.check()
}

/// Prints what would be applied. The Secret, whose password is made up when it is created, is not part of it.
fn would_be(args: &Args, ctx: &Ctx, in_order: &[Object]) -> anyhow::Result<Outcome> {
    for object in in_order {
        match args.output {
            Some(Output::Yaml) => ctx.printer.out_text(&manifests::document(object)?)?,
            None => ctx.printer.out(format!("{} applied (dry run)", object.reference()))?,
        }
    }
    Ok(Outcome::Holds)
}
