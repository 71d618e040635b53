//! `verify-report`: judges recorded evidence again, with no cluster, and shows that it can say no.

use std::path::PathBuf;

use super::shared::answer;
use super::shared::proof::{self, file};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::kubernetes::on;
use crate::lesson;
use crate::output::{Line, Role};
use crate::persistence::report::{Report, with_something_changed};
use crate::persistence::verdict::{Holds, judge};
use crate::report::Read;

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin persistence-demo --report proof.json
  kubectl kubecoin verify-report proof.json        # without a cluster";

/// What `verify-report` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Report written by persistence-demo --report or lesson --report
    #[arg(value_name = "FILE.json")]
    file: PathBuf,
}

/// Judges it.
///
/// # Errors
/// If there is no report.
pub fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    match file::read(&args.file)? {
        Read::Persistence(report) => of_persistence(ctx, &report),
        Read::Lesson(report) => of_lesson(ctx, &report),
    }
}

fn of_persistence(ctx: &Ctx, report: &Report) -> anyhow::Result<Outcome> {
    let (about, evidence, verdict) = (&report.about, &report.evidence, report.judge());
    let title = format!("statefulset/{} in {}{}, {}", evidence.set.name, about.namespace, on(&about.context), about.at);
    ctx.printer.out(Line::default().and(Role::Title, title))?;
    for (number, (turn, pod)) in evidence.turns.iter().zip(&verdict.pods).enumerate() {
        proof::heading(ctx, evidence, &pod.pod, number)?;
        proof::pod(ctx, evidence, turn, pod)?;
    }
    if let Some((other, what)) = with_something_changed(evidence) {
        says_no(ctx, &what, judge(&other).holds)?;
    }
    ctx.printer.out_wrapped(proof::conclusion(&verdict), 2)?;
    let is_shown = proof::contrast(ctx, &report.contrast, evidence)?;
    Ok(Outcome::holds_if(is_shown && verdict.holds == Holds::Yes))
}

fn of_lesson(ctx: &Ctx, report: &lesson::report::Report) -> anyhow::Result<Outcome> {
    let (about, evidence) = (&report.about, &report.evidence);
    let title =
        format!("lesson {} in {}{}, {}", evidence.question().number, about.namespace, on(&about.context), about.at);
    ctx.printer.out(Line::default().and(Role::Title, title))?;
    ctx.printer.out_wrapped(evidence.question().to_string().into(), 2)?;
    proof::checks(ctx, &evidence.checks())?;
    if let Some((other, what)) = evidence.with_something_changed() {
        says_no(ctx, &what, other.holds())?;
    }
    answer::digest(ctx, evidence)?;
    answer::conclusion(ctx, evidence)?;
    Ok(Outcome::holds_if(evidence.holds() == Holds::Yes))
}

/// Evidence that is bad must be found to be.
fn says_no(ctx: &Ctx, what: &str, holds: Holds) -> anyhow::Result<()> {
    if holds != Holds::No {
        let hint = "do not trust this version of the plugin";
        return Err(Error::new(format!("{what} the same evidence {holds}: the check is broken"), hint).into());
    }
    ctx.printer.out(format!("{what} the same evidence {holds}"))
}
