use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;

use super::{backend_unreachable, database_unreachable, not_ready, page_unreachable, probe_failing, starting};
use crate::findings::dns::{pod_missing, pod_not_ready};
use crate::findings::{Cause, Finding, Observed, Weight, pods};
use crate::observe::container;
use crate::text::Hint;
use crate::text::duration;

/// How long after its time is over a pod's end may take to be heard of.
const ON_THE_WAY: SignedDuration = SignedDuration::from_secs(5);

/// A pod is on its way out, or should be gone.
pub static CAUSE: Cause = Cause {
    id: "KC025",
    slug: "stopping",
    title: "A pod is terminating",
    text: include_str!("stopping.md"),
    explains: &[
        &pod_missing::CAUSE,
        &pod_not_ready::CAUSE,
        &probe_failing::CAUSE,
        &starting::CAUSE,
        &not_ready::CAUSE,
        &database_unreachable::CAUSE,
        &backend_unreachable::CAUSE,
        &page_unreachable::CAUSE,
    ],
    needs: &[],
    mend: None,
    judge: |observed| {
        let stopping = pods::not_ready(observed).into_iter().filter_map(|(app, pod)| {
            let (weight, says, hint) = fate(observed, app, pod)?;
            Some(Finding { cause: &CAUSE, weight, app, object: pods::reference(pod), says, hint })
        });
        stopping.collect()
    },
};

/// What is to be said of a pod that has been told to end.
fn fate(observed: &Observed, app: &str, pod: &Pod) -> Option<(Weight, String, Hint)> {
    let late = observed.now.duration_since(pod.metadata.deletion_timestamp.as_ref()?.0);
    let has_ended =
        container::status(pod, app).is_some_and(|it| it.state.as_ref().is_some_and(|it| it.terminated.is_some()));
    let reference = pods::reference(pod);
    let by_hand = observed.by_hand;
    if has_ended && !pod.finalizers().is_empty() {
        let says = format!("has ended, and is blocked by finalizers: {}", pod.finalizers().join(", "));
        return Some((
            Weight::Problem,
            says,
            by_hand.kubectl(["get", &reference, "-o", "yaml"]).to("find out who set them, and ask to remove them"),
        ));
    }
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default();
    if late > ON_THE_WAY && !node.is_empty() {
        let says = format!(
            "should have terminated {} ago, but the kubelet of its node {node} does not confirm it",
            duration(late)
        );
        let look = by_hand.kubectl_of_cluster(["describe", "node", node]).to("check the node");
        return Some((Weight::Problem, says, look));
    }
    let grace = pod.metadata.deletion_grace_period_seconds.unwrap_or_default();
    let says = format!("is terminating, for up to {grace} s");
    Some((Weight::NotYet, says, by_hand.kubectl("get pods -w").to("watch it")))
}
