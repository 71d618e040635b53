//! Reports as files: the same words as HTML, Markdown and JUnit XML, and the evidence itself as JSON. Pure.

mod content;
mod escape;
mod evidence;
mod junit;
mod picture;
#[cfg(test)]
mod tests;

use std::path::Path;

use askama::Template;

use crate::persistence::report::Report;
use crate::persistence::verdict::Holds;
use content::{Block, Content};
use escape::code;

/// The form of a report's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One page that needs no network, for a browser and for paper.
    Html,
    /// Text for Git and for wikis.
    Markdown,
    /// The evidence, for verify-report and replay.
    Json,
    /// JUnit XML, for CI.
    Junit,
}

impl Form {
    /// Every form, with the ending that chooses it.
    pub const ENDINGS: [(&'static str, Self); 4] =
        [("html", Self::Html), ("md", Self::Markdown), ("json", Self::Json), ("xml", Self::Junit)];

    /// The one that a file's name ends with.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?;
        Self::ENDINGS.into_iter().find_map(|(ending, form)| (extension == ending).then_some(form))
    }

    /// A report in this form.
    ///
    /// # Errors
    /// If it has none, which is a mistake of this program.
    pub fn text(self, report: &Report) -> anyhow::Result<String> {
        match self {
            Self::Html => Ok(Page { content: evidence::content(report) }.render()?),
            Self::Markdown => Ok(Text { content: evidence::content(report) }.render()?),
            Self::Json => report.text(),
            Self::Junit => junit::text(report),
        }
    }
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    content: Content,
}

#[derive(Template)]
#[template(path = "report.md")]
struct Text {
    content: Content,
}

impl Holds {
    /// A sign beside its words.
    fn sign(self) -> &'static str {
        match self {
            Self::Yes => "✓",
            Self::No => "✗",
            Self::Unknown => "?",
        }
    }

    /// Its class in a page.
    fn class(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}
