//! What every subject asks before it begins: people have production clusters in the same kubeconfig.

use std::io::{IsTerminal, stderr, stdin};

use crate::commands::shared::confirm::{is_local, line};
use crate::context::Ctx;
use crate::error::Error;
use crate::kubernetes::Place;
use crate::persistence::How;

/// Gives the reasons, and has a name typed.
pub async fn typed(ctx: &Ctx, reasons: &[String], what: &str, name: &str) -> anyhow::Result<()> {
    for reason in reasons {
        ctx.printer.warning(reason);
    }
    ctx.printer.note(format!("{what}; type {name} to continue:"));
    if stdin().is_terminal() && stderr().is_terminal() && line().await.is_some_and(|line| line.trim() == name) {
        return Ok(());
    }
    Err(Error::new("not started: not confirmed", "confirm with --yes").into())
}

/// A reason to ask: the cluster.
pub fn not_local(place: &Place) -> Option<String> {
    let reason = || format!("{} may not be a cluster on your own machine", place.address_in_words());
    (!is_local(place)).then(reason)
}

/// Has a name typed, unless the cluster is known to be on the user's own machine.
pub async fn elsewhere(ctx: &Ctx, yes: bool, what: &str, name: &str) -> anyhow::Result<()> {
    match not_local(ctx.cluster().await?.place()) {
        Some(reason) if !yes => typed(ctx, &[reason], what, name).await,
        _ => Ok(()),
    }
}

/// A reason to ask: two servers at once.
pub fn grace_0(how: How) -> Option<String> {
    let reason = "with --how force, two servers may run for a moment";
    (how == How::Force).then(|| reason.to_owned())
}
