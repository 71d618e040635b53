//! How an answer is shown.

use clap::ValueEnum;
use serde::Serialize;

use crate::text::json;

/// How an answer is shown: to people, or to programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The most important columns
    #[default]
    Table,
    /// More columns
    Wide,
    /// Everything, as JSON
    Json,
    /// Everything, as YAML
    Yaml,
}

impl Format {
    /// Whether people want more.
    #[must_use]
    pub fn is_wide(self) -> bool {
        self == Self::Wide
    }

    /// The answer for programs, if it is for them.
    ///
    /// # Errors
    /// If the answer has no such form, which is a mistake of this program.
    pub fn text<T: Serialize>(self, kind: &'static str, answer: &T) -> anyhow::Result<Option<String>> {
        match self {
            Self::Table | Self::Wide => Ok(None),
            Self::Json => json::text(kind, answer).map(Some),
            Self::Yaml => json::yaml(kind, answer).map(Some),
        }
    }
}
