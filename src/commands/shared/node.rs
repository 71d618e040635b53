//! Which node has the folder of the static volume. Without a pin the data stays behind when the pod moves.

use k8s_openapi::api::core::v1::Node;
use kube::ResourceExt;
use kube::api::ListParams;

use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::{marks, names};
use crate::kubernetes::{ByHand, Cause};
use crate::observe::Snapshot;

/// As many nodes as are looked at to choose one.
const MOST: u32 = 500;

/// The value of the label `kubernetes.io/hostname` to pin the volume to. None on a cluster of one node.
pub async fn hostname(ctx: &Ctx, wanted: Option<&str>, snapshot: &Snapshot) -> anyhow::Result<Option<String>> {
    let pinned = snapshot.volumes().find_map(marks::pinned_to);
    if pinned.is_some() && wanted.is_none_or(|wanted| pinned.as_deref() == Some(wanted)) {
        return Ok(pinned);
    }
    let nodes = match ctx.cluster().await?.list::<Node>(&ListParams::default().limit(MOST)).await {
        Ok(nodes) => Some(nodes),
        Err(error) if matches!(error.cause, Cause::Forbidden(_)) => None,
        Err(error) => return Err(error.into()),
    };
    if let (Some(pinned), Some(wanted)) = (&pinned, wanted) {
        return match nodes.iter().flatten().find(|node| node.name_any() == wanted) {
            Some(node) if label(node) == *pinned => Ok(Some(label(node))),
            _ => Err(Error::new(
                format!("the volume is pinned to node {pinned:?}, which cannot be changed to {wanted}"),
                "omit --node; to move the data, copy it and deploy to another namespace",
            )
            .into()),
        };
    }
    let Some(nodes) = nodes else { return without_looking(wanted, snapshot) };
    let runs_on = snapshot.primary().and_then(|pod| pod.spec.as_ref()?.node_name.as_deref());
    Ok(choose(&ctx.by_hand, &nodes, runs_on, wanted)?)
}

fn without_looking(wanted: Option<&str>, snapshot: &Snapshot) -> anyhow::Result<Option<String>> {
    match (wanted, snapshot.volumes().next()) {
        (Some(wanted), _) => Ok(Some(wanted.to_owned())),
        (None, Some(_)) => Ok(None),
        (None, None) => Err(Error::new(
            "you may not list nodes, so a node for the volume's directory cannot be chosen",
            "choose one with --node NAME, or let the cluster create a volume: --storage dynamic",
        )
        .into()),
    }
}

/// What a volume is pinned to: a node's label, which need not be the node's name.
fn label(node: &Node) -> String {
    node.labels().get(names::HOSTNAME).cloned().unwrap_or_else(|| node.name_any())
}

fn choose(
    by_hand: &ByHand,
    nodes: &[Node],
    runs_on: Option<&str>,
    wanted: Option<&str>,
) -> Result<Option<String>, Error> {
    let look = || by_hand.kubectl_of_cluster("get nodes");
    let named = |name: &str| nodes.iter().find(|node| node.name_any() == name);
    if let Some(wanted) = wanted {
        return match (named(wanted), runs_on) {
            (None, _) => Err(Error::new(format!("there is no node {wanted:?}"), look().to("list them"))),
            (_, Some(runs_on)) if runs_on != wanted => Err(Error::new(
                format!(
                    "the data is on node {runs_on:?}, where postgres-0 runs: with --node {wanted:?} the data would stay behind"
                ),
                "omit --node; to move the data, copy it and deploy to another namespace",
            )),
            (Some(node), _) => Ok(Some(label(node))),
        };
    }
    if let Some(node) = runs_on.and_then(named).filter(|_| nodes.len() > 1) {
        return Ok(Some(label(node)));
    }
    if nodes.len() == 1 {
        return Ok(None);
    }
    let mut usable: Vec<&Node> = nodes.iter().filter(|node| is_usable(node)).collect();
    usable.sort_by_key(|node| node.name_any());
    match usable.first() {
        Some(node) => Ok(Some(label(node))),
        None => Err(Error::new(
            "no node is ready and free of taints, so none can be chosen for the volume",
            look().to("check the nodes").and("choose one with --node NAME"),
        )),
    }
}

fn is_usable(node: &Node) -> bool {
    let spec = node.spec.clone().unwrap_or_default();
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let ready = conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True");
    let keeps_away = |effect: &str| matches!(effect, "NoSchedule" | "NoExecute");
    let tainted = spec.taints.iter().flatten().any(|taint| keeps_away(&taint.effect));
    ready && !tainted && !spec.unschedulable.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node(name: &str, ready: &str, taint: Option<&str>) -> Node {
        let taints = taint.map(|effect| json!([{ "key": "k", "effect": effect }]));
        serde_json::from_value(json!({
            "metadata": { "name": name, "labels": { names::HOSTNAME: format!("{name}.host") } },
            "spec": { "taints": taints },
            "status": { "conditions": [{ "type": "Ready", "status": ready }] },
        }))
        .unwrap()
    }

    fn choose(nodes: &[Node], runs_on: Option<&str>, wanted: Option<&str>) -> Result<Option<String>, Error> {
        super::choose(&ByHand::default(), nodes, runs_on, wanted)
    }

    #[test]
    fn one_node_needs_no_pin() {
        assert_eq!(choose(&[node("a", "True", None)], Some("a"), None).unwrap(), None);
    }

    #[test]
    fn the_first_usable_node_by_name_unless_the_data_is_elsewhere() {
        let nodes = [
            node("d", "True", None),
            node("c", "True", None),
            node("b", "False", None),
            node("a", "True", Some("NoSchedule")),
        ];
        assert_eq!(choose(&nodes, None, None).unwrap().as_deref(), Some("c.host"));
        assert_eq!(choose(&nodes, Some("d"), None).unwrap().as_deref(), Some("d.host"));
        assert_eq!(choose(&nodes, None, Some("b")).unwrap().as_deref(), Some("b.host"));
        assert!(choose(&nodes, Some("d"), Some("c")).is_err());
        assert!(choose(&nodes, None, Some("x")).unwrap_err().to_string().contains("no node"));
        assert!(choose(&[nodes[2].clone(), nodes[3].clone()], None, None).is_err());
    }
}
