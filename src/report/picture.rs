//! A timeline as a picture: where each thing stands, in hundredths of a percent from the left and in pixels from the top.

use crate::persistence::timeline::{Kind, Timeline};
use crate::text::seconds;

/// The left and the right edge, with room for a mark.
const LEFT: u64 = 200;
const RIGHT: u64 = 9_800;
/// The axis, a row, and in it the words and the bar.
const AXIS: u32 = 34;
const ROW: u32 = 38;
/// The most ticks that a narrow page has room for.
const TICKS: u64 = 4;

/// All of it.
#[derive(Debug)]
pub struct Picture {
    /// How high it is.
    pub height: u32,
    /// Where the axis has a line.
    pub ticks: Vec<Tick>,
    /// A row for each event.
    pub steps: Vec<Step>,
    /// A row for each time without an answer.
    pub gaps: Vec<Step>,
}

/// A line of the axis.
#[derive(Debug)]
pub struct Tick {
    /// Where it is.
    pub x: String,
    /// Its time.
    pub label: String,
}

/// A row: from one time to another.
#[derive(Debug)]
pub struct Step {
    /// The top of the row.
    pub top: u32,
    /// Where it begins.
    pub from: String,
    /// Where it ends.
    pub to: String,
    /// From the one to the other.
    pub width: String,
    /// When, or how long.
    pub time: String,
    /// What.
    pub name: &'static str,
    /// More of it.
    pub says: String,
    /// Whether it puts the times in doubt.
    pub doubtful: bool,
}

/// A time without an answer, from when it was asked for: its name, more of it, and what ended it.
pub type Gap = (&'static str, &'static str, Kind);

impl Picture {
    /// Of what was seen, with those of the gaps whose end was. None if nothing was.
    #[must_use]
    pub fn of(timeline: &Timeline, gaps: &[Gap]) -> Option<Self> {
        let (first, last) = (timeline.events.first()?.at_ms, timeline.events.last()?.at_ms);
        let scale = Scale { first, range: last.saturating_sub(first).max(1) };
        let mut steps = Vec::new();
        let mut before = first;
        for event in &timeline.events {
            let doubtful = matches!(event.kind, Kind::Lost | Kind::ReplacedAgain);
            let (time, name) = (event.offset(timeline.origin()), event.kind.name());
            steps.push(scale.row(steps.len(), (before, event.at_ms), time, name, event.says.clone(), doubtful));
            before = event.at_ms;
        }
        let mut down = Vec::new();
        for (name, says, end) in gaps {
            if let Some((from, to, ms)) = between(timeline, *end) {
                let row = steps.len() + down.len();
                down.push(scale.row(row, (from, to), seconds(ms), name, (*says).to_owned(), false));
            }
        }
        let rows = u32::try_from(steps.len() + down.len()).unwrap_or(u32::MAX);
        Some(Self { height: AXIS.saturating_add(ROW.saturating_mul(rows)), ticks: scale.ticks(), steps, gaps: down })
    }
}

fn between(timeline: &Timeline, end: Kind) -> Option<(u64, u64, u64)> {
    let (from, to) = (timeline.event(Kind::Asked)?.at_ms, timeline.event(end)?.at_ms);
    Some((from, to, to.checked_sub(from)?))
}

/// Milliseconds to places.
struct Scale {
    first: u64,
    range: u64,
}

impl Scale {
    fn place(&self, at_ms: u64) -> u64 {
        LEFT + at_ms.saturating_sub(self.first).saturating_mul(RIGHT - LEFT) / self.range
    }

    fn row(
        &self,
        row: usize,
        (from, to): (u64, u64),
        time: String,
        name: &'static str,
        says: String,
        doubtful: bool,
    ) -> Step {
        let (from, to) = (self.place(from), self.place(to));
        let top = AXIS.saturating_add(ROW.saturating_mul(u32::try_from(row).unwrap_or(u32::MAX)));
        Step {
            top,
            from: percent(from),
            to: percent(to),
            width: percent(to.saturating_sub(from)),
            time,
            name,
            says,
            doubtful,
        }
    }

    /// At round times, from the first event on.
    fn ticks(&self) -> Vec<Tick> {
        let mut steps = (0..).flat_map(|power| [1, 2, 5].map(|digit| 10_u64.pow(power) * digit));
        let step = steps.find(|step| self.range / step <= TICKS).unwrap_or(self.range);
        let times = (0..=self.range / step).map(|number| number * step);
        times.map(|ms| Tick { x: percent(self.place(self.first + ms)), label: short(ms) }).collect()
    }
}

fn percent(hundredths: u64) -> String {
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

/// Seconds without zeros at the end.
fn short(ms: u64) -> String {
    let text = format!("{}.{:03}", ms / 1000, ms % 1000);
    format!("{} s", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persistence::tests::healthy;
    use crate::report::evidence::gaps;

    #[test]
    fn it_goes_from_left_to_right_and_from_top_to_bottom() {
        let evidence = healthy(1, 1);
        let picture = Picture::of(&evidence.turns[0].timeline, &gaps(&evidence)).unwrap();
        let names: Vec<&str> = picture.steps.iter().map(|step| step.name).collect();
        assert_eq!(names[..2], ["requested", "old server ended"]);
        assert_eq!(picture.gaps.len(), 2);
        let place = |text: &str| text.trim_end_matches('%').parse::<f64>().unwrap();
        for pair in picture.steps.windows(2) {
            assert_eq!(pair[0].to, pair[1].from);
            assert!(place(&pair[0].to) <= place(&pair[1].to) && pair[0].top < pair[1].top);
        }
        let last = picture.gaps.last().unwrap();
        assert_eq!((last.from.as_str(), last.to.as_str(), last.time.as_str()), ("2.00%", "98.00%", "0.039 s"));
        assert_eq!(picture.height, last.top + ROW);
    }

    #[test]
    fn the_axis_has_few_and_round_times() {
        let labels = |range| Scale { first: 7, range }.ticks().into_iter().map(|tick| tick.label).collect::<Vec<_>>();
        assert_eq!(labels(2_345), ["0 s", "0.5 s", "1 s", "1.5 s", "2 s"]);
        assert_eq!(labels(4_999), ["0 s", "1 s", "2 s", "3 s", "4 s"]);
        assert_eq!(labels(1), ["0 s", "0.001 s"]);
        assert!(labels(u64::MAX / 2).len() <= 5);
    }
}
