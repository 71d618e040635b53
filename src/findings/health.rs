//! What is said of the exchange as a whole.

use serde::Serialize;

use super::finding::{Finding, Observed, Weight};
use crate::observe::Reading;

/// How the exchange is. Only a request that went all the way to the database makes it healthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Health {
    /// Everything that is known of was looked at, and nothing is the matter.
    Healthy,
    /// A request went all the way, and nothing is the matter with what could be read.
    WorksAsSeen,
    /// The objects are in order. Whether a request is answered was not tried.
    ObjectsInOrder,
    /// Something takes its time.
    NotReady,
    /// Something does not get better by itself.
    NotHealthy,
    /// Nothing is the matter with what could be read, but no request could be sent.
    Unknown,
    /// Nothing could be read.
    Unreadable,
}

impl Health {
    /// Out of the findings; `tried` if a request was to be sent.
    #[must_use]
    pub fn of(observed: &Observed, findings: &[Finding], tried: bool) -> Self {
        let any = |weight| findings.iter().any(|finding| finding.weight == weight);
        match &observed.details.path {
            _ if any(Weight::Problem) => Self::NotHealthy,
            _ if any(Weight::NotYet) => Self::NotReady,
            _ if observed.snapshot.is_unreadable() => Self::Unreadable,
            _ if !tried => Self::ObjectsInOrder,
            Reading::Present(_) if any(Weight::Unknown) => Self::WorksAsSeen,
            Reading::Present(_) => Self::Healthy,
            Reading::Absent | Reading::Unknown(_) | Reading::NotAsked => Self::Unknown,
        }
    }

    /// Whether nothing is the matter, as far as it was asked for.
    #[must_use]
    pub fn holds(self) -> bool {
        matches!(self, Self::Healthy | Self::WorksAsSeen | Self::ObjectsInOrder)
    }

    /// It in a word without spaces, for a column.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Healthy => "Healthy",
            Self::WorksAsSeen => "WorksAsSeen",
            Self::ObjectsInOrder => "ObjectsInOrder",
            Self::NotReady => "NotReady",
            Self::NotHealthy => "NotHealthy",
            Self::Unknown => "Unknown",
            Self::Unreadable => "Unreadable",
        }
    }

    /// It in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::WorksAsSeen => "works as far as you may see",
            Self::ObjectsInOrder => "objects in order",
            Self::NotReady => "not ready yet",
            Self::NotHealthy => "not healthy",
            Self::Unknown => "unknown: nobody could send it a request",
            Self::Unreadable => "unknown: you may not read it",
        }
    }
}
