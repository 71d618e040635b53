use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;

use super::{
    backend_unreachable, crash_loop, database_unreachable, image_pull, not_ready, page_unreachable, probe_failing,
    starting, unschedulable,
};
use crate::exchange::names;
use crate::findings::{Cause, Finding, Mend, Weight, pods};
use crate::kubernetes::act::DeletePod;
use crate::observe::target::pod_names;
use crate::observe::{Snapshot, readiness};
use crate::persistence::revision;

/// The label of a pod with the revision of the set that it was made from.
const REVISION: &str = "controller-revision-hash";

/// A pod of an older revision that never became ready. A StatefulSet waits for it for ever before it makes the newer one.
fn stuck_pod(snapshot: &Snapshot) -> Option<&Pod> {
    let set = snapshot.statefulset.present()?;
    let newest = set.status.as_ref()?.update_revision.as_ref()?;
    let set_is_current = readiness::is_observed(set);
    let is_stuck = |pod: &&Pod| {
        let is_older = pod.labels().get(REVISION).is_some_and(|revision| revision != newest);
        is_older && is_updated(set, pod) && pod.metadata.deletion_timestamp.is_none() && !readiness::pod(pod)
    };
    let names = pod_names(set);
    let mut pods = snapshot.pods_of(names::POSTGRES).filter(|pod| names.contains(&pod.name_any()));
    pods.find(is_stuck).filter(|_| set_is_current && waits_for_each(set))
}

/// Whether the set goes on only when a pod is ready: one of podManagementPolicy Parallel replaces pods that are not.
fn waits_for_each(set: &StatefulSet) -> bool {
    set.spec.as_ref().and_then(|spec| spec.pod_management_policy.as_deref()) != Some("Parallel")
}

/// Whether the pod would be of the newest revision if it were created again. One that a partition keeps would not.
fn is_updated(set: &StatefulSet, pod: &Pod) -> bool {
    let ordinal = pod.metadata.name.as_deref().and_then(|name| name.rsplit_once('-')?.1.parse().ok());
    let newest = set.status.as_ref().and_then(|status| status.update_revision.as_deref());
    ordinal.is_some_and(|ordinal| revision::of_next(set, ordinal) == newest)
}

/// A pod of an older revision is in the way of the newer one.
pub static CAUSE: Cause = Cause {
    id: "KC041",
    slug: "stuck-revision",
    title: "A pod of an older revision blocks the newer one",
    text: include_str!("stuck_revision.md"),
    explains: &[
        &image_pull::CAUSE,
        &crash_loop::CAUSE,
        &probe_failing::CAUSE,
        &starting::CAUSE,
        &unschedulable::CAUSE,
        &not_ready::CAUSE,
        &database_unreachable::CAUSE,
        &backend_unreachable::CAUSE,
        &page_unreachable::CAUSE,
    ],
    needs: &[],
    mend: Some(|observed, _| {
        let pod = stuck_pod(observed.snapshot)?;
        Some(Mend::DeletePod(DeletePod { name: pod.name_any(), uid: pod.uid()?, grace: None }))
    }),
    judge: |observed| {
        let finding = |pod| {
            Finding {
            cause: &CAUSE,
            weight: Weight::Problem,
            app: names::POSTGRES,
            object: pods::reference(pod),
            says: "is of an older revision and never became ready; the StatefulSet waits for it before it creates the newer one"
                .to_owned(),
            hint: if observed.snapshot.target.is_some() {
                observed.by_hand.kubectl(["delete", &pods::reference(pod)]).to("delete it, and the StatefulSet creates the newer one")
            } else {
                observed.by_hand.own("deploy").to("replace it")
            },
        }
        };
        stuck_pod(observed.snapshot).map(finding).into_iter().collect()
    },
};
