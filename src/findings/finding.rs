//! What is judged, and what is found.

use jiff::Timestamp;
use serde::Serialize;

use super::Cause;
use crate::kubernetes::ByHand;
use crate::observe::Snapshot;
use crate::observe::details::Details;
use crate::text::Hint;

/// What is judged.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// Round 1.
    pub snapshot: &'a Snapshot,
    /// Round 2.
    pub details: &'a Details,
    pub namespace: &'a str,
    /// What a hint's command needs to lead there.
    pub by_hand: &'a ByHand,
    /// The time at which it was read.
    pub now: Timestamp,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Why.
    #[serde(flatten)]
    pub cause: &'static Cause,
    /// How much it weighs.
    pub weight: Weight,
    /// What it concerns, as the value of the label `app`; empty for the exchange as a whole.
    pub app: &'static str,
    /// The object, as kubectl names it.
    pub object: String,
    /// What is the matter.
    pub says: String,
    /// What helps, or shows more.
    pub hint: Hint,
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Weight {
    /// It does not get better by itself.
    Problem,
    /// It takes its time.
    NotYet,
    /// It could not be read. That makes nothing else unhealthy.
    Unknown,
}

/// Whether nothing is the matter, as far as could be read.
#[must_use]
pub fn healthy(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.weight == Weight::Unknown)
}
