//! What a run has proved, for people: as it happens, and from its report.

pub mod file;

use crate::context::Ctx;
use crate::observe::Reading;
use crate::output::{Column, Line, Role, Table};
use crate::persistence::contrast::{self, Contrast};
use crate::persistence::evidence::{Evidence, Turn};
use crate::persistence::timeline::{Event, Kind};
use crate::persistence::verdict::{self, Check, Holds, PodVerdict, Verdict};
use crate::text::one_line;

/// What the lines of a timeline are.
pub fn timeline_heading(ctx: &Ctx) -> anyhow::Result<()> {
    let heading = Line::default().and(Role::Title, "timeline");
    ctx.printer.out(heading.and(Role::Plain, " (as seen here; in brackets the cluster's clock, in whole seconds)"))
}

/// An event, by how long after the replacement was asked for.
pub fn line(event: &Event, from: u64) -> Line {
    let at = event.offset(from);
    let clock = event.cluster.map(|time| format!(" [{}]", time.strftime("%H:%M:%S"))).unwrap_or_default();
    let says = one_line(&event.says);
    let role = match event.kind {
        Kind::Answered | Kind::AnsweredByName | Kind::Promoted | Kind::Ready => Role::Good,
        Kind::ReplacedAgain | Kind::Lost => Role::Doubtful,
        _ => Role::Plain,
    };
    let rest = format!(" {says}{clock}");
    Line::from(format!("{at:>10}  ")).and(role, format!("{:<16}", event.kind.name())).and(Role::Plain, rest.trim_end())
}

/// Which pod is next, if there is more than one turn.
pub fn heading(ctx: &Ctx, evidence: &Evidence, pod: &str, number: usize) -> anyhow::Result<()> {
    let all = evidence.planned.len();
    if all < 2 {
        return Ok(());
    }
    let title = Line::default().and(Role::Title, format!("pod/{pod}"));
    ctx.printer.out(title.and(Role::Plain, format!(" ({} of {all})", number + 1)))
}

/// What one pod comes to: each check with its evidence, and the downtime.
pub fn pod(ctx: &Ctx, evidence: &Evidence, turn: &Turn, verdict: &PodVerdict) -> anyhow::Result<()> {
    checks(ctx, &verdict.checks)?;
    let downtime = verdict::downtime(evidence, turn);
    ctx.printer.out(Line::default().and(Role::Title, "downtime: ").and(Role::Plain, downtime))
}

/// The column at which evidence begins.
const EVIDENCE: usize = 28;

/// Checks with their evidence.
pub fn checks(ctx: &Ctx, checks: &[Check]) -> anyhow::Result<()> {
    titled(ctx, "proof", checks)
}

/// The same below another title.
pub fn titled(ctx: &Ctx, title: &str, checks: &[Check]) -> anyhow::Result<()> {
    ctx.printer.out(Line::default().and(Role::Title, title))?;
    for check in checks {
        let word = match check.holds {
            Holds::Yes => "ok",
            Holds::No => "NO",
            Holds::Unknown => "?",
        };
        let name = format!("  {:<20}  ", check.name);
        let line = Line::from("  ").and(role(check.holds), format!("{word:<2}")).and(Role::Plain, name);
        ctx.printer.out_wrapped(line.and(Role::Plain, one_line(&check.evidence)), EVIDENCE)?;
    }
    Ok(())
}

/// How it is shown whether something is so.
pub fn role(holds: Holds) -> Role {
    match holds {
        Holds::Yes => Role::Good,
        Holds::No => Role::Bad,
        Holds::Unknown => Role::Doubtful,
    }
}

/// Both levels beside each other, and what that comes to. Gives whether it is as it should be, or was not asked for.
pub fn contrast(ctx: &Ctx, contrast: &Reading<Contrast>, evidence: &Evidence) -> anyhow::Result<bool> {
    let Some(check) = contrast::judge(contrast) else { return Ok(true) };
    if let Reading::Present(contrast) = contrast {
        let mut table = Table::new(&["CONTRAST", "LEVEL-1", "LEVEL-2"].map(Column::always), false);
        for line in contrast::table(&[contrast], evidence) {
            table.row(line);
        }
        ctx.printer.out(table.text().trim_end())?;
    }
    let title = Line::default().and(Role::Title, "contrast: ").and(role(check.holds), check.holds.to_string());
    ctx.printer.out_wrapped(title.and(Role::Plain, format!(" — {}", one_line(&check.evidence))), 2)?;
    Ok(check.holds == Holds::Yes)
}

/// The verdict on one line, with what it rests on.
pub fn conclusion(verdict: &Verdict) -> Line {
    let title = Line::default().and(Role::Title, "verdict: ").and(role(verdict.holds), verdict.words());
    title.and(Role::Plain, format!(" — {}", one_line(&verdict.conclusion())))
}
