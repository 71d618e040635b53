//! A report of either kind: on the exchange, or on any `StatefulSet`.

use serde_json::Value;

use super::report::Report;
use super::set;
use super::timeline::Timeline;

/// A report.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// On the exchange.
    Exchange(Box<Report>),
    /// On a set.
    Set(Box<set::report::Report>),
}

impl Document {
    /// Reads one.
    ///
    /// # Errors
    /// If it is none, or of another version.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let is_on_a_set = serde_json::from_str(text).is_ok_and(|value: Value| value["kind"] == set::report::KIND);
        if is_on_a_set {
            Ok(Self::Set(Box::new(set::report::Report::parse(text)?)))
        } else {
            Ok(Self::Exchange(Box::new(Report::parse(text)?)))
        }
    }

    /// As a document.
    ///
    /// # Errors
    /// If it has no form in JSON, which is a mistake of this program.
    pub fn text(&self) -> anyhow::Result<String> {
        match self {
            Self::Exchange(report) => report.text(),
            Self::Set(report) => report.text(),
        }
    }

    /// What was seen, each time that a pod was replaced.
    #[must_use]
    pub fn timelines(&self) -> Vec<&Timeline> {
        match self {
            Self::Exchange(report) => report.cycles.iter().map(|cycle| &cycle.timeline).collect(),
            Self::Set(report) => report.evidence.turns.iter().map(|turn| &turn.timeline).collect(),
        }
    }
}
