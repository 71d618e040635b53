//! `status`: what the exchange is made of, and how it is.

mod everywhere;
mod report;
mod screen;
mod view;
mod watch;

use std::time::Duration;

use clap::ValueEnum;
use jiff::Timestamp;
use tokio::join;
use tokio::time::{Instant, sleep};

use super::shared::exercise;
use super::shared::look::look;
use super::shared::waiting::{self, Waited};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::findings::{Depth, Health};
use crate::flags::duration;
use crate::output;
use report::Status;

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin status
  kubectl kubecoin status -o wide          # with nodes, addresses and paths
  kubectl kubecoin status -A               # every exchange in the cluster
  kubectl kubecoin status -A --watch       # for a teacher, while the class works
  kubectl kubecoin status -A -o junit      # the answers to the lesson, for a grade book
  kubectl kubecoin status --watch          # show every change
  kubectl kubecoin status --wait           # wait until everything is ready
  kubectl kubecoin status -o json | jq .healthy

Healthy means: a request went through the page and the backend to the database, and nothing else is wrong.
Exit code 0 if it is healthy, or works as far as you may see; 1 if not; 2 if nothing could be read.
With -o junit: 1 if an answer does not hold or could not be read.

While an exercise runs, it shows symptoms, and no causes unless you add --spoil.
With -A, LESSON counts the answers and EXERCISE the solved exercises that are kept in the ConfigMap kubecoin-lesson of the \
namespace; 2/12 (4) means that exercise 4 runs. Whoever may edit the ConfigMap can write any answer there. To prove one, run \
the question yourself in that namespace.";

/// What is said of a wait that has run out.
const NOT_READY: &str = "the exchange was not ready";

/// The pause before it is read again.
const PAUSE: Duration = Duration::from_millis(500);

/// How it is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The most important columns
    #[default]
    Table,
    /// More columns
    Wide,
    /// Everything, as JSON
    Json,
    /// Everything, as YAML
    Yaml,
    /// A test case for each question of the lesson and each exercise that was tried, as `JUnit` XML
    Junit,
}

impl Format {
    /// Whether it is for people.
    fn is_table(self) -> bool {
        matches!(self, Self::Table | Self::Wide)
    }

    /// Whether people want more.
    fn is_wide(self) -> bool {
        self == Self::Wide
    }

    /// The same among those that every answer has; none if that has no answer.
    fn usual(self) -> Option<output::Format> {
        match self {
            Self::Table => Some(output::Format::Table),
            Self::Wide => Some(output::Format::Wide),
            Self::Json => Some(output::Format::Json),
            Self::Yaml => Some(output::Format::Yaml),
            Self::Junit => None,
        }
    }
}

/// What `status` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub struct Args {
    /// Output format: table, wide, json or yaml; with -A also junit
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t, hide_possible_values = true)]
    output: Format,

    /// Check the objects only: run no command in a pod, and send the page no request
    #[arg(long)]
    no_db: bool,

    /// Show every exchange in the cluster, one per line
    #[arg(short = 'A', long, conflicts_with = "wait")]
    all_namespaces: bool,

    /// Keep running and show every change
    #[arg(long, conflicts_with = "wait")]
    watch: bool,

    /// Wait until everything is ready
    #[arg(long)]
    wait: bool,

    /// How long to wait
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration, requires = "wait")]
    timeout: Duration,

    /// Show causes although an exercise runs
    #[arg(long)]
    spoil: bool,
}

/// Shows it.
///
/// # Errors
/// If the cluster cannot be asked at all.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    if args.watch && !args.output.is_table() {
        return Err(Error::new("--watch shows tables only", "omit --watch or --output").into());
    }
    if args.all_namespaces {
        return everywhere::run(args, ctx).await;
    }
    let Some(format) = args.output.usual() else {
        return Err(Error::new("--output junit is for all namespaces", "add --all-namespaces").into());
    };
    if args.watch {
        watch::run(args, ctx).await?;
    }
    let deadline = Instant::now() + args.timeout;
    if args.wait && !wait(args, ctx, deadline).await? {
        return Ok(Outcome::DoesNotHold);
    }
    let limit = deadline.max(Instant::now());
    let read = read(args, ctx, args.wait.then_some(limit));
    let read = if args.wait { waiting::within(limit, read).await } else { Some(Box::pin(read).await) };
    let Some(read) = read else {
        waiting::say_timed_out(ctx, "the exchange could not be read", args.timeout, &[]);
        return Ok(Outcome::DoesNotHold);
    };
    let (status, now) = read?;
    if let Some(text) = format.text("Status", &status)? {
        ctx.printer.out_text(&text)?;
    } else {
        for line in view::lines(&status, format.is_wide(), now) {
            ctx.printer.out(line)?;
        }
        if let Some(finding) = status.findings.first().filter(|_| !status.health.holds()) {
            ctx.printer.hint(&finding.hint);
        }
        if status.symptoms.is_some() {
            ctx.printer.hint(exercise::what_helps(ctx, "status", status.health.holds()));
        }
    }
    Ok(Outcome::holds_if(status.health.holds()))
}

/// Waits until all is ready, or says that it was not. Whether there is anything to show of it.
async fn wait(args: &Args, ctx: &Ctx, deadline: Instant) -> anyhow::Result<bool> {
    let Some(exercise) = waiting::within(deadline, exercise::untold(ctx, args.spoil)).await else {
        waiting::say_timed_out(ctx, NOT_READY, args.timeout, &[]);
        return Ok(false);
    };
    let exercise = exercise?;
    match waiting::or_say(ctx, deadline, waiting::all_ready, (NOT_READY, args.timeout), exercise).await? {
        Waited::Done => Ok(true),
        Waited::TimedOut(last) => Ok(!last.is_empty()),
    }
}

/// Reads it, and when that was; until it holds, if there is a deadline. Pods are ready before names and connections follow.
async fn read(args: &Args, ctx: &Ctx, until: Option<Instant>) -> anyhow::Result<(Status, Timestamp)> {
    let cluster = ctx.cluster().await?;
    loop {
        let (look, exercise) = join!(Box::pin(look(ctx, depth(args).into())), exercise::untold(ctx, args.spoil));
        let (look, exercise) = (look?, exercise?);
        if look.health == Health::Unreadable {
            let place = cluster.place();
            let says = format!("you may not read the exchange ({})", place.in_words());
            return Err(Error::new(says, ctx.by_hand.check_permissions()).into());
        }
        let may_pass = matches!(look.health, Health::NotReady | Health::NotHealthy);
        if !may_pass || until.is_none_or(|until| Instant::now() >= until) {
            let status = Status::new(cluster.place(), &look).without_causes(exercise, &look);
            return Ok((status, look.now));
        }
        sleep(PAUSE).await;
    }
}

/// How much is looked at.
fn depth(args: &Args) -> Depth {
    if args.no_db { Depth::Objects } else { Depth::All }
}
