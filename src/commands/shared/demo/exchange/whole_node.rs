//! Whether the node of the database may be stopped, with all that is on it.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, Pod};
use kube::ResourceExt;
use kube::api::ListParams;
use tokio::time::{Instant, sleep};

use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::names;
use crate::kubernetes::{ByHand, Cause, Cluster};
use crate::observe::{Snapshot, dns, readiness};
use crate::text::Hint;

/// What a node has that the control plane runs on.
const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";

/// How long a node that was started again may take to be ready.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(300);

/// Refuses a node that must not be stopped, and warns if all of the cluster's DNS is on it. Gives the pod of the backend that asks
/// meanwhile; none if none is ready.
pub async fn check(ctx: &Ctx, snapshot: &Snapshot, pod: &Pod) -> anyhow::Result<Option<String>> {
    may_stop(ctx, snapshot, pod, Instant::now()).await?;
    is_followed_elsewhere(ctx, snapshot, pod)?;
    let all: Vec<&Pod> = snapshot.pods_of(names::BACKEND).filter(|backend| readiness::pod(backend)).collect();
    let backend = match (all.iter().find(|backend| node_of(backend) != node_of(pod)), all.first()) {
        (Some(elsewhere), _) => Some(elsewhere.name_any()),
        (None, Some(beside)) => return Err(beside_it(ctx, snapshot, pod, &beside.name_any())),
        (None, None) => None,
    };
    warn_of_dns(ctx, pod).await?;
    Ok(backend)
}

/// Says so if no name will be resolved without this pod's node.
async fn warn_of_dns(ctx: &Ctx, pod: &Pod) -> anyhow::Result<()> {
    let Some(node) = dns::only_node(ctx.cluster().await?).await.filter(|node| node_of(pod) == Some(node)) else {
        return Ok(());
    };
    ctx.printer.warning(&format!(
        "the cluster's DNS is on node/{node} only: until the node is back, no name is resolved and the application waits"
    ));
    let look = ctx.by_hand.kubectl_of_cluster("get pods -n kube-system -l k8s-app=kube-dns -o wide");
    ctx.printer.hint(look.to("see where its pods are"));
    Ok(())
}

/// The same before the next turn, in which this pod of the backend asks.
pub async fn again(ctx: &Ctx, snapshot: &Snapshot, pod: &Pod, backend: Option<&str>) -> anyhow::Result<()> {
    may_stop(ctx, snapshot, pod, Instant::now() + PATIENCE).await?;
    is_followed_elsewhere(ctx, snapshot, pod)?;
    let beside = snapshot
        .pods_of(names::BACKEND)
        .find(|other| backend == Some(&*other.name_any()) && node_of(other) == node_of(pod));
    beside.map_or(Ok(()), |beside| Err(beside_it(ctx, snapshot, pod, &beside.name_any())))
}

/// Refuses a node that is not ready until then, and one of the control plane. What may not be read is not refused.
async fn may_stop(ctx: &Ctx, snapshot: &Snapshot, pod: &Pod, deadline: Instant) -> anyhow::Result<()> {
    let name = node_of(pod).unwrap_or_default();
    loop {
        let node = match ctx.cluster().await?.get::<Node>(name).await {
            Ok(Some(node)) => node,
            Ok(None) => return Err(refused(&format!("node/{name} does not exist"), ctx.own_command("status"))),
            Err(error) if matches!(error.cause, Cause::Forbidden(_)) => {
                ctx.printer.note(format!(
                    "you may not read node/{name}: whether it is Ready, or the control plane runs on it, is not known"
                ));
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        match why_not(&node, snapshot.is_replicated(), &ctx.by_hand) {
            None => return Ok(()),
            Some(_) if Instant::now() < deadline && !is_of_control_plane(&node) => sleep(PAUSE).await,
            Some((why, hint)) => return Err(refused(&why, hint)),
        }
    }
}

/// Refuses the node of the primary if every standby that may take over is on it too: nobody else has every acknowledged row.
fn is_followed_elsewhere(ctx: &Ctx, snapshot: &Snapshot, pod: &Pod) -> anyhow::Result<()> {
    let Some(replication) = snapshot.replication.present().filter(|_| snapshot.is_replicated()) else { return Ok(()) };
    let node = node_of(pod);
    let is_beside = |name: &&String| {
        snapshot.pods_of(names::POSTGRES).any(|member| member.name_any() == **name && node_of(member) == node)
    };
    let beside: Vec<&String> = replication.synchronous.iter().filter(is_beside).collect();
    match beside.first() {
        Some(first) if beside.len() == replication.synchronous.len() => {
            let node = node.unwrap_or_default();
            let why = format!(
                "pod/{first} is on node/{node} too, and no other standby has every acknowledged row: nobody could take over"
            );
            let hint = ctx.by_hand.kubectl(["delete", "pod", first]).to("let another standby have every row");
            Err(refused(&why, hint))
        }
        _ => Ok(()),
    }
}

/// Why a node must not be stopped, and what helps.
fn why_not(node: &Node, is_replicated: bool, by_hand: &ByHand) -> Option<(String, Hint)> {
    let name = node.name_any();
    if is_of_control_plane(node) {
        let hint = if is_replicated {
            by_hand.own("switchover").to("make a member on another node the primary")
        } else {
            by_hand
                .kubectl_of_cluster("get nodes")
                .to("use a cluster with more nodes, and a database on one of the others")
        };
        return Some((format!("the control plane is on node/{name}: without it, nothing could be asked"), hint));
    }
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let is_ready = conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True");
    let look = || by_hand.kubectl_of_cluster(["describe", "node", &name]).to("see what is wrong with it");
    (!is_ready).then(|| (format!("node/{name} is not Ready"), look()))
}

fn is_of_control_plane(node: &Node) -> bool {
    node.labels().contains_key(CONTROL_PLANE)
}

/// The pod by which rows are written and the name is asked would be away too.
fn beside_it(ctx: &Ctx, snapshot: &Snapshot, pod: &Pod, backend: &str) -> anyhow::Error {
    let node = node_of(pod).unwrap_or_default();
    let why = format!(
        "pod/{backend}, by which rows are written and the name is asked, is on node/{node} too, with pod/{}",
        pod.name_any()
    );
    let by_hand = &ctx.by_hand;
    let moved = by_hand
        .kubectl_of_cluster(["cordon", node])
        .to("move the backend to another node")
        .and(by_hand.kubectl(["delete", "pod", backend]))
        .and(by_hand.kubectl_of_cluster(["uncordon", node]));
    let hint = if snapshot.is_replicated() {
        by_hand.own("switchover").to("make a member on another node the primary").and(moved)
    } else {
        moved
    };
    refused(&why, hint)
}

/// How many pods are on a node that have not ended; none if that may not be read.
pub async fn count_pods(cluster: &Cluster, node: &str) -> Option<usize> {
    let running = format!("spec.nodeName={node},status.phase!=Succeeded,status.phase!=Failed");
    let pods = cluster.list_metadata_everywhere::<Pod>(&ListParams::default().fields(&running)).await;
    pods.ok().map(|pods| pods.len())
}

fn refused(why: &str, hint: impl Into<Hint>) -> anyhow::Error {
    Error::new(format!("not started: {why}"), hint).into()
}

fn node_of(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.node_name.as_deref()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_node_must_be_ready_and_none_of_the_control_plane() {
        let node = |labels, ready: &str| -> Node {
            let status = json!({ "conditions": [{ "type": "Ready", "status": ready }] });
            let metadata = json!({ "name": "node-3", "labels": labels });
            serde_json::from_value(json!({ "metadata": metadata, "status": status })).unwrap()
        };
        let why = |node: &Node| why_not(node, true, &ByHand::default());
        assert!(why(&node(json!({}), "True")).is_none());
        let (unready, hint) = why(&node(json!({}), "Unknown")).unwrap();
        assert!(unready == "node/node-3 is not Ready" && hint.to_string().contains("describe node node-3"), "{hint}");
        let (control, hint) = why(&node(json!({ CONTROL_PLANE: "" }), "True")).unwrap();
        assert!(control.starts_with("the control plane is on node/node-3"), "{control}");
        assert!(hint.to_string().ends_with("kubectl kubecoin switchover"), "{hint}");
    }
}
