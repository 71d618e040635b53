//! The report of a question: what was asked, where and when, and the evidence. Whoever has it can judge again, without a cluster.

use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use crate::persistence::about::About;
use crate::text::json;

/// The kind of the document.
pub const KIND: &str = "LessonReport";

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What was asked, where and when.
    #[serde(flatten)]
    pub about: About,
    pub evidence: Evidence,
}

impl Report {
    /// As a document.
    ///
    /// # Errors
    /// If it has no form in JSON, which is a mistake of this program.
    pub fn text(&self) -> anyhow::Result<String> {
        json::text(KIND, self)
    }

    /// Reads a document.
    ///
    /// # Errors
    /// If it is not one, or of another version.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        json::parse(KIND, text)
    }
}
