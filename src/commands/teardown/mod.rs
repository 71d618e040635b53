//! `teardown`: takes the exchange away, and its data only when told to.

mod again;
mod confirm;
mod data;
mod existing;
mod members;
mod orphans;
mod reach;
mod remove;
mod wipe;

use std::time::Duration;

use tokio::time::Instant;

use super::shared::{self, waiting};
use crate::context::Ctx;
use crate::error::Outcome;
use crate::exchange::names;
use crate::flags::duration;
use crate::observe::{Reading, Reason, Snapshot};
use existing::Existing;

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin teardown                      # keep the data for the next deploy
  kubectl kubecoin teardown --delete-data        # delete everything, after a prompt
  kubectl kubecoin teardown --delete-data --yes  # for scripts

Only objects with the label app.kubernetes.io/part-of=kubecoin are deleted. The namespace is kept.";

/// What `teardown` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Delete the data too: the files, the claim, the volume and the Secret
    #[arg(long)]
    delete_data: bool,

    /// Skip confirmation prompts
    #[arg(short, long)]
    yes: bool,

    /// How long to wait until everything is gone
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    timeout: Duration,
}

/// Takes it away.
///
/// # Errors
/// If it cannot be read or deleted, or nobody confirms it.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let in_time = |done| waiting::in_time(ctx, "the exchange was not deleted", args.timeout, done);
    let Some(read) = waiting::within(Instant::now() + args.timeout, read(args, ctx)).await else {
        return in_time(None);
    };
    let (snapshot, there) = read?;
    let cluster = ctx.cluster().await?;
    for object in &there.foreign {
        ctx.printer.error(&format!(
            "{object} is not deleted: it belongs to someone else: it does not have the label {}",
            names::selector()
        ));
    }
    there.is_known(cluster.place())?;
    let outcome = Outcome::holds_if(there.foreign.is_empty());
    let has_data = there.has_data();
    let runs = !(there.workloads.is_empty() && there.apart.used.is_empty())
        || snapshot.pods.present().is_some_and(|pods| !pods.is_empty());
    if !(runs || has_data && args.delete_data) {
        ctx.printer.out(format!("there is no exchange in namespace {}", cluster.namespace()))?;
        data::kept(ctx, &snapshot, &there)?;
        return Ok(outcome);
    }
    if !args.delete_data {
        data::warn(ctx, &snapshot);
    }
    if !confirm::ask(args, ctx).await? {
        return Ok(Outcome::DoesNotHold);
    }
    let deadline = Instant::now() + args.timeout;
    let done = waiting::within(deadline, take_away(args, ctx, &snapshot, &there, deadline)).await;
    match in_time(done) {
        Ok(Outcome::Holds) => Ok(outcome),
        Err(error) if error.is::<wipe::NodeAway>() => {
            ctx.printer.error(&format!("{error:#}"));
            let nodes = ctx.by_hand.kubectl_of_cluster("get nodes");
            ctx.printer.hint(nodes.to("check the nodes").and("without --delete-data, the files are kept"));
            Ok(Outcome::DoesNotHold)
        }
        ended => ended,
    }
}

/// Reads what there is.
async fn read(args: &Args, ctx: &Ctx) -> anyhow::Result<(Snapshot, Existing)> {
    shared::announce(ctx).await?;
    shared::exercise::none_runs(ctx, "not deleted").await?;
    let snapshot = shared::snapshot_of_any(ctx).await?;
    let replicasets = orphans::replicasets(ctx).await?;
    if let Reading::Unknown(Reason::Forbidden(_)) = &replicasets {
        ctx.printer
            .warning("you may not list ReplicaSets: any that a deleted Deployment has left behind are not deleted");
    }
    let cluster = ctx.cluster().await?;
    let there = Existing::new(&snapshot, &replicasets)?.with_lesson(cluster).await?;
    let there = Box::pin(there.with_members(cluster, &snapshot, args.delete_data)).await;
    if !args.delete_data {
        return Ok((snapshot, there));
    }
    let there = there.with_volume_set_aside(cluster, &snapshot).await?.with_secrets(cluster, &snapshot).await?;
    Ok((snapshot, there))
}

/// Takes away what runs, and then the data, if it is to go.
async fn take_away(
    args: &Args,
    ctx: &Ctx,
    snapshot: &Snapshot,
    there: &Existing,
    deadline: Instant,
) -> anyhow::Result<Outcome> {
    // Known before anything is deleted: it is the server's pod that says whose the files are.
    let plan = if args.delete_data { data::plan(ctx, snapshot, there).await? } else { data::Plan::default() };
    let mut leaving = remove::delete(ctx, &there.workloads).await?;
    let pods = orphans::delete_pods(ctx, there).await?;
    leaving.extend(pods.leaving);
    for (pod, owner) in &pods.foreign {
        ctx.printer.error(&format!("{pod} is not deleted: it belongs to {owner}, which is not of the exchange"));
        ctx.printer.hint(ctx.by_hand.kubectl(["delete", owner]).to("if nobody needs it, delete that"));
    }
    let outcome = Outcome::holds_if(pods.foreign.is_empty());
    if !remove::gone(ctx, &leaving, deadline, args.timeout).await? {
        return Ok(Outcome::DoesNotHold);
    }
    let used = there.apart.delete_used(ctx).await?;
    if !remove::gone(ctx, &used, deadline, args.timeout).await? {
        return Ok(Outcome::DoesNotHold);
    }
    if !args.delete_data {
        data::kept(ctx, snapshot, there)?;
        return Ok(outcome);
    }
    match Box::pin(data::delete_all(args, ctx, snapshot, there, plan, deadline)).await? {
        Outcome::Holds => Ok(outcome),
        failed => Ok(failed),
    }
}
