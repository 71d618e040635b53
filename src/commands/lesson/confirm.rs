//! What is asked before the exchange itself is changed on a cluster that others may use.

use crate::commands::shared::demo::confirm;
use crate::context::Ctx;
use crate::exchange::names;

/// Asks before the set is scaled, unless the cluster is known to be on the user's own machine.
pub async fn scaling(ctx: &Ctx, yes: bool) -> anyhow::Result<()> {
    let (set, namespace) = (names::POSTGRES, ctx.cluster().await?.namespace());
    let what = format!("statefulset/{set} in namespace {namespace} will be scaled to 2 and back to 1");
    confirm::elsewhere(ctx, yes, &what, set).await
}
