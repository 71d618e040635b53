//! What asking before something is done or lost takes: where the cluster is, and what the user types.

use std::io::stdin;

use http::Uri;
use tokio::sync::oneshot;

use crate::kubernetes::Place;

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
const LOCAL: [&str; 8] =
    ["minikube", "kind-", "k3d-", "docker-desktop", "rancher-desktop", "orbstack", "colima", "microk8s"];

/// Whether a cluster is known to be on the user's own machine.
pub fn is_local(place: &Place) -> bool {
    let host = place.server.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default();
    let host = host.trim_matches(['[', ']']);
    let loopback = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    loopback || LOCAL.iter().any(|name| place.context.starts_with(name)) && is_private(host)
}

/// Whether an address is none of the internet. A context's name alone says nothing of where it leads.
fn is_private(host: &str) -> bool {
    host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_private()) || host.ends_with(".internal")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(context: &str, server: &str) -> bool {
        is_local(&Place { context: context.into(), server: server.into(), ..Place::default() })
    }

    #[test]
    fn only_what_is_known_to_be_local_is() {
        for (context, server) in [
            ("x", "https://127.0.0.1:6443"),
            ("x", "https://[::1]:6443"),
            ("x", "https://localhost:6443"),
            ("minikube", "https://192.168.49.2:8443"),
            ("docker-desktop", "https://kubernetes.docker.internal:6443"),
        ] {
            assert!(local(context, server), "{context} {server}");
        }
        for (context, server) in [
            ("prod", "https://192.168.49.2:8443"),
            ("kubecoin-production", "https://10.0.0.1:6443"),
            ("minikube", "https://34.1.2.3"),
            ("kind-of-production", "https://k8s.example.com"),
            ("x", "https://localhost.example.com"),
            ("x", "https://198.18.77.1:6443"),
            ("x", "nonsense"),
        ] {
            assert!(!local(context, server), "{context} {server}");
        }
    }
}
