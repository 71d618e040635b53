//! `persistence-demo` for people: the timeline as it happens, and then what it proves.

use std::io::{IsTerminal, stdout};

use super::Args;
use crate::context::Ctx;
use crate::output::{Line, Role, one_line};
use crate::persistence::evidence::Cycle;
use crate::persistence::rows::Run;
use crate::persistence::timeline::{Event, Kind, Timeline};
use crate::persistence::verdict::{self, Holds, Verdict, seconds};

/// Whether a person reads along.
pub fn on_terminal() -> bool {
    stdout().is_terminal()
}

/// What is about to be done.
pub fn heading(ctx: &Ctx, args: &Args, run: &Run, mark: &str, number: u32) -> anyhow::Result<()> {
    if number == 1 {
        ctx.printer.note(format!("run {}: {} marked rows written, {mark}…", run.as_str(), args.rows));
    }
    if args.times > 1 {
        ctx.printer.out(Line::default().and(Role::Title, format!("{number} of {}", args.times)))?;
    }
    Ok(())
}

/// What the lines of a timeline are.
pub fn timeline_heading(ctx: &Ctx) -> anyhow::Result<()> {
    let heading = Line::default().and(Role::Title, "timeline");
    ctx.printer.out(heading.and(Role::Plain, " (as seen here; in brackets the cluster's clock, in whole seconds)"))
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

    /// Shows what is new. What was asked is shown once it is answered.
    pub fn show(&mut self, timeline: &Timeline, acknowledged: bool) -> anyhow::Result<()> {
        if !acknowledged {
            return Ok(());
        }
        let from = timeline.event(Kind::Asked).map_or(0, |asked| asked.at_ms);
        for event in &timeline.events[self.shown..] {
            self.ctx.printer.out(line(event, from))?;
        }
        self.shown = timeline.events.len();
        Ok(())
    }
}

/// An event, by how long after the replacement was asked for.
pub fn line(event: &Event, from: u64) -> Line {
    let at = match event.at_ms.checked_sub(from) {
        Some(after) => format!("+{}", seconds(after)),
        None => format!("-{}", seconds(from - event.at_ms)),
    };
    let clock = event.cluster.map(|time| format!(" [{}]", time.strftime("%H:%M:%S"))).unwrap_or_default();
    let says = one_line(&event.says);
    let role = match event.kind {
        Kind::Answered | Kind::AnsweredByName | Kind::Ready => Role::Good,
        Kind::ReplacedAgain | Kind::Lost => Role::Doubtful,
        _ => Role::Plain,
    };
    let rest = format!(" {says}{clock}");
    Line::from(format!("{at:>10}  ")).and(role, format!("{:<16}", event.kind.name())).and(Role::Plain, rest.trim_end())
}

/// The column at which evidence begins.
const EVIDENCE: usize = 28;

/// Each check with its evidence.
pub fn verdict(ctx: &Ctx, cycle: &Cycle, verdict: &Verdict) -> anyhow::Result<()> {
    ctx.printer.out(Line::default().and(Role::Title, "proof"))?;
    for check in &verdict.checks {
        let (role, word) = match check.holds {
            Holds::Yes => (Role::Good, "ok"),
            Holds::No => (Role::Bad, "NO"),
            Holds::Unknown => (Role::Doubtful, "?"),
        };
        let name = format!("  {:<20}  ", check.name);
        let line = Line::from("  ").and(role, format!("{word:<2}")).and(Role::Plain, name);
        ctx.printer.out_wrapped(line.and(Role::Plain, one_line(&check.evidence)), EVIDENCE)?;
    }
    let downtime = format!("{}, since the {}", verdict::downtime(cycle), cycle.how.noun());
    ctx.printer.out(Line::default().and(Role::Title, "downtime: ").and(Role::Plain, downtime))
}

/// The verdict over all, what was not shown, and how to see for oneself.
pub fn end(ctx: &Ctx, args: &Args, run: &Run, cycles: &[Cycle], worst: Option<&Verdict>) -> anyhow::Result<()> {
    if cycles.len() > 1 {
        let figures = [
            ("in the pod", Cycle::downtime_ms as fn(&Cycle) -> Option<u64>),
            ("by the name", Cycle::downtime_by_name_ms),
        ];
        for (what, of) in figures {
            if let Some(text) = spread(cycles.iter().filter_map(of).collect()) {
                ctx.printer.out(format!("downtime {what}, {} times: {text}", cycles.len()))?;
            }
        }
    }
    if let Some(worst) = worst {
        ctx.printer.out_wrapped(conclusion(worst), 2)?;
    }
    ctx.printer.out("not shown: loss of the node, loss of the disk, deletion of the cluster")?;
    if args.keep {
        let words = format!("persistence-demo --clean {}", run.as_str());
        ctx.printer.out(format!("the marked rows stay; remove them: {}", ctx.own_command(&words)))?;
    }
    let see = ctx.own_command("psql -c 'SELECT * FROM wallets'");
    ctx.printer.out(Line::from("see for yourself: ").and(Role::Command, see))
}

/// The verdict on one line, with what it rests on.
pub fn conclusion(verdict: &Verdict) -> Line {
    let role = match verdict.holds {
        Holds::Yes => Role::Good,
        Holds::No => Role::Bad,
        Holds::Unknown => Role::Doubtful,
    };
    let title = Line::default().and(Role::Title, "verdict: ").and(role, verdict.holds.to_string());
    let yours = verdict.checks.iter().find(|check| check.name == "your rows");
    let says = match verdict.holds {
        Holds::Yes => yours.map(|check| check.evidence.clone()).unwrap_or_default(),
        _ => verdict
            .against()
            .iter()
            .map(|check| format!("{}: {}", check.name, check.evidence))
            .collect::<Vec<_>>()
            .join("; "),
    };
    title.and(Role::Plain, format!(" — {}", one_line(&says)))
}

/// The least, the middle and the most of some times.
fn spread(mut all: Vec<u64>) -> Option<String> {
    all.sort_unstable();
    let middle = match all.len() {
        0 => return None,
        count if count % 2 == 1 => all[count / 2],
        count => u64::midpoint(all[count / 2 - 1], all[count / 2]),
    };
    Some(format!("min {}, median {}, max {}", seconds(*all.first()?), seconds(middle), seconds(*all.last()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_times() {
        assert_eq!(spread(vec![]), None);
        assert_eq!(spread(vec![3000, 1000, 2500]).unwrap(), "min 1.000 s, median 2.500 s, max 3.000 s");
        assert_eq!(spread(vec![1000, 2000]).unwrap(), "min 1.000 s, median 1.500 s, max 2.000 s");
    }
}
