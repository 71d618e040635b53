//! Reports as files: the same words as HTML, Markdown and JUnit XML, and the evidence itself as JSON. Pure.

mod content;
mod escape;
mod evidence;
mod junit;
mod lesson;
mod picture;
#[cfg(test)]
mod tests;

use std::path::Path;

use askama::Template;

use crate::lesson::report::Report as LessonReport;
use crate::persistence::report::Report;
use crate::persistence::verdict::Holds;
use crate::text::json;
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
    pub fn text(self, report: &impl Reported) -> anyhow::Result<String> {
        match self {
            Self::Html => Ok(Page { content: report.content() }.render()?),
            Self::Markdown => Ok(Text { content: report.content() }.render()?),
            Self::Json => report.json(),
            Self::Junit => report.junit(),
        }
    }
}

/// What has a report.
pub trait Reported {
    /// What people read.
    fn content(&self) -> Content;

    /// The evidence itself.
    ///
    /// # Errors
    /// If it has no form in JSON, which is a mistake of this program.
    fn json(&self) -> anyhow::Result<String>;

    /// JUnit XML.
    ///
    /// # Errors
    /// If it has no form in XML, which is a mistake of this program.
    fn junit(&self) -> anyhow::Result<String>;
}

impl Reported for Report {
    fn content(&self) -> Content {
        evidence::content(self)
    }

    fn json(&self) -> anyhow::Result<String> {
        self.text()
    }

    fn junit(&self) -> anyhow::Result<String> {
        junit::text(self)
    }
}

impl Reported for LessonReport {
    fn content(&self) -> Content {
        lesson::content(self)
    }

    fn json(&self) -> anyhow::Result<String> {
        self.text()
    }

    fn junit(&self) -> anyhow::Result<String> {
        junit::of_lesson(self)
    }
}

/// A report that was read again.
#[derive(Debug)]
pub enum Read {
    /// Of `persistence-demo`.
    Persistence(Box<Report>),
    /// Of a question of the lesson.
    Lesson(Box<LessonReport>),
}

impl Read {
    /// Reads a document.
    ///
    /// # Errors
    /// If it is none of these, or of another version.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        if json::is_of(crate::lesson::report::KIND, text) {
            return Ok(Self::Lesson(Box::new(LessonReport::parse(text)?)));
        }
        Ok(Self::Persistence(Box::new(Report::parse(text)?)))
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
