use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;

use super::{not_ready, probe_failing, starting};
use crate::exchange::{names, patroni};
use crate::findings::{Cause, Finding, Observed, Weight, pods};
use crate::observe::readiness;
use crate::observe::replication::{Said, is_primary};

/// A standby does not follow the primary, or is far behind it.
pub static CAUSE: Cause = Cause {
    id: "KC086",
    slug: "member-behind",
    title: "A member of the database does not follow the primary",
    text: include_str!("member_behind.md"),
    explains: &[&probe_failing::CAUSE, &starting::CAUSE, &not_ready::CAUSE],
    needs: &[],
    mend: None,
    judge: |observed| {
        let primary =
            observed.snapshot.primary().filter(|pod| observed.snapshot.is_replicated() && readiness::pod(pod));
        let Some(primary) = primary.and_then(Said::of) else { return vec![] };
        let standbys =
            observed.snapshot.pods_of(names::POSTGRES).filter(|pod| !is_primary(pod) && !pods::is_stopping(pod));
        standbys.filter_map(|pod| finding(observed, pod, &primary)).collect()
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

/// What a standby lacks that runs and is not ready for it: Patroni lets it become ready once it streams.
fn why_not_ready(primary: &Said, standby: &Said) -> Option<String> {
    let is_cut_off = standby.state == "running" && standby.replication_state.as_deref() != Some("streaming");
    let behind = match primary.location?.saturating_sub(standby.location?) >> 20 {
        0 => String::new(),
        mebibytes => format!(": it is {mebibytes} MiB behind"),
    };
    is_cut_off.then(|| format!("runs, and does not stream the log of the primary{behind}"))
}

fn finding(observed: &Observed, pod: &Pod, primary: &Said) -> Option<Finding> {
    let (name, standby, by_hand) = (pod.name_any(), Said::of(pod)?, observed.by_hand);
    let log = by_hand.kubectl(["logs", &name]).to("see what it waits for");
    let (weight, says, hint) = if readiness::pod(pod) {
        (Weight::Warning, why(primary, &standby)?, log)
    } else {
        let copy =
            ["exec", "-it", &name, "--", "patronictl", "-c", patroni::SETTINGS, "reinit", names::POSTGRES, &name];
        let removed = "if it needs a part of the log that the primary has removed, copy its data anew";
        (Weight::NotYet, why_not_ready(primary, &standby)?, log.and(by_hand.kubectl(copy).to(removed)))
    };
    Some(Finding { cause: &CAUSE, weight, app: names::POSTGRES, object: pods::reference(pod), says, hint })
}
