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
        let now = Timestamp::now();
        // In whole seconds, as the cluster has its times.
        let at = Timestamp::from_second(now.as_second()).unwrap_or(now);
        Ok(Self { holds: evidence.holds(), at, evidence: format!("sha256:{}", evidence.digest()?) })
    }
}

/// What came of each question, by its number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Results(BTreeMap<u8, Answer>);

impl From<&ConfigMap> for Results {
    /// What cannot be read is left out: it is as if nobody had answered.
    fn from(kept: &ConfigMap) -> Self {
        let answer = |(name, text): (&String, &String)| {
            Some((name.strip_prefix(PREFIX)?.parse().ok()?, serde_json::from_str(text).ok()?))
        };
        Self(kept.data.iter().flatten().filter_map(answer).collect())
    }
}

/// What the names of questions begin with.
const PREFIX: &str = "question-";

/// The name under which a question's answer is kept.
#[must_use]
pub fn key(number: u8) -> String {
    format!("{PREFIX}{number}")
}

impl Results {
    /// What came of a question; none if nobody has tried it.
    #[must_use]
    pub fn of(&self, number: u8) -> Option<&Answer> {
        self.0.get(&number)
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
