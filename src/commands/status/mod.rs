//! `status`: what the exchange is made of, and how it is.

mod everywhere;
mod report;
mod view;
mod watch;

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::shared;
use super::shared::waiting::{self, Waited};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::exchange::names;
use crate::findings::Observed;
use crate::flags::duration;
use crate::kubernetes::Place;
use crate::kubernetes::act::Act;
use crate::observe::database::Database;
use crate::observe::details::Details;
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

Exit code 1 if something is not healthy. What you may not read is shown as unknown, and makes nothing else unhealthy.";

/// What `status` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub struct Args {
    /// Output format: table, wide, json or yaml
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t, hide_possible_values = true)]
    output: Format,

    /// Do not check the database: no other check runs a command in a pod
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
    let read = read(args, ctx);
    let read =
        if args.wait { waiting::within(deadline.max(Instant::now()), read).await } else { Some(Box::pin(read).await) };
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
        if let Some(finding) = status.findings.first().filter(|_| !status.healthy) {
            ctx.printer.hint(&finding.hint);
        }
    }
    Ok(Outcome::holds_if(status.healthy))
}

/// Reads it, and when that was.
async fn read(args: &Args, ctx: &Ctx) -> anyhow::Result<(Status, Timestamp)> {
    let cluster = ctx.cluster().await?;
    // After a wait it is not behind what was waited for.
    let snapshot = if args.wait { shared::snapshot(ctx).await? } else { shared::glance(ctx).await? };
    if !args.no_db {
        ctx.show(|| Database::ask(names::POSTGRES_POD).kubectl(cluster.place()));
    }
    let details = Details::read(&snapshot, cluster, !args.no_db).await;
    let now = Timestamp::now();
    let Place { context, namespace, by_hand, .. } = cluster.place();
    let observed = Observed { snapshot: &snapshot, details: &details, namespace, by_hand, now };
    Ok((Status::new(context, &observed), now))
}
