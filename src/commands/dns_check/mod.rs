//! `dns-check`: asks the cluster's DNS from inside the cluster, and holds its answers against the objects.

mod asker;
mod report;
mod round;
mod view;

use std::time::Duration;

use tokio::join;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout_at};

use super::shared::{self, exercise, waiting};
use crate::context::Ctx;
use crate::dns::names::is_name;
use crate::error::{Error, Outcome};
use crate::flags::duration;
use crate::kubernetes::Cause;
use crate::output::Format;
use asker::Chosen;
use report::DnsReport;
use round::Round;

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin dns-check                        # ask from the backend pod
  kubectl kubecoin dns-check --trace                # show how short names are completed
  kubectl kubecoin dns-check --from pod/postgres-0  # ask from another pod
  kubectl kubecoin dns-check --pod --image busybox  # ask from a temporary pod
  kubectl kubecoin dns-check --wait                 # wait until all names are right
  kubectl kubecoin dns-check postgres-headles       # why is this name not found?
  kubectl kubecoin dns-check -o json | jq .holds

While an exercise runs, it shows what DNS answers, and not why unless you add --spoil.

In the pod, it sends queries with nc, bash or python3, and looks names up with getent or python3, whichever is there. Exit code 1 if an answer does not match the pods and Services.";

/// What `dns-check` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub struct Args {
    /// More names to look up, as an application would
    #[arg(value_name = "NAME", value_parser = name)]
    names: Vec<String>,

    /// Output format: table, wide, json or yaml
    #[arg(short, long, value_enum, value_name = "FORMAT", default_value_t, hide_possible_values = true)]
    output: Format,

    /// Pod to ask from [default: the backend pod]
    #[arg(long, value_name = "pod/NAME", conflicts_with = "pod")]
    from: Option<String>,

    /// Ask from a temporary pod, which is deleted afterwards
    #[arg(long)]
    pod: bool,

    /// Image of the temporary pod [default: the backend image]
    #[arg(long, value_name = "IMAGE", requires = "pod")]
    image: Option<String>,

    /// Show how short names are completed, step by step
    #[arg(long)]
    trace: bool,

    /// Wait until pods are ready and DNS caches have expired
    #[arg(long)]
    wait: bool,

    /// How long to wait
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration, requires = "wait")]
    timeout: Duration,

    /// Show causes although an exercise runs
    #[arg(long)]
    spoil: bool,
}

fn name(text: &str) -> Result<String, String> {
    if is_name(text) {
        Ok(text.to_owned())
    } else {
        Err("a name consists of letters, digits, dashes and dots".to_owned())
    }
}

/// How often the DNS server is asked again: nobody can watch it.
const AGAIN: Duration = Duration::from_secs(1);

/// How long a pod that is started for it may take to run.
const START: Duration = Duration::from_mins(1);

/// Asks, and shows what came of it.
///
/// # Errors
/// If there is nothing to ask for, or nowhere to ask from.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let (snapshot, exercise) = join!(Box::pin(shared::snapshot(ctx)), exercise::untold(ctx, args.spoil));
    let (snapshot, exercise) = (snapshot?, exercise?);
    if snapshot.is_empty() {
        return Err(Error::new(
            format!("no exchange is deployed in namespace {}", ctx.cluster().await?.namespace()),
            ctx.own_command("deploy"),
        )
        .into());
    }
    let mut chosen = asker::choose(args, ctx, &snapshot).await?;
    let start = Instant::now();
    let mut round = Box::pin(Round::ask(ctx, &chosen.from, args, snapshot)).await?;
    if args.wait && !round.holds {
        round = Box::pin(wait(ctx, &mut chosen, args, round, exercise.is_some())).await?;
    }
    if let Some(helper) = chosen.helper {
        // It is tried again when the run ends.
        if let Err(error) = ctx.delete_temporary(helper).await {
            ctx.printer.warning(&format!("{error:#}"));
        }
    }
    let report = DnsReport::new(ctx.cluster().await?.place(), &chosen.from, &round, start.elapsed());
    let report = report.without_causes(exercise);
    if let Some(text) = args.output.text("DnsCheck", &report)? {
        ctx.printer.out_text(&text)?;
    } else {
        for line in view::lines(&report, args.output.is_wide()) {
            ctx.printer.out_wrapped(line, 2)?;
        }
        if let Some(finding) = report.findings.first().filter(|_| !report.holds) {
            ctx.printer.hint(&finding.hint);
        }
        if let Some(number) = exercise {
            ctx.printer.note(format!("exercise {number} runs: causes are not shown"));
            ctx.printer.hint(exercise::what_helps(ctx, "dns-check", false));
        }
    }
    Ok(Outcome::holds_if(round.holds))
}

/// Asks again until all is as it should be, or the time is over. Gives the last round. One that fails, as it does where the pod
/// that is asked from is replaced meanwhile, is tried again. While an exercise runs, nothing is told.
async fn wait(ctx: &Ctx, chosen: &mut Chosen, args: &Args, mut round: Round, is_quiet: bool) -> anyhow::Result<Round> {
    let deadline = Instant::now() + args.timeout;
    let mut pause = interval(AGAIN);
    pause.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut told, mut failed) = (Vec::new(), None);
    while !round.holds {
        for finding in round.findings.iter().filter(|_| !is_quiet) {
            if !told.contains(&(finding.cause.slug, finding.object.clone())) {
                told.push((finding.cause.slug, finding.object.clone()));
                ctx.printer.note(waiting::line(finding));
            }
        }
        if timeout_at(deadline, pause.tick()).await.is_err() {
            if let Some(error) = failed {
                return Err(error);
            }
            ctx.printer.error(&format!("some names were still wrong after {:?}", args.timeout));
            break;
        }
        match again(ctx, chosen, args).await {
            Ok(next) => (round, failed) = (next, None),
            Err(error) if matches!(Cause::of(&error), Some(Cause::Forbidden(_))) => return Err(error),
            Err(error) => failed = Some(error),
        }
    }
    Ok(round)
}

/// Asks once more: from a pod that runs now, or the one that was started for it.
async fn again(ctx: &Ctx, chosen: &mut Chosen, args: &Args) -> anyhow::Result<Round> {
    let snapshot = crate::observe::Snapshot::read(ctx.cluster().await?).await?;
    if chosen.helper.is_none() {
        *chosen = asker::choose(args, ctx, &snapshot).await?;
    }
    Box::pin(Round::ask(ctx, &chosen.from, args, snapshot)).await
}
