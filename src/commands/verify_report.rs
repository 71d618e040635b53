//! `verify-report`: judges recorded evidence again, with no cluster, and shows that it can say no.

use std::path::PathBuf;

use super::shared::proof::{self, file, set as of_set};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::kubernetes::on;
use crate::output::{Line, Role};
use crate::persistence::document::Document;
use crate::persistence::report::{Report, with_a_row_removed};
use crate::persistence::set::report::{Report as SetReport, with_something_changed};
use crate::persistence::set::verdict as set_verdict;
use crate::persistence::verdict::{Holds, judge};

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin persistence-demo --report proof.json
  kubectl kubecoin verify-report proof.json        # without a cluster";

/// What `verify-report` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Report written by persistence-demo --report
    #[arg(value_name = "FILE.json")]
    file: PathBuf,
}

/// Judges it.
///
/// # Errors
/// If there is no report.
pub fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    match file::read(&args.file)? {
        Document::Exchange(report) => exchange(ctx, &report),
        Document::Set(report) => set(ctx, &report),
    }
}

fn exchange(ctx: &Ctx, report: &Report) -> anyhow::Result<Outcome> {
    let about = &report.about;
    let title = format!("{}{}, {}", about.namespace, on(&about.context), about.at);
    ctx.printer.out(Line::default().and(Role::Title, title))?;
    let verdicts = report.verdicts();
    for (cycle, verdict) in report.cycles.iter().zip(&verdicts) {
        proof::verdict(ctx, cycle, verdict)?;
        if let Some((other, id)) = with_a_row_removed(cycle) {
            says_no(ctx, &format!("without row {id}"), judge(&other).holds)?;
        }
        ctx.printer.out(proof::conclusion(verdict))?;
    }
    let shown = proof::contrast(ctx, &report.contrast, report.cycles.last())?;
    Ok(Outcome::holds_if(shown && verdicts.iter().all(|verdict| verdict.holds == Holds::Yes)))
}

fn set(ctx: &Ctx, report: &SetReport) -> anyhow::Result<Outcome> {
    let evidence = &report.evidence;
    let about = &report.about;
    let title = format!("statefulset/{} in {}{}, {}", evidence.set.name, about.namespace, on(&about.context), about.at);
    ctx.printer.out(Line::default().and(Role::Title, title))?;
    let judged = report.judge();
    for (number, (turn, of_pod)) in evidence.turns.iter().zip(&judged.pods).enumerate() {
        of_set::heading(ctx, &of_pod.pod, number, evidence.planned.len())?;
        of_set::of_pod(ctx, turn, of_pod)?;
    }
    if let Some((other, what)) = with_something_changed(evidence) {
        says_no(ctx, &what, set_verdict::judge(&other).holds)?;
    }
    ctx.printer.out(of_set::conclusion(&judged))?;
    Ok(Outcome::holds_if(judged.holds == Holds::Yes))
}

/// Evidence that is bad must be found to be.
fn says_no(ctx: &Ctx, what: &str, holds: Holds) -> anyhow::Result<()> {
    if holds != Holds::No {
        let hint = "do not trust this version of the plugin";
        return Err(Error::new(format!("{what} the same evidence {holds}: the check is broken"), hint).into());
    }
    ctx.printer.out(format!("{what} the same evidence {holds}"))
}
