//! What is the matter, and why. Each cause has a file of its own, and only this folder knows them.

mod claim_unbound;
mod crash_loop;
mod credentials_refused;
mod database_silent;
pub mod dns;
mod finding;
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

use finding::Cause;
pub use finding::{Finding, Observed, Weight, healthy};
pub use stuck_revision::stuck_pod;
pub use terminating::rescue;

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

#[cfg(test)]
mod tests;
