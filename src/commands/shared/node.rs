//! Which node has the folder of a static volume, or of each member's. Without a pin the data stays behind when the pod moves.

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
    let nodes = list(ctx).await?;
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

/// The nodes; none if one may not list them.
async fn list(ctx: &Ctx) -> anyhow::Result<Option<Vec<Node>>> {
    match ctx.cluster().await?.list::<Node>(&ListParams::default().limit(MOST)).await {
        Ok(nodes) => Ok(Some(nodes)),
        Err(error) if matches!(error.cause, Cause::Forbidden(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The value of that label for each member of a replicated database, of which these have a volume that is pinned already: it stays
/// where it is. The others go where the fewest are.
///
/// # Errors
/// If a volume is on another node than the wanted one, or no node can be chosen.
pub async fn of_members(ctx: &Ctx, wanted: Option<&str>, pinned: &[Option<String>]) -> anyhow::Result<Vec<String>> {
    let all: Option<Vec<String>> = pinned.iter().cloned().collect();
    if let Some(all) = all.filter(|_| wanted.is_none()) {
        return Ok(all);
    }
    let nodes = list(ctx).await?;
    match wanted {
        Some(wanted) => Ok(all_on(&ctx.by_hand, nodes.as_deref(), wanted, pinned)?),
        None => Ok(spread(&ctx.by_hand, nodes.as_deref(), pinned)?),
    }
}

/// All members on the node that somebody has chosen. Without a list of the nodes, its name is taken for its label.
fn all_on(
    by_hand: &ByHand,
    nodes: Option<&[Node]>,
    wanted: &str,
    pinned: &[Option<String>],
) -> Result<Vec<String>, Error> {
    let named = |nodes: &[Node]| nodes.iter().find(|node| node.name_any() == wanted).map(label);
    let Some(hostname) = nodes.map_or_else(|| Some(wanted.to_owned()), named) else {
        let look = by_hand.kubectl_of_cluster("get nodes").to("list them");
        return Err(Error::new(format!("there is no node {wanted:?}"), look));
    };
    let elsewhere =
        (0..).zip(pinned).find_map(|(number, pin)| Some((number, pin.as_ref().filter(|pin| **pin != hostname)?)));
    match elsewhere {
        Some((number, pin)) => Err(Error::new(
            format!(
                "the data of {} is on node {pin:?}, and cannot be moved to {wanted}: --node puts all members on one node",
                names::member(number).0
            ),
            "omit --node: each member stays where it is, and new ones go where the fewest are",
        )),
        None => Ok(vec![hostname; pinned.len()]),
    }
}

/// Each new member on the node that has the fewest, of those that take pods; of several, the first by its name.
fn spread(by_hand: &ByHand, nodes: Option<&[Node]>, pinned: &[Option<String>]) -> Result<Vec<String>, Error> {
    let Some(nodes) = nodes else {
        return Err(Error::new(
            "you may not list nodes, so the nodes for the members' directories cannot be chosen",
            "choose one for all with --node NAME, or let the cluster create the volumes: --storage dynamic",
        ));
    };
    let mut usable: Vec<&Node> = nodes.iter().filter(|node| is_usable(node)).collect();
    usable.sort_by_key(|node| node.name_any());
    let mut members: Vec<(String, usize)> = usable
        .into_iter()
        .map(label)
        .map(|node| {
            let has = pinned.iter().flatten().filter(|pin| **pin == node).count();
            (node, has)
        })
        .collect();
    let chosen = pinned.iter().map(|pin| match pin {
        Some(pin) => Some(pin.clone()),
        None => members.iter_mut().min_by_key(|(_, has)| *has).map(|(node, has)| {
            *has += 1;
            node.clone()
        }),
    });
    chosen.collect::<Option<_>>().ok_or_else(|| none_is_usable(by_hand, "the members' volumes"))
}

fn none_is_usable(by_hand: &ByHand, what: &str) -> Error {
    Error::new(
        format!("no node is ready and free of taints, so none can be chosen for {what}"),
        by_hand.kubectl_of_cluster("get nodes").to("check the nodes").and("choose one with --node NAME"),
    )
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
    let named = |name: &str| nodes.iter().find(|node| node.name_any() == name);
    if let Some(wanted) = wanted {
        return match (named(wanted), runs_on) {
            (None, _) => Err(Error::new(
                format!("there is no node {wanted:?}"),
                by_hand.kubectl_of_cluster("get nodes").to("list them"),
            )),
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
        None => Err(none_is_usable(by_hand, "the volume")),
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

    fn spread(nodes: &[Node], pinned: &[Option<&str>]) -> Result<Vec<String>, Error> {
        let pinned: Vec<_> = pinned.iter().map(|pin| pin.map(str::to_owned)).collect();
        super::spread(&ByHand::default(), Some(nodes), &pinned)
    }

    #[test]
    fn members_are_spread_over_the_nodes_that_take_pods() {
        let nodes = [
            node("c", "True", None),
            node("b", "True", None),
            node("a", "True", Some("NoSchedule")),
            node("d", "False", None),
        ];
        assert_eq!(spread(&nodes, &[None; 3]).unwrap(), ["b.host", "c.host", "b.host"]);
        assert_eq!(spread(&nodes[..1], &[None; 3]).unwrap(), ["c.host"; 3]);
        assert!(spread(&nodes[2..], &[None; 3]).unwrap_err().to_string().contains("no node is ready"));
        assert!(super::spread(&ByHand::default(), None, &[None]).unwrap_err().to_string().contains("may not list"));
    }

    #[test]
    fn a_member_stays_where_its_volume_is_and_new_ones_go_where_the_fewest_are() {
        let nodes = [node("a", "True", None), node("b", "True", None)];
        // Of a node that is not there any more too: a volume cannot be moved.
        let pinned = [Some("b.host"), Some("gone"), Some("b.host"), None, None, None];
        assert_eq!(spread(&nodes, &pinned).unwrap(), ["b.host", "gone", "b.host", "a.host", "a.host", "a.host"]);
        assert_eq!(spread(&[], &[Some("gone")]).unwrap(), ["gone"]);
    }

    #[test]
    fn a_chosen_node_has_all_members_or_none() {
        let nodes = [node("a", "True", None), node("b", "True", Some("NoSchedule"))];
        let on = |wanted: &str, pinned: &[Option<&str>]| {
            let pinned: Vec<_> = pinned.iter().map(|pin| pin.map(str::to_owned)).collect();
            all_on(&ByHand::default(), Some(&nodes), wanted, &pinned).map_err(|error| error.to_string())
        };
        assert_eq!(on("b", &[None, None]).unwrap(), ["b.host"; 2]);
        assert_eq!(on("b", &[Some("b.host"), None]).unwrap(), ["b.host"; 2]);
        assert!(on("b", &[None, Some("a.host")]).unwrap_err().contains("the data of postgres-1 is on node \"a.host\""));
        assert!(on("x", &[None]).unwrap_err().contains("there is no node \"x\""));
        assert_eq!(all_on(&ByHand::default(), None, "x", &[None]).unwrap(), ["x"]);
    }
}
