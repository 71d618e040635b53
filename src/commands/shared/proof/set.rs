//! What a run over a set comes to, for people.

use super::{checks, role};
use crate::context::Ctx;
use crate::kubernetes::Place;
use crate::kubernetes::act::command;
use crate::output::{Line, Role};
use crate::persistence::set::evidence::{Evidence, Turn};
use crate::persistence::set::verdict::{Judged, OfPod, downtime, downtimes};
use crate::persistence::verdict::NOT_SHOWN;
use crate::text::one_line;

/// Which pod is next.
pub fn heading(ctx: &Ctx, pod: &str, number: usize, of: usize) -> anyhow::Result<()> {
    let title = Line::default().and(Role::Title, format!("pod/{pod}"));
    ctx.printer.out(title.and(Role::Plain, format!(" ({} of {of})", number + 1)))
}

/// What one pod comes to.
pub fn of_pod(ctx: &Ctx, turn: &Turn, judged: &OfPod) -> anyhow::Result<()> {
    checks(ctx, &judged.checks)?;
    ctx.printer.out(Line::default().and(Role::Title, "downtime: ").and(Role::Plain, downtime(turn)))
}

/// The verdict over all, what was not shown, and how to see for oneself.
pub fn end(ctx: &Ctx, evidence: &Evidence, judged: &Judged, place: &Place) -> anyhow::Result<()> {
    if let Some(text) = downtimes(&evidence.turns) {
        ctx.printer.out(text)?;
    }
    ctx.printer.out(conclusion(judged))?;
    ctx.printer.out(format!("not shown: {}", NOT_SHOWN.join(", ")))?;
    let see = command(place, &["get", "pods,pvc", "-o", "wide"]);
    ctx.printer.out(Line::from("see for yourself: ").and(Role::Command, see))
}

/// The verdict on one line, with what it rests on.
pub fn conclusion(judged: &Judged) -> Line {
    let title = Line::default().and(Role::Title, "verdict: ").and(role(judged.holds), judged.words());
    title.and(Role::Plain, format!(" — {}", one_line(&judged.conclusion())))
}
