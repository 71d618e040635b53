use kube::ResourceExt;

use crate::exchange::names;
use crate::findings::{Cause, Finding, Observed, Weight};
use crate::observe::readiness;
use crate::observe::replication::{Said, is_primary};

/// A standby does not follow the primary, or is far behind it.
pub static CAUSE: Cause = Cause {
    id: "KC086",
    slug: "member-behind",
    title: "A member of the database does not follow the primary",
    text: include_str!("member_behind.md"),
    explains: &[],
    needs: &[],
    mend: None,
    judge: |observed| {
        let primary =
            observed.snapshot.primary().filter(|pod| observed.snapshot.is_replicated() && readiness::pod(pod));
        let Some(primary) = primary.and_then(Said::of) else { return vec![] };
        let standbys = observed.snapshot.pods_of(names::POSTGRES).filter(|pod| !is_primary(pod) && readiness::pod(pod));
        let behind = standbys.filter_map(|pod| Some((pod.name_any(), why(&primary, &Said::of(pod)?)?)));
        behind.map(|(pod, says)| finding(observed, &pod, says)).collect()
    },
};

/// More than one segment of the log. What members say is some seconds old, and a busy primary writes much in that time.
const FAR: u64 = 2 * 16 * 1024 * 1024;

/// What a standby lacks, by what both said last.
fn why(primary: &Said, standby: &Said) -> Option<String> {
    let behind = primary.location?.saturating_sub(standby.location.unwrap_or(0));
    match (primary.timeline, standby.timeline) {
        (Some(newest), Some(own)) if own < newest => {
            Some(format!("is on timeline {own}, and the primary is on {newest}: it does not follow it"))
        }
        _ if behind > FAR => Some(format!("is {} MiB of the log behind the primary", behind >> 20)),
        _ => None,
    }
}

fn finding(observed: &Observed, pod: &str, says: String) -> Finding {
    Finding {
        cause: &CAUSE,
        weight: Weight::Warning,
        app: names::POSTGRES,
        object: format!("pod/{pod}"),
        says,
        hint: observed.by_hand.kubectl(["logs", pod]).to("see what it waits for"),
    }
}
