//! What is the matter, and why. Each cause has a file of its own, and only this folder knows them.

mod claim_unbound;
mod crash_loop;
mod credentials_refused;
mod database_silent;
mod image_pull;
mod missing;
mod not_permitted;
mod not_ready;
mod pod_refused;
mod pods;
mod probe_failing;
mod replicas;
mod starting;
mod stopping;
mod stuck_revision;
mod table;
mod terminating;
mod unschedulable;

use jiff::Timestamp;
use serde::Serialize;

use crate::kubernetes::ByHand;
use crate::observe::Snapshot;
use crate::observe::evidence::Evidence;
use crate::text::Hint;

pub use stuck_revision::stuck_pod;
pub use terminating::rescue;

/// What is judged.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// Round 1.
    pub snapshot: &'a Snapshot,
    /// Round 2.
    pub evidence: &'a Evidence,
    /// The namespace.
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
    /// The cause's code: stable, for programs and for search.
    pub code: &'static str,
    /// How much it weighs.
    pub weight: Weight,
    /// What it concerns, as the value of the label `app`. Of one app, a cause hides its consequences.
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

/// A cause: how it is recognised, and which causes it explains.
struct Cause {
    code: &'static str,
    hides: &'static [&'static str],
    judge: fn(&Observed) -> Vec<Finding>,
}

/// All causes, in the order in which people are told.
const CAUSES: [Cause; 18] = [
    missing::CAUSE,
    terminating::CAUSE,
    replicas::CAUSE,
    claim_unbound::CAUSE,
    stuck_revision::CAUSE,
    pod_refused::CAUSE,
    unschedulable::CAUSE,
    image_pull::CAUSE,
    crash_loop::CAUSE,
    probe_failing::CAUSE,
    stopping::CAUSE,
    starting::CAUSE,
    not_ready::CAUSE,
    credentials_refused::CAUSE,
    database_silent::CAUSE,
    table::MISSING,
    table::DIFFERENT,
    not_permitted::CAUSE,
];

/// Everything that is not as it should be, causes without their consequences.
#[must_use]
pub fn judge(observed: &Observed) -> Vec<Finding> {
    let found: Vec<(&Cause, Finding)> = CAUSES
        .iter()
        .flat_map(|cause| (cause.judge)(observed).into_iter().map(move |finding| (cause, finding)))
        .collect();
    let hidden = |finding: &Finding| {
        found.iter().any(|(cause, other)| other.app == finding.app && cause.hides.contains(&finding.code))
    };
    found.iter().filter(|(_, finding)| !hidden(finding)).map(|(_, finding)| finding.clone()).collect()
}

/// Whether nothing is the matter, as far as could be read.
#[must_use]
pub fn healthy(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.weight == Weight::Unknown)
}

#[cfg(test)]
mod tests;
