//! Asks before something is lost.

use std::io::{self, IsTerminal as _};
use std::thread;

use tokio::sync::oneshot;

use super::Args;
use crate::context::Ctx;
use crate::error::Error;
use crate::kubernetes::Place;
use crate::output::{Line, Role};

/// How the contexts are called that programs make for a cluster on the user's own machine.
const LOCAL_CONTEXTS: [&str; 6] =
    ["minikube", "docker-desktop", "docker-for-desktop", "rancher-desktop", "orbstack", "microk8s"];
const LOCAL_PREFIXES: [&str; 3] = ["kind-", "k3d-", "colima"];

/// Whether a cluster is on the user's own machine, as far as its context and its address tell.
fn is_local(place: &Place) -> bool {
    let host = place.server.split("://").last().unwrap_or_default();
    let host = host.strip_prefix('[').and_then(|rest| rest.split(']').next()).or(host.split([':', '/']).next());
    let host = host.unwrap_or_default();
    LOCAL_CONTEXTS.contains(&place.context.as_str())
        || LOCAL_PREFIXES.iter().any(|prefix| place.context.starts_with(prefix))
        || host == "localhost"
        || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// Has the user type the namespace's name where data would be lost, or on a cluster that may be others' too. Gives whether
/// the user agrees.
pub async fn ask(args: &Args, ctx: &Ctx) -> anyhow::Result<bool> {
    let place = ctx.cluster().await?.place();
    let harmless = !args.delete_data && is_local(place);
    if args.yes || harmless {
        return Ok(true);
    }
    let what = if args.delete_data {
        format!("the exchange in namespace {} and ALL ITS DATA will be deleted", place.namespace)
    } else {
        format!("the exchange in namespace {} will be deleted, and the cluster may be others' too", place.namespace)
    };
    if !io::stdin().is_terminal() {
        return Err(Error::new(
            format!("{what} (context {}); that needs a confirmation, and nobody is there to type it", place.context),
            "say so by --yes",
        )
        .into());
    }
    ctx.printer.warning(&what);
    ctx.printer.note(Line::from("type the namespace's name to go on: ").and(Role::Title, &place.namespace));
    let agreed = line().await?.trim() == place.namespace;
    if !agreed {
        ctx.printer.note("that is not its name: nothing was changed");
    }
    Ok(agreed)
}

/// A line of stdin. Read on a thread of its own, which does not keep the program from ending.
async fn line() -> anyhow::Result<String> {
    let (send, typed) = oneshot::channel();
    thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line).map(|_| line);
        let _ = send.send(read);
    });
    Ok(typed.await??)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_on_this_machine_is_recognised() {
        let local = |context: &str, server: &str| {
            is_local(&Place {
                context: context.to_owned(),
                namespace: String::new(),
                server: server.to_owned(),
                flags: Vec::new(),
            })
        };
        for (context, server) in [
            ("minikube", "https://192.168.49.2:8443"),
            ("kind-lesson", "https://10.0.0.1:6443"),
            ("mine", "https://127.0.0.1:6443"),
            ("mine", "https://localhost:6443"),
            ("mine", "https://[::1]:6443"),
        ] {
            assert!(local(context, server), "{context} {server}");
        }
        for (context, server) in [
            ("production", "https://10.0.0.1:6443"),
            ("not-minikube", "https://k8s.example.com"),
            ("mine", "https://localhost.example.com:6443"),
            ("mine", "https://[2001:db8::1]:6443"),
        ] {
            assert!(!local(context, server), "{context} {server}");
        }
    }
}
