//! `replay`: plays a recorded timeline at its true speed, with no cluster.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::shared::proof::{self, file};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::kubernetes::ByHand;
use crate::persistence::evidence::Evidence;
use crate::report::Read;

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin replay proof.json      # at its real speed";

/// What `replay` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Report written by persistence-demo --report
    #[arg(value_name = "FILE.json")]
    file: PathBuf,
}

/// Plays it.
///
/// # Errors
/// If there is no report.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let evidence = evidence(&args.file)?;
    for (number, turn) in evidence.turns.iter().enumerate() {
        let timeline = &turn.timeline;
        let from = timeline.events.first().map_or(0, |event| event.at_ms);
        let start = Instant::now();
        proof::heading(ctx, &evidence, &timeline.old.name, number)?;
        proof::timeline_heading(ctx)?;
        for event in &timeline.events {
            sleep_until(start + Duration::from_millis(event.at_ms.saturating_sub(from))).await;
            ctx.printer.out(proof::line(event, from))?;
        }
    }
    Ok(Outcome::Holds)
}

/// What a report has recorded of a pod.
fn evidence(path: &Path) -> Result<Evidence, Error> {
    match file::read(path)? {
        Read::Persistence(report) => Ok(report.evidence),
        Read::Lesson(report) => report.evidence.of_a_pod().cloned().ok_or_else(|| {
            let hint = ByHand::default().own(["verify-report", &path.to_string_lossy()]).to("check it again");
            Error::new(format!("{} has no timeline: no pod was deleted", path.display()), hint)
        }),
    }
}
