use k8s_openapi::api::core::v1::{Node, PersistentVolume};
use kube::ResourceExt;
use serde_json::json;

use crate::exchange::names;
use crate::findings::{Cause, Finding, Need, Observed, Weight, claims};
use crate::observe::Member;
use crate::text::Hint;

/// The volume is a directory of whatever node its pod is on.
pub static CAUSE: Cause = Cause {
    id: "KC018",
    slug: "volume-on-any-node",
    title: "The volume is a directory, and is not tied to a node",
    text: include_str!("volume_on_any_node.md"),
    explains: &[],
    needs: &[Need::Nodes],
    mend: None,
    judge: |observed| {
        let Some(nodes) = observed.details.nodes.present() else { return vec![] };
        let several = nodes.iter().filter(|node| takes_pods(node)).count();
        if several < 2 {
            return vec![];
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
        finding.collect()
    },
};

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
    let node = observed.snapshot.pod_of(member).and_then(|pod| pod.spec.as_ref()?.node_name.as_deref());
    let hostname = node
        .and_then(|node| nodes.iter().find(|it| it.name_any() == node))
        .and_then(|node| node.labels().get(names::HOSTNAME));
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
