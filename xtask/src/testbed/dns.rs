//! The cluster's DNS: its configuration, and whether it answers.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::layout::{DNS_SERVICE, DOMAIN};
use super::network;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_millis(500);

/// `CoreDNS`' configuration as kubeadm writes it; with a time in seconds, as kubeadm wrote it before 1.33, when names of the
/// cluster were cached too.
pub fn corefile(cache: Option<u32>) -> String {
    let cache = match cache {
        Some(seconds) => format!("cache {seconds}"),
        None => format!(
            "cache 30 {{
        disable success {DOMAIN}
        disable denial {DOMAIN}
    }}"
        ),
    };
    format!(
        ".:53 {{
    errors
    health {{
        lameduck 5s
    }}
    ready
    kubernetes {DOMAIN} in-addr.arpa ip6.arpa {{
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }}
    prometheus :9153
    forward . /etc/resolv.conf {{
        max_concurrent 1000
    }}
    {cache}
    loop
    reload
    loadbalance
}}
"
    )
}

/// The object that holds the configuration.
pub fn config_map(cache: Option<u32>) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "coredns", "namespace": "kube-system"},
        "data": {"Corefile": corefile(cache)},
    })
}

/// Asks for the address of the API server's Service, from inside a network namespace; `None` without an answer in time.
pub fn answers(namespace: &Path) -> Result<bool> {
    let query = query(&format!("kubernetes.default.svc.{DOMAIN}"));
    network::inside(namespace, || {
        let socket = UdpSocket::bind("0.0.0.0:0").context("cannot open a socket")?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.connect(SocketAddr::from((DNS_SERVICE, 53)))?;
        let mut answer = [0; 512];
        // Refused or late while it is not up: not an answer.
        let size = socket.send(&query).and_then(|_| socket.recv(&mut answer)).unwrap_or(0);
        Ok(has_answer(&answer[..size]))
    })
}

/// A question for a name's IPv4 address (RFC 1035, section 4).
fn query(name: &str) -> Vec<u8> {
    // Number 0x6b63, recursion desired, one question.
    let mut query = vec![0x6b, 0x63, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        query.push(u8::try_from(label.len()).unwrap_or(u8::MAX));
        query.extend(label.bytes());
    }
    // The root, type A, class IN.
    query.extend([0, 0, 1, 0, 1]);
    query
}

/// Whether a message is a response without an error and with at least one answer.
fn has_answer(message: &[u8]) -> bool {
    let [_, _, flags, code, _, _, count @ ..] = message else { return false };
    flags & 0x80 != 0 && code % 16 == 0 && matches!(count, [high, low, ..] if (*high, *low) != (0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_a_dns_message() {
        let query = query("a.bc");
        assert_eq!(&query[12..], [1, b'a', 2, b'b', b'c', 0, 0, 1, 0, 1]);
        assert!(!has_answer(&query));
    }

    #[test]
    fn an_answer_has_no_error_and_an_address() {
        assert!(has_answer(&[0x6b, 0x63, 0x85, 0x00, 0, 1, 0, 1, 0, 0, 0, 0]));
        assert!(!has_answer(&[0x6b, 0x63, 0x85, 0x03, 0, 1, 0, 0, 0, 0, 0, 0]), "no such name");
        assert!(!has_answer(&[]));
    }

    #[test]
    fn only_the_older_configuration_caches_the_cluster() {
        assert!(corefile(None).contains("disable success cluster.local"));
        let older = corefile(Some(30));
        assert!(older.contains("    cache 30\n") && !older.contains("disable"));
    }
}
