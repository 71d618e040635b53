//! What is asked before it is done: people have production clusters in the same kubeconfig.

use std::io::{IsTerminal, stderr, stdin};

use http::Uri;
use tokio::sync::oneshot;

use super::preflight::Ready;
use super::{Args, target};
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
pub async fn set(args: &Args, ctx: &Ctx, ready: &target::Ready) -> anyhow::Result<()> {
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
    let reason = || format!("{} ({}) is not known to be a cluster on your own machine", place.context, place.server);
    (!is_local(place)).then(reason)
}

fn grace_0(how: How) -> Option<String> {
    let reason = "grace 0 gives up that there is one server at most: the old one may still run";
    (how == How::Force).then(|| reason.to_owned())
}

/// A line that the user types; none if there are no more. It is read on a thread of its own, which Ctrl-C need not wait for.
pub async fn line() -> Option<String> {
    let (typed, line) = oneshot::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = stdin().read_line(&mut text);
        let _ = typed.send(read.ok().filter(|read| *read > 0).map(|_| text));
    });
    line.await.ok().flatten()
}

/// What the contexts of programs begin with that run a cluster on one's own machine.
const LOCAL: [&str; 9] =
    ["minikube", "kind-", "k3d-", "docker-desktop", "rancher-desktop", "orbstack", "colima", "microk8s", "kubecoin"];

/// Whether a cluster is known to be on the user's own machine.
fn is_local(place: &Place) -> bool {
    let host = place.server.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default();
    let host = host.trim_matches(['[', ']']);
    let loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    // For tests of networks: no router forwards it.
    let benchmark = host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| {
        let [first, second, ..] = address.octets();
        first == 198 && matches!(second, 18 | 19)
    });
    loopback || benchmark || LOCAL.iter().any(|name| place.context.starts_with(name)) && is_private(host)
}

/// Whether an address is none of the internet. A context's name alone says nothing of where it leads.
fn is_private(host: &str) -> bool {
    host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_private()) || host.ends_with(".internal")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(context: &str, server: &str) -> bool {
        is_local(&Place { context: context.into(), namespace: String::new(), server: server.into(), flags: vec![] })
    }

    #[test]
    fn only_what_is_known_to_be_local_is() {
        for (context, server) in [
            ("x", "https://127.0.0.1:6443"),
            ("x", "https://[::1]:6443"),
            ("x", "https://localhost:6443"),
            ("minikube", "https://192.168.49.2:8443"),
            ("docker-desktop", "https://kubernetes.docker.internal:6443"),
            ("x", "https://198.18.77.1:6443"),
        ] {
            assert!(local(context, server), "{context} {server}");
        }
        for (context, server) in [
            ("prod", "https://192.168.49.2:8443"),
            ("minikube", "https://34.1.2.3"),
            ("kind-of-production", "https://k8s.example.com"),
            ("x", "https://localhost.example.com"),
            ("x", "nonsense"),
        ] {
            assert!(!local(context, server), "{context} {server}");
        }
    }
}
