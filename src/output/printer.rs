//! stdout carries the answer; stderr progress, warnings and hints.

use std::io::{self, ErrorKind, IsTerminal, Write};

use super::styles::{Color, Line, Role, is_dumb};
use crate::text::Hint;

/// Whoever read stdout has gone, as in `… | head -1`: nothing is wrong, and nothing is left to say.
#[derive(Debug, thiserror::Error)]
#[error("stdout is closed")]
pub struct Closed;

/// How writing to stdout ended.
///
/// # Errors
/// `Closed` if nobody reads stdout any more.
pub fn written(result: io::Result<()>) -> anyhow::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Closed.into()),
        other => Ok(other?),
    }
}

/// Writes to stdout and stderr.
#[derive(Clone, Copy, Debug)]
pub struct Printer {
    color_out: bool,
    color_err: bool,
}

impl Printer {
    /// Decides on colour, once for the whole run.
    #[must_use]
    pub fn new(color: Color) -> Self {
        let (color_out, color_err) = color.decide();
        Self { color_out, color_err }
    }

    /// A line of the answer.
    ///
    /// # Errors
    /// `Closed` if nobody reads stdout any more.
    pub fn out(self, line: impl Into<Line>) -> anyhow::Result<()> {
        Self::answer(&(line.into().paint(self.color_out) + "\n"))
    }

    /// A line of the answer. Where that does not fit a terminal, it goes on below at this column.
    ///
    /// # Errors
    /// `Closed` if nobody reads stdout any more.
    pub fn out_wrapped(self, line: Line, column: usize) -> anyhow::Result<()> {
        let terminal = terminal_size::terminal_size_of(io::stdout());
        self.out(match terminal {
            Some((width, _)) => line.wrapped(column, width.0.into()),
            None => line,
        })
    }

    /// The whole answer, which ends with a newline of its own.
    ///
    /// # Errors
    /// `Closed` if nobody reads stdout any more.
    pub fn out_text(self, text: &str) -> anyhow::Result<()> {
        Self::answer(&Role::Plain.paint(text, self.color_out))
    }

    fn answer(text: &str) -> anyhow::Result<()> {
        let mut stdout = io::stdout().lock();
        written(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
    }

    /// Whether stdout is a terminal on which lines can be replaced.
    #[must_use]
    pub fn can_redraw() -> bool {
        io::stdout().is_terminal() && !is_dumb()
    }

    /// Lines in place of all that the terminal shows, without a flicker. What does not fit is left out, and that is said.
    ///
    /// # Errors
    /// `Closed` if nobody reads stdout any more.
    pub fn redraw(self, lines: &[Line]) -> anyhow::Result<()> {
        const HOME: &str = "\u{1b}[H";
        const CLEAR_LINE: &str = "\u{1b}[K\n";
        const CLEAR_BELOW: &str = "\u{1b}[J";
        // A line that wraps would take the place of another.
        const CUT_LINES: &str = "\u{1b}[?7l";
        const WRAP_LINES: &str = "\u{1b}[?7h";
        let rows = terminal_size::terminal_size().map_or(usize::MAX, |(_, rows)| usize::from(rows.0));
        // The cursor has the last row.
        let shown = if lines.len() < rows { lines.len() } else { rows.saturating_sub(2) };
        let more = lines.len() - shown;
        let rest = (more > 0).then(|| Line::from(format!("… {more} more lines")));
        let painted = lines[..shown].iter().chain(&rest).map(|line| line.paint(self.color_out) + CLEAR_LINE);
        Self::answer(&[CUT_LINES, HOME, &painted.collect::<String>(), CLEAR_BELOW, WRAP_LINES].concat())
    }

    /// Progress, or an explanation.
    pub fn note(self, line: impl Into<Line>) {
        let text = line.into().paint(self.color_err) + "\n";
        // With stderr closed there is nobody to tell.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Something that is not as it should be, though the command goes on.
    pub fn warning(self, text: &str) {
        self.note(Line::default().and(Role::Doubtful, "warning: ").and(Role::Plain, text));
    }

    /// What went wrong.
    pub fn error(self, text: &str) {
        self.note(Line::default().and(Role::Bad, "error: ").and(Role::Plain, text));
    }

    /// What helps.
    pub fn hint(self, hint: impl Into<Hint>) {
        let hint: Hint = hint.into();
        self.note(Line::default().and(Role::Command, "hint: ").and(Role::Plain, hint.to_string()));
    }

    /// A command that does the same as what comes next.
    pub fn command(self, text: &str) {
        self.note(Line::default().and(Role::Command, format!("$ {text}")));
    }
}
