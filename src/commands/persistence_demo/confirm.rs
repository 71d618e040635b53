//! What is asked before it is done: people have production clusters in the same kubeconfig.

use std::io::{IsTerminal, stderr, stdin};

use super::Args;
use super::preflight::Ready;
use crate::commands::shared::confirm::{is_local, line};
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::names;
use crate::kubernetes::Place;
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
    if reasons.is_empty() || args.yes {
        return Ok(());
    }
    let name = names::POSTGRES_POD;
    typed(ctx, &reasons, &format!("pod/{name} in namespace {} will be deleted", place.namespace), name).await
}

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

/// A reason to ask: two servers at once.
pub fn grace_0(how: How) -> Option<String> {
    let reason = "with --how force, two servers may run for a moment";
    (how == How::Force).then(|| reason.to_owned())
}
