//! What is asked before the exchange's pod is stopped.

use super::super::Args;
use super::super::confirm::{grace_0, not_local, typed};
use super::preflight::Ready;
use crate::context::Ctx;

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
    if reasons.is_empty() || args.yes {
        return Ok(());
    }
    let name = &ready.pod.name;
    typed(ctx, &reasons, &format!("pod/{name} in namespace {} will be deleted", place.namespace), name).await
}
