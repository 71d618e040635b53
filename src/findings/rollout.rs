//! A rollout that goes on while requests are answered.

use super::dns::stale;
use super::finding::{Finding, Observed, Weight};
use crate::exchange::names;
use crate::observe::path::Path;
use crate::observe::{Reading, readiness};

/// How much a finding weighs where everything else is known: what a Deployment is still waiting for is only news, as long as
/// it has a ready pod and a request goes all the way. So is an answer of DNS that is still old.
pub fn weight(observed: &Observed, finding: &Finding) -> Weight {
    let is_answered = matches!(observed.details.path, Reading::Present(Path::Answered(_)));
    let goes_on = finding.weight == Weight::NotYet
        && is_answered
        && (finding.cause == &stale::CAUSE || is_served(observed, finding.app));
    if goes_on { Weight::Info } else { finding.weight }
}

/// Whether it is a Deployment with a ready pod.
fn is_served(observed: &Observed, app: &str) -> bool {
    names::DEPLOYMENTS.contains(&app) && observed.snapshot.pods_of(app).any(readiness::pod)
}
