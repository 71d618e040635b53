//! Stops pods, and proves what outlives them: `persistence-demo`, and two questions of the lesson. One engine goes through its turns
//! with one of three subjects: the exchange's database, the pods of any StatefulSet, and Level 1.

pub mod confirm;
mod engine;
pub mod exchange;
mod follow;
pub mod level_one;
mod node;
pub mod report;
mod set;
pub mod setting;
mod storage;
pub mod subject;
mod view;
mod watched;

use std::path::PathBuf;
use std::time::Duration;

use crate::commands::shared::proof::file;
use crate::commands::shared::{self, exercise, lease};
use crate::context::Ctx;
use crate::error::Outcome;
use crate::flags::duration;
use crate::persistence::How;
use crate::persistence::report::Report;
use crate::persistence::rows::Run;
use engine::Proved;
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

  # a whole node, with commands that stop it and start it again: here of kind
  kubectl kubecoin persistence-demo --how node \\
    --stop-node 'docker stop \"$KUBECOIN_NODE\"' \\
    --start-node 'docker start \"$KUBECOIN_NODE\"'

  # your own StatefulSet, highest ordinal first, like a rolling update
  kubectl kubecoin persistence-demo --target statefulset/redis \\
    --write 'redis-cli -e -h redis-0.redis set kubecoin \"$KUBECOIN_RUN\"' \\
    --read 'redis-cli -e get kubecoin'

Exit code 1 if a check failed, or its result is not known. Also if the contrast could not be shown, although that does not change the verdict.";

/// How many marked rows are written, unless the user says.
pub const ROWS: u32 = 100;

/// How long the server may take to answer again, in a lesson.
const TIMEOUT: Duration = Duration::from_mins(5);

/// What `persistence-demo` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub struct Args {
    /// How to stop the server
    #[arg(long, value_enum, value_name = "HOW", default_value_t, hide_possible_values = true)]
    #[arg(help = "How to stop the server: delete, crash, kill, evict, force or node")]
    how: How,

    /// How many marked rows to write
    #[arg(long, value_name = "N", default_value_t = ROWS, value_parser = clap::value_parser!(u32).range(1..=100_000))]
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
    #[arg(conflicts_with_all = ["how", "rows", "times", "keep", "under_load", "contrast", "open", "stop_node", "start_node"])]
    clean: Option<Run>,

    /// Write a report: .html, .md, .xml (JUnit), or .json for verify-report and replay; can be repeated
    #[arg(long, value_name = "FILE")]
    report: Vec<PathBuf>,

    /// Skip confirmation prompts
    #[arg(short, long)]
    yes: bool,

    /// Whether it is a part of the lesson, which says itself what was not shown, and what comes next.
    #[arg(skip)]
    is_lesson: bool,

    #[command(flatten)]
    node: node::Args,

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
        Some(_) => set::check(args, ctx)?,
        None => exchange::check(args, ctx)?,
    }
    args.report.iter().try_for_each(|path| file::check(path))?;
    shared::announce(ctx).await?;
    let run = Run::new();
    let proved = if let Some(name) = target {
        let mut set = set::AnySet::ready(args, ctx, name, &run).await?;
        Box::pin(alone(args, ctx, &run, &mut set)).await
    } else {
        exercise::none_runs(ctx, "not started").await?;
        let mut exchange = Box::pin(exchange::Exchange::ready(args, ctx, &run)).await?;
        Box::pin(alone(args, ctx, &run, &mut exchange)).await
    };
    Ok(proved?.outcome)
}

/// Does it to the exchange for a question of the lesson, in a run that has its Lease already, and gives what was recorded.
///
/// # Errors
/// If it cannot be done, or would do harm or prove nothing.
pub async fn of_exchange(ctx: &Ctx, run: &Run, is_alone: bool, yes: bool) -> anyhow::Result<Report> {
    let args = Args::of_lesson(yes);
    let mut exchange = Box::pin(exchange::Exchange::ready(&args, ctx, run)).await?;
    exchange.is_alone(is_alone);
    let stop = Stop { how: args.how, timeout: args.timeout };
    Ok(Box::pin(engine::run(ctx, &mut exchange, stop, &[])).await?.report)
}

impl Args {
    /// As a question of the lesson does it: what `persistence-demo` does by default.
    fn of_lesson(yes: bool) -> Self {
        Self {
            how: How::default(),
            rows: ROWS,
            times: 1,
            under_load: false,
            max_gap: None,
            contrast: false,
            open: false,
            timeout: TIMEOUT,
            keep: false,
            clean: None,
            report: Vec::new(),
            yes,
            is_lesson: true,
            node: node::Args::default(),
            target: set::Args::default(),
        }
    }
}

/// Goes through it with a Lease, by which there is one run at a time.
async fn alone<S: Set>(args: &Args, ctx: &Ctx, run: &Run, set: &mut S) -> anyhow::Result<Proved> {
    let lease = lease::take(ctx, run).await?;
    set.is_alone(lease.is_some());
    let stop = Stop { how: args.how, timeout: args.timeout };
    tokio::select! {
        proved = engine::run(ctx, set, stop, &args.report) => proved,
        lost = lease::lost(lease.as_ref(), ctx.cluster().await?) => Err(lost.into()),
    }
}
