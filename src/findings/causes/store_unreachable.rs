use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;

use super::{no_primary, probe_failing};
use crate::exchange::names;
use crate::findings::{Cause, Finding, Weight};
use crate::observe::readiness;
use crate::text::duration;

/// The members of a replicated database cannot use the API server, by which they agree who the primary is.
pub static CAUSE: Cause = Cause {
    id: "KC088",
    slug: "store-unreachable",
    title: "The members cannot reach the API server",
    text: include_str!("store_unreachable.md"),
    explains: &[&no_primary::CAUSE, &probe_failing::CAUSE],
    needs: &[],
    mend: None,
    judge: |observed| {
        let snapshot = observed.snapshot;
        let replication = snapshot.replication.present().filter(|_| snapshot.is_replicated());
        let Some(renewed) = replication.and_then(|replication| replication.renewed_at) else { return vec![] };
        let since = observed.now.duration_since(renewed);
        let is_long = |time: SignedDuration, most: Duration| time > SignedDuration::try_from(most).unwrap_or_default();
        let is_primary_ready = snapshot.primary().is_some_and(readiness::pod);
        let most = if is_primary_ready { MOST_BESIDE_A_PRIMARY } else { MOST };
        // A member that has just started has had no time to renew it.
        let runs_long =
            |pod: &Pod| running_since(pod).is_some_and(|since| is_long(observed.now.duration_since(since), MOST));
        if !is_long(since, most) || !snapshot.pods_of(names::POSTGRES).any(runs_long) {
            return vec![];
        }
        let since = duration(since);
        let (weight, says) = if is_primary_ready {
            (Weight::Warning, "nobody can take over if the primary fails")
        } else {
            (Weight::Problem, "nobody takes writes")
        };
        let account = format!("system:serviceaccount:{}:{}", observed.namespace, names::POSTGRES);
        vec![Finding {
            cause: &CAUSE,
            weight,
            app: names::POSTGRES,
            object: snapshot.set_reference(),
            says: format!(
                "has members that run, but none has told the API server for {since} that it is the primary: {says}"
            ),
            hint: observed
                .by_hand
                .kubectl(["auth", "can-i", "patch", "pods", "--as", &account])
                .to("check whether they may")
                .and(observed.by_hand.own("deploy --ha").to("if not, restore their rights")),
        }]
    },
};

/// Since when the container of a member runs; none if it does not.
fn running_since(pod: &Pod) -> Option<Timestamp> {
    let mut containers = pod.status.as_ref()?.container_statuses.as_ref()?.iter();
    let container = containers.find(|container| container.name == names::POSTGRES)?;
    Some(container.state.as_ref()?.running.as_ref()?.started_at.as_ref()?.0)
}

/// Three times as long as the claim to be the primary lasts: another member would have taken it over by then.
const MOST: Duration = Duration::from_mins(1);

/// The same while a primary is ready, as it is with `failsafe_mode`. Two clocks that differ look like that too.
const MOST_BESIDE_A_PRIMARY: Duration = Duration::from_mins(5);
