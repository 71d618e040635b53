//! The commands: one file or folder each.

mod confirm;
pub mod deploy;
pub mod dns_check;
pub mod helper;
pub mod init_db;
pub mod manifests;
mod namespace;
mod next_pod;
pub mod open;
pub mod overview;
pub mod persistence_demo;
pub mod psql;
mod quota;
pub mod replay;
pub mod rotate_password;
pub mod status;
pub mod teardown;
pub mod verify_report;
pub mod version;
mod waiting;

use crate::cli::Command;
use crate::context::{Ctx, made_for};
use crate::error::Outcome;
use crate::kubernetes::{Cluster, RequestError, act};
use crate::observe::{Snapshot, snapshot};
use crate::output::{Line, Role};

/// Runs a command; without one, says where one is and what comes next.
///
/// # Errors
/// If it could not run.
pub async fn run(command: Option<Command>, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let outcome = match command {
        None => overview::run(ctx).await,
        Some(Command::Deploy(args)) => Box::pin(deploy::run(args, ctx)).await,
        Some(Command::InitDb(args)) => init_db::run(&args, ctx).await,
        Some(Command::Status(args)) => status::run(&args, ctx).await,
        Some(Command::DnsCheck(args)) => Box::pin(dns_check::run(&args, ctx)).await,
        Some(Command::PersistenceDemo(args)) => Box::pin(persistence_demo::run(&args, ctx)).await,
        Some(Command::Open(args)) => Box::pin(open::run(&args, ctx)).await,
        Some(Command::Psql(args)) => Box::pin(psql::run(&args, ctx)).await,
        Some(Command::Manifests(args)) => Box::pin(manifests::run(args, ctx)).await,
        Some(Command::RotatePassword(args)) => rotate_password::run(&args, ctx).await,
        Some(Command::Teardown(args)) => teardown::run(&args, ctx).await,
        Some(Command::VerifyReport(args)) => verify_report::run(&args, ctx),
        Some(Command::Replay(args)) => replay::run(&args, ctx).await,
        Some(Command::Version(args)) => version::run(&args, ctx).await,
    }?;
    Ok(ctx.with_warnings(outcome))
}

/// Says where something is about to be changed. People have production clusters in the same kubeconfig.
async fn announce(ctx: &Ctx) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    let version = cluster.version().await?;
    let place = cluster.place();
    let context = match place.context.as_str() {
        "" => Line::default(),
        context => Line::from("context ").and(Role::Title, context).and(Role::Plain, ", "),
    };
    ctx.printer.note(
        context
            .and(Role::Plain, "namespace ")
            .and(Role::Title, &place.namespace)
            .and(Role::Plain, format!(", server {} ({})", version.git_version, place.server)),
    );
    if let Err(why) = made_for(&version) {
        ctx.printer.warning(&why);
    }
    Ok(())
}

/// Round 1 of reading, also for a namespace that is not there yet, or not any more.
async fn snapshot_of_any(ctx: &Ctx) -> anyhow::Result<Snapshot> {
    let cluster = ctx.cluster().await?;
    show_reading(ctx, cluster);
    Ok(Snapshot::read(cluster).await?)
}

/// Round 1 of reading, for what acts on it.
async fn snapshot(ctx: &Ctx) -> anyhow::Result<Snapshot> {
    let cluster = ctx.cluster().await?;
    show_reading(ctx, cluster);
    Box::pin(in_namespace(cluster, Snapshot::read(cluster))).await
}

/// Round 1 of reading, for what only shows it.
async fn glance(ctx: &Ctx) -> anyhow::Result<Snapshot> {
    let cluster = ctx.cluster().await?;
    show_reading(ctx, cluster);
    Box::pin(in_namespace(cluster, Snapshot::glance(cluster))).await
}

/// What was read, unless it is of a namespace that is not there to stay: that is asked for where it can be seen in the objects.
async fn in_namespace(
    cluster: &Cluster,
    read: impl Future<Output = Result<Snapshot, RequestError>>,
) -> anyhow::Result<Snapshot> {
    let snapshot = read.await?;
    if snapshot.is_empty() || snapshot.is_ending() {
        namespace::check(cluster).await?;
    }
    Ok(snapshot)
}

fn show_reading(ctx: &Ctx, cluster: &Cluster) {
    for words in snapshot::kubectl(cluster.namespace()) {
        ctx.show(|| act::command(cluster.place(), &words.split(' ').collect::<Vec<_>>()));
    }
}
