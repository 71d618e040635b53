//! `persistence-demo` for people: the timeline as it happens, and then what it proves.

use std::io::{IsTerminal, stdout};

use super::Args;
use super::rows::Marked;
use crate::commands::shared::proof::{conclusion, line, timeline_heading};
use crate::context::Ctx;
use crate::output::{Line, Role};
use crate::persistence::evidence::Cycle;
use crate::persistence::rows::Run;
use crate::persistence::timeline::Timeline;
use crate::persistence::verdict::{self, Verdict};

/// Whether a person reads along.
pub fn on_terminal() -> bool {
    stdout().is_terminal()
}

/// What is about to be done.
pub fn heading(ctx: &Ctx, args: &Args, marked: &Marked, number: u32) -> anyhow::Result<()> {
    if number == 1 {
        let (run, mark) = (marked.run.as_str(), &marked.mark);
        ctx.printer.note(format!("run {run}: {} marked rows written, {mark}…", args.rows));
    }
    if args.times > 1 {
        ctx.printer.out(Line::default().and(Role::Title, format!("{number} of {}", args.times)))?;
    }
    Ok(())
}

/// The timeline as it grows.
pub struct Live<'a> {
    ctx: &'a Ctx,
    shown: usize,
}

impl<'a> Live<'a> {
    /// With its heading.
    pub fn begin(ctx: &'a Ctx) -> anyhow::Result<Self> {
        timeline_heading(ctx)?;
        Ok(Self { ctx, shown: 0 })
    }

    /// Shows what is new. What was requested is shown once it is answered.
    pub fn show(&mut self, timeline: &Timeline, acknowledged: bool) -> anyhow::Result<()> {
        if !acknowledged {
            return Ok(());
        }
        let from = timeline.origin();
        for event in &timeline.events[self.shown..] {
            self.ctx.printer.out(line(event, from))?;
        }
        self.shown = timeline.events.len();
        Ok(())
    }
}

/// The verdict over all.
pub fn conclude(ctx: &Ctx, cycles: &[Cycle], worst: Option<&Verdict>) -> anyhow::Result<()> {
    for line in verdict::downtimes(cycles) {
        ctx.printer.out(line)?;
    }
    if let Some(worst) = worst {
        ctx.printer.out_wrapped(conclusion(worst), 2)?;
    }
    Ok(())
}

/// What was not shown, and how to see for oneself.
pub fn end(ctx: &Ctx, args: &Args, run: &Run) -> anyhow::Result<()> {
    ctx.printer.out(format!("not shown: {}", verdict::NOT_SHOWN.join(", ")))?;
    if args.keep {
        let clean = ctx.own_command(["persistence-demo", "--clean", run.as_str()]);
        ctx.printer.out(clean.to("the marked rows are kept; delete them"))?;
    }
    let see = ctx.own_command("psql -c 'SELECT * FROM wallets'");
    ctx.printer.out(Line::from("see for yourself: ").and(Role::Command, see.line()))
}
