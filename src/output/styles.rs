//! What a piece of text means, and how that looks. Words carry the meaning; colour only decorates.

use std::env;
use std::io::{IsTerminal, stderr, stdout};

use clap::ValueEnum;
use owo_colors::{OwoColorize, Style};

use crate::text::clean;

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set or TERM is "dumb"
    #[default]
    Auto,
    /// In files and pipes too
    Always,
    /// Not at all
    Never,
}

/// Whether the terminal knows no escape sequences.
pub(super) fn is_dumb() -> bool {
    env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb")
}

impl Color {
    /// Whether stdout and stderr get colour.
    pub(super) fn decide(self) -> (bool, bool) {
        let wanted = || env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && !is_dumb();
        match self {
            Self::Always => (true, true),
            Self::Never => (false, false),
            Self::Auto => (stdout().is_terminal() && wanted(), stderr().is_terminal() && wanted()),
        }
    }
}

/// What a piece of text means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Nothing in particular.
    #[default]
    Plain,
    /// A heading.
    Title,
    /// As it should be.
    Good,
    /// Not yet, or not known.
    Doubtful,
    /// Wrong.
    Bad,
    /// A command to type, or one that was run.
    Command,
}

impl Role {
    /// The text as it is written: clean, and coloured if so.
    pub(super) fn paint(self, text: &str, color: bool) -> String {
        let text = clean(text);
        let style = match self {
            Self::Plain => return text.into_owned(),
            Self::Title => Style::new().bold(),
            Self::Good => Style::new().green(),
            Self::Doubtful => Style::new().yellow(),
            Self::Bad => Style::new().red(),
            Self::Command => Style::new().cyan(),
        };
        if color && !text.is_empty() { text.style(style).to_string() } else { text.into_owned() }
    }
}

/// A line in pieces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(Vec<(Role, String)>);

impl Line {
    /// This line, and then this piece.
    #[must_use]
    pub fn and(mut self, role: Role, text: impl Into<String>) -> Self {
        self.0.push((role, text.into()));
        self
    }

    /// With its last piece broken between words, so that nothing is wider than that: what goes on begins at this column.
    pub(super) fn wrapped(mut self, column: usize, width: usize) -> Self {
        let mut at: usize = self.0.iter().rev().skip(1).map(|(_, text)| text.chars().count()).sum();
        let Some((_, text)) = self.0.last_mut() else { return self };
        let mut wrapped = String::new();
        for word in text.split_inclusive(' ') {
            let length = word.trim_end().chars().count();
            if length > 0 && at > column && at + length > width {
                wrapped.truncate(wrapped.trim_end().len());
                wrapped += "\n";
                wrapped += &" ".repeat(column);
                at = column;
            }
            wrapped += word;
            at += word.chars().count();
        }
        *text = wrapped;
        self
    }

    /// Its text.
    #[cfg(test)]
    pub fn plain(&self) -> String {
        self.paint(false)
    }

    pub(super) fn paint(&self, color: bool) -> String {
        self.0.iter().map(|(role, text)| role.paint(text, color)).collect()
    }
}

impl From<String> for Line {
    fn from(text: String) -> Self {
        Self::default().and(Role::Plain, text)
    }
}

impl From<crate::text::Hint> for Line {
    fn from(hint: crate::text::Hint) -> Self {
        hint.to_string().into()
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_wide_goes_on_below() {
        let line = || Line::from("  ok  ").and(Role::Plain, "one two three four");
        assert_eq!(line().wrapped(6, 80).paint(false), "  ok  one two three four");
        assert_eq!(line().wrapped(6, 14).paint(false), "  ok  one two\n      three\n      four");
        assert_eq!(
            line().wrapped(6, 3).paint(false),
            "  ok  one\n      two\n      three\n      four",
            "no word is broken"
        );
        assert_eq!(Line::default().wrapped(6, 80), Line::default());
    }
}
