//! Stops pods, and proves what outlives them: `persistence-demo`, and two questions of the lesson. One engine goes through its turns
//! with one of three subjects: the exchange's database, the pods of any StatefulSet, and Level 1.

mod confirm;
mod engine;
mod exchange;
mod follow;
mod level_one;
mod report;
mod set;
mod setting;
mod storage;
mod subject;
mod view;
mod watched;

use std::path::PathBuf;
use std::time::Duration;

use crate::commands::shared::proof::file;
use crate::commands::shared::{self, lease};
use crate::context::Ctx;
use crate::error::Outcome;
use crate::flags::duration;
use crate::persistence::How;
use crate::persistence::rows::Run;
use subject::{Set, Stop};

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin persistence-demo               # delete postgres-0: what survives?
  kubectl kubecoin persistence-demo --how crash   # crash the server in its pod
  kubectl kubecoin persistence-demo --under-load  # is any acknowledged row lost?
  kubectl kubecoin persistence-demo --times 5     # five times, with the median downtime
  kubectl kubecoin persistence-demo --contrast    # and what is lost without a volume?
  kubectl kubecoin persistence-demo --keep        # keep the marked rows
  kubectl kubecoin persistence-demo --report proof.html --report proof.json

  # your own StatefulSet, highest ordinal first, like a rolling update
  kubectl kubecoin persistence-demo --target statefulset/redis \\
    --write 'redis-cli -e -h redis-0.redis set kubecoin \"$KUBECOIN_RUN\"' \\
    --read 'redis-cli -e get kubecoin'

Exit code 1 if a check failed, or its result is not known. Also if the contrast could not be shown, although that does not change the verdict.";

/// What `persistence-demo` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub struct Args {
    /// How to stop the server
    #[arg(long, value_enum, value_name = "HOW", default_value_t, hide_possible_values = true)]
    #[arg(help = "How to stop the server: delete, crash, kill, evict or force")]
    how: How,

    /// How many marked rows to write
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rows: u32,

    /// How many times to do it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    times: u32,

    /// Keep writing rows from inside the cluster, and check that none is lost
    #[arg(long)]
    under_load: bool,

    /// Longest time for which the writer may be unable to write
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "under_load")]
    max_gap: Option<Duration>,

    /// Then do the same to Level 1, a Deployment without a volume, and compare
    #[arg(long)]
    contrast: bool,

    /// Open the page, and wait for Enter before the server is stopped
    #[arg(long)]
    open: bool,

    /// How long to wait, each time, until the server answers again
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    timeout: Duration,

    /// Keep the marked rows in the table
    #[arg(long)]
    keep: bool,

    /// Only delete the marked rows of an earlier run
    #[arg(long, value_name = "ID")]
    #[arg(conflicts_with_all = ["how", "rows", "times", "keep", "under_load", "contrast", "open"])]
    clean: Option<Run>,

    /// Write a report: .html, .md, .xml (JUnit), or .json for verify-report and replay; can be repeated
    #[arg(long, value_name = "FILE")]
    report: Vec<PathBuf>,

    /// Skip confirmation prompts
    #[arg(short, long)]
    yes: bool,

    #[command(flatten)]
    target: set::Args,
}

/// Does it, and says what it proves.
///
/// # Errors
/// If it cannot be done, or would do harm or prove nothing.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    if let Some(run) = &args.clean {
        return exchange::clean(ctx, run).await;
    }
    let target = args.target.set();
    match target {
        Some(_) => set::check(args)?,
        None => exchange::check(args, ctx)?,
    }
    args.report.iter().try_for_each(|path| file::check(path))?;
    shared::announce(ctx).await?;
    let run = Run::new();
    if let Some(name) = target {
        let mut set = set::AnySet::ready(args, ctx, name, &run).await?;
        Box::pin(alone(args, ctx, &run, &mut set)).await
    } else {
        let mut exchange = Box::pin(exchange::Exchange::ready(args, ctx, &run)).await?;
        Box::pin(alone(args, ctx, &run, &mut exchange)).await
    }
}

/// Goes through it with a Lease, by which there is one run at a time.
async fn alone<S: Set>(args: &Args, ctx: &Ctx, run: &Run, set: &mut S) -> anyhow::Result<Outcome> {
    let lease = lease::take(ctx, run).await?;
    set.is_alone(lease.is_some());
    let stop = Stop { how: args.how, timeout: args.timeout };
    tokio::select! {
        outcome = engine::run(ctx, set, stop, &args.report) => outcome,
        lost = lease::lost(lease.as_ref(), ctx.cluster().await?) => Err(lost.into()),
    }
}
