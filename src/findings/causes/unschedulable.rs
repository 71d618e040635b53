use k8s_openapi::api::core::v1::{Node, Pod};
use kube::ResourceExt;

use super::{backend_unreachable, database_unreachable, not_ready, page_unreachable, starting};
use crate::exchange::{marks, names};
use crate::findings::{Cause, Finding, Need, Observed, Weight, pods};
use crate::observe::readiness;
use crate::text::Hint;

/// No node takes a pod.
pub static CAUSE: Cause = Cause {
    id: "KC021",
    slug: "unschedulable",
    title: "No node takes a pod",
    text: include_str!("unschedulable.md"),
    explains: &[
        &starting::CAUSE,
        &not_ready::CAUSE,
        &database_unreachable::CAUSE,
        &backend_unreachable::CAUSE,
        &page_unreachable::CAUSE,
    ],
    needs: &[Need::Nodes],
    mend: None,
    judge: |observed| {
        let unschedulable = pods::not_ready(observed).into_iter().filter_map(|(app, pod)| {
            let (status, message) = readiness::condition(pod, "PodScheduled")?;
            (status == "False").then(|| finding(observed, app, pod, message))
        });
        unschedulable.collect()
    },
};

/// A reason for which nodes do not take a pod.
struct Reason {
    /// What the scheduler writes for it: one of these.
    signs: &'static [&'static str],
    /// The same for a learner.
    words: &'static str,
    /// What helps.
    hint: fn(&Observed, &Pod) -> Hint,
}

/// All reasons, first those that can be removed: several nodes may have several, and most clusters have a node with a taint.
const REASONS: [Reason; 11] = [
    Reason {
        signs: &["unbound immediate PersistentVolumeClaims", "find available persistent volumes to bind"],
        words: "its claim has no volume",
        hint: |observed, _| observed.by_hand.kubectl("describe pvc").to("see why the claim has no volume"),
    },
    Reason {
        signs: &["ReadWriteOncePod"],
        words: "another pod uses its volume, which is for one pod",
        hint: |observed, pod| {
            let claim = claim_of(observed, pod).unwrap_or(names::CLAIM);
            observed.by_hand.kubectl(["describe", "pvc", claim]).to("see which pod uses it").and("delete that pod")
        },
    },
    Reason { signs: &["were unschedulable"], words: "a node is cordoned", hint: uncordon },
    Reason {
        signs: &["{node.kubernetes.io/not-ready", "{node.kubernetes.io/unreachable"],
        words: "a node is not ready",
        hint: |observed, _| observed.by_hand.kubectl_of_cluster("get nodes").to("see which node is not ready"),
    },
    Reason { signs: &["Insufficient cpu"], words: "not enough free CPU", hint: crowded },
    Reason { signs: &["Insufficient memory"], words: "not enough free memory", hint: crowded },
    Reason { signs: &["Insufficient ephemeral-storage"], words: "not enough free disk space", hint: crowded },
    Reason { signs: &["Too many pods"], words: "a node has as many pods as it can have", hint: crowded },
    Reason {
        signs: &["match Pod's node affinity"],
        words: "the pod asks for a node with other labels",
        hint: |observed, _| {
            observed
                .by_hand
                .kubectl_of_cluster("get nodes --show-labels")
                .to("compare the labels with what the pod asks for")
        },
    },
    Reason {
        signs: &["volume node affinity conflict", "match PersistentVolume's node affinity"],
        words: "its volume is on another node",
        hint: where_the_volume_is,
    },
    Reason {
        signs: &["untolerated taint"],
        words: "a node has a taint",
        hint: |observed, _| {
            let columns = "get nodes -o custom-columns=NAME:.metadata.name,TAINTS:.spec.taints[*].key";
            observed.by_hand.kubectl_of_cluster(columns).to("see the taints").and("remove one, or add a node without")
        },
    },
];

fn finding(observed: &Observed, app: &'static str, pod: &Pod, message: &str) -> Finding {
    // What follows is whether it would help to stop other pods.
    let nodes = message.split("preemption:").next().unwrap_or_default();
    let is_said = |reason: &&Reason| reason.signs.iter().any(|sign| nodes.contains(sign));
    let reasons: Vec<&Reason> = REASONS.iter().filter(is_said).collect();
    let words = reasons.iter().map(|reason| reason.words).collect::<Vec<_>>().join(", ");
    let why = if words.is_empty() { String::new() } else { format!(" ({words})") };
    let look = || observed.by_hand.kubectl(["describe", &pods::reference(pod)]).to("see why");
    Finding {
        cause: &CAUSE,
        weight: Weight::Problem,
        app,
        object: pods::reference(pod),
        says: format!("cannot be scheduled{why}: {message}"),
        hint: reasons.first().map_or_else(look, |reason| (reason.hint)(observed, pod)),
    }
}

/// Nothing is free on the nodes.
fn crowded(observed: &Observed, _: &Pod) -> Hint {
    observed
        .by_hand
        .kubectl_of_cluster("describe nodes")
        .to("see what uses the nodes")
        .and("stop other pods, or add a node")
}

/// The first claim of a pod.
fn claim_of<'a>(observed: &Observed<'a>, pod: &Pod) -> Option<&'a str> {
    let mut volumes = observed.snapshot.members.iter().filter(|member| member.pod == pod.name_any());
    volumes.next().map(|member| member.claim_name.as_str())
}

/// The node that the volume is tied to, as its label has it, for a pod that uses the volume.
fn tied_to(observed: &Observed, pod: &Pod) -> Option<String> {
    let member = observed.snapshot.members.iter().find(|member| member.pod == pod.name_any())?;
    marks::pinned_to(member.volume.present()?)
}

/// Lets pods on a node again: on the one that has the volume, if it is that.
fn uncordon(observed: &Observed, pod: &Pod) -> Hint {
    let nodes = observed.details.nodes.present().into_iter().flatten();
    let cordoned =
        || nodes.clone().filter(|node| node.spec.as_ref().is_some_and(|spec| spec.unschedulable == Some(true)));
    let tied = tied_to(observed, pod);
    let has_volume = |node: &&Node| tied.is_some() && node.labels().get(names::HOSTNAME) == tied.as_ref();
    match cordoned().find(has_volume).or_else(|| cordoned().next()) {
        Some(node) => {
            observed.by_hand.kubectl_of_cluster(["uncordon", &node.name_any()]).to("allow pods on the node again")
        }
        None => observed.by_hand.kubectl_of_cluster("get nodes").to("see which node is cordoned"),
    }
}

fn where_the_volume_is(observed: &Observed, pod: &Pod) -> Hint {
    match tied_to(observed, pod) {
        Some(hostname) if is_gone(observed, &hostname) => without_its_node(observed, pod, &hostname),
        Some(hostname) => observed
            .by_hand
            .kubectl_of_cluster(["get", "nodes", "-l", &format!("{}={hostname}", names::HOSTNAME)])
            .to("see the node that has the data")
            .and("start it, or make room on it"),
        None => observed.by_hand.kubectl("describe pvc").to("see which volume it is"),
    }
}

/// Whether the cluster has no node any more with this label.
fn is_gone(observed: &Observed, hostname: &str) -> bool {
    let has_it = |node: &Node| node.labels().get(names::HOSTNAME).is_some_and(|it| it == hostname);
    observed.details.nodes.present().is_some_and(|nodes| !nodes.iter().any(has_it))
}

/// What helps a pod whose data was on a node that is gone. A member of a replicated database can do without.
fn without_its_node(observed: &Observed, pod: &Pod, hostname: &str) -> Hint {
    let by_hand = observed.by_hand;
    let look = by_hand.kubectl_of_cluster("get nodes --show-labels").to(format!(
        "the volume is on a node with the label {}={hostname}, and none has it: add that node again",
        names::HOSTNAME
    ));
    let member = observed.snapshot.members.iter().find(|member| member.pod == pod.name_any());
    let volume = member.and_then(|member| member.volume.present()).map(ResourceExt::name_any);
    match (member, volume.filter(|name| names::number_of_volume(name).is_some())) {
        (Some(member), Some(volume)) => look
            .and(by_hand.kubectl(["delete", "persistentvolumeclaim", &member.claim_name, "--wait=false"]).to(
                "or, if it does not come back, delete the claim and the volume of this member: the others have the rows",
            ))
            .and(by_hand.kubectl_of_cluster(["delete", "persistentvolume", &volume]))
            .and(by_hand.own("deploy --ha").to("and give it a new one on another node")),
        _ => look,
    }
}
