//! What is asked before the exchange itself is changed on a cluster that others may use.

use crate::commands::shared::demo::confirm::{not_local, typed};
use crate::context::Ctx;
use crate::exchange::names;

/// Asks before the set is scaled, unless the cluster is known to be on the user's own machine.
pub async fn scaling(ctx: &Ctx, yes: bool) -> anyhow::Result<()> {
    let place = ctx.cluster().await?.place();
    match not_local(place) {
        Some(reason) if !yes => {
            let set = names::POSTGRES;
            let what = format!("statefulset/{set} in namespace {} will be scaled to 2 and back to 1", place.namespace);
            typed(ctx, &[reason], &what, set).await
        }
        _ => Ok(()),
    }
}
