//! What stays of a run: its verdict and the time of it, as an annotation on the StatefulSet.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::How;
use super::verdict::Holds;
use crate::text::duration;

/// The annotation's name.
pub const ANNOTATION: &str = "kubectl-kubecoin/last-proof";

/// The last proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The verdict.
    pub holds: Holds,
    /// When it was given.
    pub at: Timestamp,
    /// How the server was stopped.
    pub how: How,
}

impl Proof {
    /// Given just now.
    #[must_use]
    pub fn now(holds: Holds, how: How) -> Self {
        // In whole seconds, as the cluster has its times.
        let now = Timestamp::now();
        Self { holds, at: Timestamp::from_second(now.as_second()).unwrap_or(now), how }
    }

    /// It in a few words, at a time: `holds 5m ago`.
    #[must_use]
    pub fn words(&self, now: Timestamp) -> String {
        format!("{} {} ago", self.holds, duration(now.duration_since(self.at)))
    }

    /// Of an object's annotations. What cannot be read is none.
    #[must_use]
    pub fn of(annotations: &BTreeMap<String, String>) -> Option<Self> {
        serde_json::from_str(annotations.get(ANNOTATION)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_back_and_nonsense_is_none() {
        let proof = Proof { holds: Holds::Yes, at: "2026-11-24T02:00:00Z".parse().unwrap(), how: How::Evict };
        let of = |text: String| Proof::of(&[(ANNOTATION.to_owned(), text)].into());
        assert_eq!(of(serde_json::to_string(&proof).unwrap()), Some(proof));
        assert_eq!(proof.words("2026-11-24T02:05:00Z".parse().unwrap()), "holds 5m ago");
        assert_eq!(of("yes".to_owned()), None);
        assert_eq!(Proof::of(&BTreeMap::new()), None);
    }
}
