//! What is asked about a set that is not the exchange's, always.

use super::super::Args;
use super::super::confirm::{grace_0, not_local, typed};
use super::preflight::Ready;
use crate::context::Ctx;

/// Asks.
pub async fn all(args: &Args, ctx: &Ctx, ready: &Ready) -> anyhow::Result<()> {
    if args.yes {
        return Ok(());
    }
    let place = ctx.cluster().await?.place();
    let mut reasons: Vec<String> = not_local(place).into_iter().chain(grace_0(args.how)).collect();
    let unclaimed = ready.members.iter().filter(|member| member.claims.is_empty()).map(|member| member.pod.as_str());
    let unclaimed: Vec<&str> = unclaimed.collect();
    if !unclaimed.is_empty() {
        reasons.push(format!("the data of {} is not on a claim, and will be lost with the pod", unclaimed.join(", ")));
    }
    let pods: Vec<&str> = ready.members.iter().map(|member| member.pod.as_str()).collect();
    let order = if pods.len() > 1 { ", one after another" } else { "" };
    let what = format!("{} in namespace {} will be deleted{order}", pods.join(", "), place.namespace);
    typed(ctx, &reasons, &what, &ready.set.name).await
}
