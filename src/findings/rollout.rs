//! A rollout that goes on while requests are answered.

use super::dns::stale;
use super::finding::{Finding, Observed, Weight};
use crate::observe::path::Path;
use crate::observe::{Reading, readiness};

/// How much a finding weighs where everything else is known: what a Deployment is still waiting for is only news, as long as
/// it has a ready pod and a request goes all the way. So is an answer of DNS that is still old.
pub fn weight(observed: &Observed, finding: &Finding) -> Weight {
    let is_answered = matches!(observed.details.path, Reading::Present(Path::Answered(_)));
    let goes_on = finding.weight == Weight::NotYet
        && is_answered
        && (finding.cause == &stale::CAUSE || is_served(observed, finding.app));
    if goes_on { Weight::Ongoing } else { finding.weight }
}

/// Whether it is a Deployment with a ready pod, of which the cluster does not say that its rollout has taken too long.
fn is_served(observed: &Observed, app: &str) -> bool {
    let deployment = observed.snapshot.deployments.get(app).and_then(Reading::present);
    let conditions = deployment.and_then(|deployment| deployment.status.as_ref()?.conditions.as_ref());
    let is_late = conditions.into_iter().flatten().any(|it| it.type_ == "Progressing" && it.status == "False");
    deployment.is_some() && !is_late && observed.snapshot.pods_of(app).any(readiness::pod)
}
