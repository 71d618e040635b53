//! What every run does: the pods of a set one after another, each from before it is stopped to after, and then the verdict.

use std::path::PathBuf;

use jiff::Timestamp;
use tokio::time::Instant;

use super::subject::{After, Set, Stop, Subject};
use super::watched::replaced;
use super::{follow, report};
use crate::commands::shared::proof::{self, file};
use crate::context::Ctx;
use crate::error::Outcome;
use crate::observe::Reading;
use crate::output::Closed;
use crate::persistence::evidence::{Evidence, Turn};
use crate::persistence::identity::PodSeen;
use crate::persistence::report::Report;
use crate::persistence::timeline::{Kind, Timeline};
use crate::persistence::verdict::{self, Holds};

/// Stops every pod, and says what that proves. What does not hold for one is not done to the next.
pub async fn run<S: Set>(ctx: &Ctx, set: &mut S, stop: Stop, reports: &[PathBuf]) -> anyhow::Result<Proved> {
    ctx.keep_commands();
    set.prepare(ctx).await?;
    let mut evidence = set.evidence();
    let mut by_hand = Vec::new();
    for number in 0..evidence.planned.len() {
        let next = async {
            if number > 0 {
                evidence.planned[number] = set.again(ctx, &evidence.planned[number]).await?;
            }
            let pod = &evidence.planned[number];
            proof::heading(ctx, &evidence, pod, number)?;
            turn(ctx, set, stop, pod).await
        };
        let turn = match Box::pin(next).await {
            Ok(turn) => turn,
            // What was shown so far stays shown.
            Err(error) if number > 0 && !error.is::<Closed>() => {
                ctx.printer.error(&format!("{error:#}"));
                break;
            }
            Err(error) => return Err(error),
        };
        by_hand.extend(ctx.kept_commands());
        let judged = verdict::of_pod(&evidence, &turn);
        proof::pod(ctx, &evidence, &turn, &judged)?;
        evidence.turns.push(turn);
        if judged.holds != Holds::Yes {
            break;
        }
    }
    by_hand.extend(set.by_hand(ctx).await?);
    conclude(ctx, set, evidence, by_hand, reports).await
}

/// The verdict over all, the contrast, and the reports.
async fn conclude<S: Set>(
    ctx: &Ctx,
    set: &S,
    evidence: Evidence,
    by_hand: Vec<String>,
    reports: &[PathBuf],
) -> anyhow::Result<Proved> {
    let verdict = verdict::judge(&evidence);
    set.leave(ctx, &verdict).await;
    for line in verdict::downtimes(&evidence) {
        ctx.printer.out(line)?;
    }
    ctx.printer.out_wrapped(proof::conclusion(&verdict), 2)?;
    let mut report = report::new(ctx, reports, &set.selector(), by_hand, evidence).await?;
    report.contrast = set.contrast_begun();
    if report.contrast != Reading::NotAsked {
        // Whoever stops Level 1 keeps what was proved. What cannot be written is told at the end.
        drop(file::save(reports, &report));
        report.contrast = set.contrast(ctx, &report.evidence).await;
    }
    let is_shown = proof::contrast(ctx, &report.contrast, &report.evidence)?;
    set.end(ctx, &verdict, &report.contrast).await?;
    report.about.at = Timestamp::now();
    file::tell(ctx, &file::save(reports, &report));
    Ok(Proved { report, outcome: Outcome::holds_if(verdict.holds == Holds::Yes && is_shown) })
}

/// What a run has come to.
pub struct Proved {
    pub report: Report,
    pub outcome: Outcome,
}

/// One pod: everything before, its stop, everything after.
pub async fn turn<S: Subject>(ctx: &Ctx, subject: &mut S, stop: Stop, pod: &str) -> anyhow::Result<Turn> {
    let (watched, seen) = subject.watch(ctx, pod).await?;
    let before = subject.before(ctx, &seen).await?;
    if before.pod.uid != seen.uid {
        return Err(replaced(ctx, pod));
    }
    let asked_at = Timestamp::now();
    let deadline = Instant::now() + stop.timeout;
    let (timeline, name) = follow::through(ctx, subject, watched, (stop.how, &before), deadline).await?;
    let name_error = subject.name_error();
    let back = back::<S>(&timeline).cloned();
    let After { moment, log, load, takeover } = subject.after(ctx, &before, back.as_ref()).await?;
    Ok(Turn {
        asked_at,
        container: subject.container(pod),
        before,
        after: moment,
        timeline,
        name,
        name_error,
        log,
        load,
        takeover,
    })
}

/// The pod that came back, if one did.
fn back<S: Subject>(timeline: &Timeline) -> Option<&PodSeen> {
    let is_back = |pod: &&PodSeen| {
        let answered = timeline.event(Kind::Answered).is_some();
        if S::ANSWERS { answered } else { pod.ready && pod.uid != timeline.old.uid }
    };
    timeline.last.as_ref().filter(is_back)
}
