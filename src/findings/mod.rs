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

use finding::Rule;
pub use finding::{Finding, Observed, Weight, healthy};
pub use stuck_revision::stuck_pod;
pub use terminating::rescue;

/// All causes, in the order in which people are told.
const RULES: [Rule; 18] = [
    missing::RULE,
    terminating::RULE,
    replicas::RULE,
    claim_unbound::RULE,
    stuck_revision::RULE,
    pod_refused::RULE,
    unschedulable::RULE,
    image_pull::RULE,
    crash_loop::RULE,
    probe_failing::RULE,
    stopping::RULE,
    starting::RULE,
    not_ready::RULE,
    credentials_refused::RULE,
    database_silent::RULE,
    table::MISSING,
    table::DIFFERENT,
    not_permitted::RULE,
];

/// Everything that is not as it should be, causes without their consequences.
#[must_use]
pub fn judge(observed: &Observed) -> Vec<Finding> {
    let found: Vec<(&Rule, Finding)> = RULES
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
