use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;

use super::finding::{Finding, Rule, Weight};
use super::pods;
use crate::exchange::names;
use crate::observe::{Snapshot, readiness};

/// The label of a pod with the revision of the set that it was made from.
const REVISION: &str = "controller-revision-hash";

/// A pod of an older revision that never became ready. A StatefulSet waits for it for ever before it makes the newer one.
#[must_use]
pub fn stuck_pod(snapshot: &Snapshot) -> Option<&Pod> {
    let set = snapshot.statefulset.present()?;
    let status = set.status.as_ref()?;
    let newest = status.update_revision.as_ref()?;
    let set_is_current = status.observed_generation >= set.metadata.generation;
    let is_stuck = |pod: &&Pod| {
        let is_older = pod.labels().get(REVISION).is_some_and(|revision| revision != newest);
        is_older && pod.metadata.deletion_timestamp.is_none() && !readiness::pod(pod)
    };
    snapshot.members.iter().filter_map(|member| snapshot.pod_of(member)).find(is_stuck).filter(|_| set_is_current)
}

/// A pod of an older revision is in the way of the newer one.
pub const RULE: Rule = Rule {
    code: "stuck-revision",
    hides: &["image-pull", "crash-loop", "probe-failing", "starting", "unschedulable", "not-ready"],
    judge: |observed| {
        let finding = |pod| {
            Finding {
            code: RULE.code,
            weight: Weight::Problem,
            app: names::POSTGRES,
            object: pods::reference(pod),
            says: "is of an older revision and never became ready; the StatefulSet waits for it before it creates the newer one"
                .to_owned(),
            hint: observed.by_hand.own("deploy").to("replace it"),
        }
        };
        stuck_pod(observed.snapshot).map(finding).into_iter().collect()
    },
};
