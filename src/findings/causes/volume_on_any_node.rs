use k8s_openapi::api::core::v1::{Node, NodeSelectorTerm, PersistentVolume, Pod};
use kube::ResourceExt;
use serde_json::json;

use crate::exchange::names;
use crate::findings::{Cause, Finding, Need, Observed, Weight, claims};
use crate::observe::Member;
use crate::text::Hint;

/// The volume is a directory of whatever node its pod is on, or of another one than it says.
pub static CAUSE: Cause = Cause {
    id: "KC018",
    slug: "volume-on-any-node",
    title: "The volume is a directory, and is not tied to its node",
    text: include_str!("volume_on_any_node.md"),
    explains: &[],
    needs: &[Need::Nodes],
    mend: None,
    judge: |observed| {
        let Some(nodes) = observed.details.nodes.present() else { return vec![] };
        let misplaced =
            || claims::bound(observed).filter_map(|(member, volume)| misplaced(observed, nodes, member, volume));
        let several = nodes.iter().filter(|node| takes_pods(node)).count();
        if several < 2 {
            return misplaced().collect();
        }
        let loose = claims::bound(observed).filter(|(_, volume)| is_loose(volume));
        let finding = loose.map(|(member, volume)| Finding {
            cause: &CAUSE,
            weight: Weight::Warning,
            app: names::POSTGRES,
            object: claims::reference(volume),
            says: format!(
                "is a directory on a node (hostPath) without nodeAffinity, and {several} nodes can run its pod: on another node, the pod would not find the data"
            ),
            hint: hint(observed, nodes, member, volume),
        });
        finding.chain(misplaced()).collect()
    },
};

/// A directory that is tied to another node than its pod runs on: that one has the data, and the next pod goes to the other.
fn misplaced(observed: &Observed, nodes: &[Node], member: &Member, volume: &PersistentVolume) -> Option<Finding> {
    let spec = volume.spec.as_ref().filter(|spec| spec.host_path.is_some() && !is_loose(volume))?;
    let required = spec.node_affinity.as_ref()?.required.as_ref()?;
    let pod = observed.snapshot.pod_of(member)?;
    let node = node_of(nodes, pod)?;
    if required.node_selector_terms.iter().any(|term| is_met(term, node)) {
        return None;
    }
    let (name, node) = (volume.name_any(), node.name_any());
    Some(Finding {
        cause: &CAUSE,
        weight: Weight::Problem,
        app: names::POSTGRES,
        object: claims::reference(volume),
        says: format!(
            "is a directory on a node (hostPath), and its nodeAffinity does not allow node {node}, where its pod runs: the next pod would not find the data"
        ),
        hint: observed
            .by_hand
            .kubectl_of_cluster(["describe", "persistentvolume", &name])
            .to("see which node it is tied to"),
    })
}

fn node_of<'a>(nodes: &'a [Node], pod: &Pod) -> Option<&'a Node> {
    let name = pod.spec.as_ref()?.node_name.as_deref()?;
    nodes.iter().find(|node| node.name_any() == name)
}

/// Whether a node is one of those that a term allows, by its labels.
fn is_met(term: &NodeSelectorTerm, node: &Node) -> bool {
    term.match_expressions.iter().flatten().all(|expression| {
        let value = node.labels().get(&expression.key);
        let is_listed = || value.is_some_and(|value| expression.values.iter().flatten().any(|it| it == value));
        match expression.operator.as_str() {
            "In" => is_listed(),
            "NotIn" => !is_listed(),
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            // Numbers are not compared.
            _ => true,
        }
    })
}

fn is_loose(volume: &PersistentVolume) -> bool {
    volume.spec.as_ref().is_some_and(|spec| {
        let terms = spec.node_affinity.as_ref().and_then(|affinity| affinity.required.as_ref());
        spec.host_path.is_some() && terms.is_none_or(|required| required.node_selector_terms.is_empty())
    })
}

/// Whether pods without tolerations may come to run there one day. The taints of the cluster itself come and go.
fn takes_pods(node: &Node) -> bool {
    let taints = node.spec.iter().flat_map(|spec| spec.taints.iter().flatten());
    let keeps_away = |effect: &str| matches!(effect, "NoSchedule" | "NoExecute");
    !taints.into_iter().any(|taint| keeps_away(&taint.effect) && !taint.key.starts_with("node.kubernetes.io/"))
}

/// Ties it to the node that its pod is on now, which has the data.
fn hint(observed: &Observed, nodes: &[Node], member: &Member, volume: &PersistentVolume) -> Hint {
    let (by_hand, name) = (observed.by_hand, volume.name_any());
    if name == names::volume(observed.namespace) {
        return by_hand.own("deploy").to("tie it to the node of its pod");
    }
    let node = observed.snapshot.pod_of(member).and_then(|pod| node_of(nodes, pod));
    let hostname = node.and_then(|node| node.labels().get(names::HOSTNAME));
    match hostname {
        Some(hostname) => {
            let is_there = json!({ "key": names::HOSTNAME, "operator": "In", "values": [hostname] });
            let terms = json!({ "nodeSelectorTerms": [{ "matchExpressions": [is_there] }] });
            let patch = json!({ "spec": { "nodeAffinity": { "required": terms } } }).to_string();
            by_hand
                .kubectl_of_cluster(["patch", "persistentvolume", &name, "-p", &patch])
                .to("tie it to the node of its pod")
        }
        None => by_hand.kubectl_of_cluster(["describe", "persistentvolume", &name]).to("see what it is"),
    }
}
