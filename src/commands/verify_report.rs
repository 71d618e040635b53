//! `verify-report`: judges recorded evidence again, with no cluster, and shows that it can say no.

use std::path::PathBuf;

use super::persistence_demo::{report, view};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::output::{Line, Role};
use crate::persistence::report::with_a_row_removed;
use crate::persistence::verdict::{Holds, judge};

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin persistence-demo --report proof.json
  kubectl kubecoin verify-report proof.json        # needs no cluster";

/// What `verify-report` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The report, as persistence-demo --report wrote it
    #[arg(value_name = "FILE.json")]
    file: PathBuf,
}

/// Judges it.
///
/// # Errors
/// If there is no report.
pub fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let report = report::read(&args.file)?;
    let title = format!("{} on {}, {}", report.namespace, report.context, report.at);
    ctx.printer.out(Line::default().and(Role::Title, title))?;
    let verdicts = report.verdicts();
    for (cycle, verdict) in report.cycles.iter().zip(&verdicts) {
        view::verdict(ctx, cycle, verdict)?;
        if let Some((other, id)) = with_a_row_removed(cycle) {
            let holds = judge(&other).holds;
            if holds != Holds::No {
                let hint = "do not trust this version of the plugin";
                return Err(
                    Error::new(format!("without row {id} the same evidence {holds}: it is not judged"), hint).into()
                );
            }
            ctx.printer.out(format!("without row {id} the same evidence {holds}"))?;
        }
        ctx.printer.out(view::conclusion(verdict))?;
    }
    let shown = view::contrast(ctx, &report.contrast, report.cycles.last())?;
    Ok(Outcome::holds_if(shown && verdicts.iter().all(|verdict| verdict.holds == Holds::Yes)))
}
