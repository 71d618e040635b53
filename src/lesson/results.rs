//! How far the questions are answered in a namespace: what a `ConfigMap` there says.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ConfigMap;
use serde::{Deserialize, Serialize};

use super::evidence::Evidence;
use crate::persistence::verdict::Holds;

/// What came of a question. What somebody predicted is not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The verdict.
    pub holds: Holds,
    /// When it was given.
    pub at: Timestamp,
    /// The SHA-256 of the evidence, by which a report can be recognised.
    pub evidence: String,
}

impl Answer {
    /// Given just now.
    ///
    /// # Errors
    /// If the evidence has no form in JSON, which is a mistake of this program.
    pub fn now(evidence: &Evidence) -> anyhow::Result<Self> {
        Ok(Self::of(evidence.holds(), &evidence.digest()?))
    }

    /// The same of evidence that has this SHA-256.
    #[must_use]
    pub fn of(holds: Holds, digest: &str) -> Self {
        let now = Timestamp::now();
        // In whole seconds, as the cluster has its times.
        let at = Timestamp::from_second(now.as_second()).unwrap_or(now);
        Self { holds, at, evidence: format!("sha256:{digest}") }
    }
}

/// What came of each question, and which exercises are solved, by their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results {
    questions: BTreeMap<u8, Answer>,
    exercises: BTreeMap<u8, Answer>,
}

impl From<&ConfigMap> for Results {
    /// What cannot be read is left out: it is as if nobody had answered.
    fn from(kept: &ConfigMap) -> Self {
        let all = |prefix| {
            let answer = move |(name, text): (&String, &String)| {
                Some((name.strip_prefix(prefix)?.parse().ok()?, serde_json::from_str(text).ok()?))
            };
            kept.data.iter().flatten().filter_map(answer).collect()
        };
        Self { questions: all(QUESTION), exercises: all(EXERCISE) }
    }
}

/// What the names of questions begin with.
const QUESTION: &str = "question-";
/// What the names of exercises begin with.
const EXERCISE: &str = "exercise-";

/// The name under which a question's answer is kept.
#[must_use]
pub fn key(number: u8) -> String {
    format!("{QUESTION}{number}")
}

/// The name under which it is kept that an exercise is solved.
#[must_use]
pub fn key_of_exercise(number: u8) -> String {
    format!("{EXERCISE}{number}")
}

impl Results {
    /// What came of a question; none if nobody has tried it.
    #[must_use]
    pub fn of(&self, number: u8) -> Option<&Answer> {
        self.questions.get(&number)
    }

    /// That an exercise is solved; none if it is not.
    #[must_use]
    pub fn of_exercise(&self, number: u8) -> Option<&Answer> {
        self.exercises.get(&number)
    }

    /// Whether an exercise is solved.
    #[must_use]
    pub fn is_solved(&self, number: u8) -> bool {
        self.of_exercise(number).is_some_and(|answer| answer.holds == Holds::Yes)
    }

    /// Whether a question is answered: its verdict was given, and holds.
    #[must_use]
    pub fn is_answered(&self, number: u8) -> bool {
        self.of(number).is_some_and(|answer| answer.holds == Holds::Yes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_back_and_nonsense_is_none() {
        let answer =
            Answer { holds: Holds::Yes, at: "2026-11-24T02:00:00Z".parse().unwrap(), evidence: "sha256:00".into() };
        let text = serde_json::to_string(&answer).unwrap();
        assert_eq!(text, r#"{"holds":"yes","at":"2026-11-24T02:00:00Z","evidence":"sha256:00"}"#);
        let not_shown = text.replace("yes", "unknown");
        let data =
            [(key(5), text), (key(4), not_shown), (key(3), "yes".to_owned()), ("other".to_owned(), String::new())];
        let results = Results::from(&ConfigMap { data: Some(data.into()), ..ConfigMap::default() });
        assert_eq!(results.of(5), Some(&answer));
        assert!(results.is_answered(5) && !results.is_answered(4) && results.of(4).is_some());
        assert_eq!((results.of(3), Results::from(&ConfigMap::default())), (None, Results::default()));
    }
}
