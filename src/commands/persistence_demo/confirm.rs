//! What is asked before it is done: people have production clusters in the same kubeconfig.

use std::io::{IsTerminal, stderr, stdin};

use super::preflight::Ready;
use super::{Args, set};
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
        reasons.push(format!("the data directory is on no claim: its {} rows go with the pod", ready.rows));
    }
    if ready.changes_template {
        reasons
            .push("the set has a newer template than its pod: the new pod will not be as the old one was".to_owned());
    }
    if reasons.is_empty() || args.yes {
        return Ok(());
    }
    let name = names::POSTGRES_POD;
    typed(ctx, &reasons, &format!("pod/{name} of namespace {} will be taken away", place.namespace), name).await
}

/// Asks about a set that is not the exchange's, always.
pub async fn of_set(args: &Args, ctx: &Ctx, ready: &set::Ready) -> anyhow::Result<()> {
    if args.yes {
        return Ok(());
    }
    let place = ctx.cluster().await?.place();
    let mut reasons: Vec<String> = not_local(place).into_iter().chain(grace_0(args.how)).collect();
    let unclaimed = ready.members.iter().filter(|member| member.claims.is_empty()).map(|member| member.pod.as_str());
    let unclaimed: Vec<&str> = unclaimed.collect();
    if !unclaimed.is_empty() {
        reasons.push(format!("what {} keep is on no claim, and goes with the pod", unclaimed.join(", ")));
    }
    let pods: Vec<&str> = ready.members.iter().map(|member| member.pod.as_str()).collect();
    let what = format!("{} of namespace {} will be taken away, one after another", pods.join(", "), place.namespace);
    typed(ctx, &reasons, &what, &ready.set.name).await
}

/// Gives the reasons, and has a name typed.
async fn typed(ctx: &Ctx, reasons: &[String], what: &str, name: &str) -> anyhow::Result<()> {
    for reason in reasons {
        ctx.printer.warning(reason);
    }
    ctx.printer.note(format!("{what}; type {name} to go on:"));
    if stdin().is_terminal() && stderr().is_terminal() && line().await.is_some_and(|line| line.trim() == name) {
        return Ok(());
    }
    Err(Error::new("nothing was started: it was not confirmed", "say so on the command line: --yes").into())
}

fn not_local(place: &Place) -> Option<String> {
    let reason = || format!("{} is not known to be a cluster on your own machine", place.address_in_words());
    (!is_local(place)).then(reason)
}

fn grace_0(how: How) -> Option<String> {
    let reason = "grace 0 gives up that there is one server at most: the old one may still run";
    (how == How::Force).then(|| reason.to_owned())
}
