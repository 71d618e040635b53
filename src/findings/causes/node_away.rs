use k8s_openapi::api::core::v1::{Node, NodeCondition, Pod};
use kube::ResourceExt;

use super::{
    backend_unreachable, database_unreachable, not_ready, page_unreachable, probe_failing, starting, stopping,
};
use crate::findings::{Cause, Finding, Need, Observed, Weight, pods};
use crate::text::duration;

/// The node of a pod is not ready.
pub static CAUSE: Cause = Cause {
    id: "KC030",
    slug: "node-away",
    title: "The node of a pod is not ready",
    text: include_str!("node_away.md"),
    explains: &[
        &stopping::CAUSE,
        &probe_failing::CAUSE,
        &starting::CAUSE,
        &not_ready::CAUSE,
        &database_unreachable::CAUSE,
        &backend_unreachable::CAUSE,
        &page_unreachable::CAUSE,
    ],
    needs: &[Need::Nodes],
    mend: None,
    judge: |observed| {
        let not_ready = pods::not_ready(observed).into_iter();
        let away = not_ready.filter_map(|(app, pod)| {
            let node = node(observed, pod)?;
            let ready = condition(node).filter(|ready| ready.status != "True")?;
            Some(Finding {
                cause: &CAUSE,
                weight: Weight::Problem,
                app,
                object: pods::reference(pod),
                says: says(observed, node, ready),
                hint: observed
                    .by_hand
                    .kubectl_of_cluster(["describe", "node", &node.name_any()])
                    .to("see what is wrong with the node"),
            })
        });
        away.collect()
    },
};

fn node<'a>(observed: &Observed<'a>, pod: &Pod) -> Option<&'a Node> {
    let name = pod.spec.as_ref()?.node_name.as_deref()?;
    observed.details.nodes.present()?.iter().find(|node| node.name_any() == name)
}

fn condition(node: &Node) -> Option<&NodeCondition> {
    node.status.as_ref()?.conditions.as_ref()?.iter().find(|condition| condition.type_ == "Ready")
}

fn says(observed: &Observed, node: &Node, ready: &NodeCondition) -> String {
    let since = ready.last_transition_time.as_ref().map(|since| observed.now.duration_since(since.0));
    let since = since.map(|since| format!(" for {}", duration(since))).unwrap_or_default();
    let why = ready.message.as_deref().filter(|why| !why.is_empty()).map(|why| format!(": {why}"));
    format!("is on node {}, which has not been ready{since}{}", node.name_any(), why.unwrap_or_default())
}
