//! `persistence-demo` for people: the timeline as it happens.

use std::io::{IsTerminal, stdout};

use crate::commands::shared::proof::{line, timeline_heading};
use crate::context::Ctx;
use crate::output::{Line, Role};
use crate::persistence::timeline::Timeline;

/// Whether a person reads along.
pub fn on_terminal() -> bool {
    stdout().is_terminal()
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

/// How to see what was proved.
pub fn see_for_yourself(ctx: &Ctx, command: String) -> anyhow::Result<()> {
    ctx.printer.out(Line::from("see for yourself: ").and(Role::Command, command))
}
