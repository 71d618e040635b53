//! What was seen for a question, and what it comes to. Pure: the same evidence always has the same verdict.

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::question::Question;
use super::{kinds, order, replicas, services, storage, unguarded};
use crate::persistence::evidence as persistence;
use crate::persistence::verdict::{self, Check, Holds};
use crate::text::hex;

/// What was seen for one of the questions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Evidence {
    /// Question 1.
    Kinds(Box<kinds::Seen>),
    /// Question 2.
    Replicas(Box<replicas::Seen>),
    /// Question 3.
    Services(Box<services::Seen>),
    /// Question 4.
    Order(Box<order::Seen>),
    /// Question 5.
    Storage(Box<storage::Seen>),
    /// Question 2 without the guards.
    Unguarded(Box<unguarded::Seen>),
}

impl Evidence {
    /// The question.
    #[must_use]
    pub fn question(&self) -> &'static Question {
        match self {
            Self::Kinds(_) => &kinds::QUESTION,
            Self::Replicas(_) => &replicas::QUESTION,
            Self::Services(_) => &services::QUESTION,
            Self::Order(_) => &order::QUESTION,
            Self::Storage(_) => &storage::QUESTION,
            Self::Unguarded(_) => &unguarded::QUESTION,
        }
    }

    /// Each thing that was to be shown.
    #[must_use]
    pub fn checks(&self) -> Vec<Check> {
        match self {
            Self::Kinds(seen) => seen.checks(),
            Self::Replicas(seen) => seen.checks(),
            Self::Services(seen) => seen.checks(),
            Self::Order(seen) => seen.checks(),
            Self::Storage(seen) => seen.checks(),
            Self::Unguarded(seen) => seen.checks(),
        }
    }

    /// Whether it answers one of the five questions, and is kept as its answer.
    #[must_use]
    pub fn is_an_answer(&self) -> bool {
        !matches!(self, Self::Unguarded(_))
    }

    /// Whether it shows what the lesson says.
    #[must_use]
    pub fn holds(&self) -> Holds {
        verdict::holds(self.checks().iter())
    }

    /// What was seen, in a sentence or two, with the user's own values.
    #[must_use]
    pub fn observed(&self) -> String {
        match self {
            Self::Kinds(seen) => seen.observed(),
            Self::Replicas(seen) => seen.observed(),
            Self::Services(seen) => seen.observed(),
            Self::Order(seen) => seen.observed(),
            Self::Storage(seen) => seen.observed(),
            Self::Unguarded(seen) => seen.observed(),
        }
    }

    /// What it does not show: what no such run does, and what could not be tried here.
    #[must_use]
    pub fn not_shown(&self) -> Vec<String> {
        let here = match self {
            Self::Replicas(seen) => seen.not_shown(),
            _ => None,
        };
        self.question().not_shown.iter().map(|what| (*what).to_owned()).chain(here).collect()
    }

    /// The first thing that keeps it from being the answer; none if it is.
    #[must_use]
    pub fn against(&self) -> Option<Check> {
        let holds = self.holds();
        self.checks().into_iter().find(|check| holds != Holds::Yes && check.open.is_none() && check.holds == holds)
    }

    /// The same with one thing changed by which it must become no, and what that is.
    #[must_use]
    pub fn with_something_changed(&self) -> Option<(Self, String)> {
        fn changed<T>(it: Option<(T, String)>, of: impl FnOnce(Box<T>) -> Evidence) -> Option<(Evidence, String)> {
            it.map(|(seen, what)| (of(Box::new(seen)), what))
        }
        match self {
            Self::Kinds(seen) => changed(seen.with_something_changed(), Self::Kinds),
            Self::Replicas(seen) => changed(seen.with_something_changed(), Self::Replicas),
            Self::Order(seen) => changed(seen.with_something_changed(), Self::Order),
            Self::Services(seen) => changed(seen.with_something_changed(), Self::Services),
            Self::Storage(seen) => changed(seen.with_something_changed(), Self::Storage),
            Self::Unguarded(seen) => changed(seen.with_something_changed(), Self::Unguarded),
        }
    }

    /// What was recorded of the exchange's pod, if it was deleted.
    #[must_use]
    pub fn of_a_pod(&self) -> Option<&persistence::Evidence> {
        match self {
            Self::Kinds(seen) => Some(&seen.level_2),
            Self::Storage(seen) => Some(&seen.0),
            Self::Order(_) | Self::Replicas(_) | Self::Services(_) | Self::Unguarded(_) => None,
        }
    }

    /// The SHA-256 of all of it, in hexadecimal digits.
    ///
    /// # Errors
    /// If it has no form in JSON, which is a mistake of this program.
    pub fn digest(&self) -> anyhow::Result<String> {
        // As a report has it: another form would make the program larger.
        Ok(hex(digest(&SHA256, &serde_json::to_vec_pretty(self)?).as_ref()))
    }
}
