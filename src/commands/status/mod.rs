//! `status`: what the exchange is made of, and how it is.

mod everywhere;
mod report;
mod view;
mod watch;

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::shared::look::look;
use super::shared::waiting::{self, Waited};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::findings::{Depth, Health};
use crate::flags::duration;
use crate::output::Format;
use report::Status;

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin status
  kubectl kubecoin status -o wide          # with nodes, addresses and paths
  kubectl kubecoin status -A               # every exchange in the cluster
  kubectl kubecoin status --watch          # show every change
  kubectl kubecoin status --wait           # wait until everything is ready
  kubectl kubecoin status -o json | jq .healthy

Healthy means: a request went through the page and the backend to the database, and nothing else is wrong.
Exit code 0 if it is healthy, or works as far as you may see; 1 if not; 2 if nothing could be read.";

/// The pause before it is read again.
const PAUSE: Duration = Duration::from_millis(500);

/// What `status` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub struct Args {
    /// Output format: table, wide, json or yaml
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t, hide_possible_values = true)]
    output: Format,

    /// Check the objects only: run no command in a pod, and send the page no request
    #[arg(long)]
    no_db: bool,

    /// Show every exchange in the cluster, one per line
    #[arg(short = 'A', long, conflicts_with_all = ["wait", "watch"])]
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
}

/// Shows it.
///
/// # Errors
/// If the cluster cannot be asked at all.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    if args.all_namespaces {
        return everywhere::run(args, ctx).await;
    }
    if args.watch {
        if matches!(args.output, Format::Json | Format::Yaml) {
            return Err(Error::new("--watch shows tables only", "omit --watch or --output").into());
        }
        watch::run(args, ctx).await?;
    }
    let deadline = Instant::now() + args.timeout;
    if args.wait
        && let Waited::TimedOut(last) = waiting::until(ctx, deadline, waiting::all_ready, false).await?
    {
        waiting::say_timed_out(ctx, "the exchange was not ready", args.timeout, &last);
        if last.is_empty() {
            return Ok(Outcome::DoesNotHold);
        }
    }
    let limit = deadline.max(Instant::now());
    let read = read(args, ctx, args.wait.then_some(limit));
    let read = if args.wait { waiting::within(limit, read).await } else { Some(Box::pin(read).await) };
    let Some(read) = read else {
        waiting::say_timed_out(ctx, "the exchange could not be read", args.timeout, &[]);
        return Ok(Outcome::DoesNotHold);
    };
    let (status, now) = read?;
    if let Some(text) = args.output.text("Status", &status)? {
        ctx.printer.out_text(&text)?;
    } else {
        for line in view::lines(&status, args.output.is_wide(), now) {
            ctx.printer.out(line)?;
        }
        if let Some(finding) = status.findings.first().filter(|_| !status.health.holds()) {
            ctx.printer.hint(&finding.hint);
        }
    }
    Ok(Outcome::holds_if(status.health.holds()))
}

/// Reads it, and when that was; until it holds, if there is a deadline. Pods are ready before names and connections follow.
async fn read(args: &Args, ctx: &Ctx, until: Option<Instant>) -> anyhow::Result<(Status, Timestamp)> {
    let cluster = ctx.cluster().await?;
    loop {
        let look = Box::pin(look(ctx, depth(args).into())).await?;
        if look.health == Health::Unreadable {
            let place = cluster.place();
            let says = format!("you may not read the exchange ({})", place.in_words());
            return Err(Error::new(says, ctx.by_hand.check_permissions()).into());
        }
        let may_pass = matches!(look.health, Health::NotReady | Health::NotHealthy);
        if !may_pass || until.is_none_or(|until| Instant::now() >= until) {
            return Ok((Status::new(cluster.place(), &look), look.now));
        }
        sleep(PAUSE).await;
    }
}

/// How much is looked at.
fn depth(args: &Args) -> Depth {
    if args.no_db { Depth::Objects } else { Depth::All }
}
