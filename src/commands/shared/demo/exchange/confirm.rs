//! What is asked before the exchange's pod is stopped.

use super::super::Args;
use super::super::confirm::{grace_0, not_local, typed};
use super::preflight::Ready;
use super::whole_node::count_pods;
use crate::context::Ctx;
use crate::persistence::How;

/// Asks, if there is anything to ask about.
pub async fn all(args: &Args, ctx: &Ctx, ready: &Ready) -> anyhow::Result<()> {
    let place = ctx.cluster().await?.place();
    let mut reasons: Vec<String> = not_local(place).into_iter().chain(grace_0(args.how)).collect();
    if ready.pod.claim.is_none() {
        reasons
            .push(format!("the data directory is not on a claim: its {} rows will be lost with the pod", ready.rows));
    }
    if ready.changes_template {
        reasons.push(
            "the StatefulSet has a newer template than its pod: the new pod will differ from the old one".to_owned(),
        );
    }
    if args.yes {
        return Ok(());
    }
    let name = &ready.pod.name;
    if args.how == How::Node {
        return whole_node(ctx, reasons, ready).await;
    }
    if reasons.is_empty() {
        return Ok(());
    }
    typed(ctx, &reasons, &format!("pod/{name} in namespace {} will be deleted", place.namespace), name).await
}

/// Others lose their pods with a node, so its name is always to be typed.
async fn whole_node(ctx: &Ctx, mut reasons: Vec<String>, ready: &Ready) -> anyhow::Result<()> {
    let node = ready.pod.node.as_deref().unwrap_or_default();
    let others = match count_pods(ctx.cluster().await?, node).await {
        None => ", which you may not list".to_owned(),
        Some(count) => match count.saturating_sub(1) {
            0 => format!(": only pod/{}", ready.pod.name),
            1 => format!(": pod/{} and 1 other", ready.pod.name),
            others => format!(": pod/{} and {others} others", ready.pod.name),
        },
    };
    reasons.push(format!("all pods of node/{node} stop with it{others}"));
    let what = format!("--stop-node will be run for node/{node}, and --start-node after that");
    typed(ctx, &reasons, &what, node).await
}
