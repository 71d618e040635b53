//! The port of this machine: the same one each time for a namespace.

use std::io;
use std::net::Ipv4Addr;
use std::ops::Range;

use tokio::net::TcpListener;

use crate::error::Error;

/// Where ports of namespaces lie: below the ports of nodes and those that systems hand out by themselves.
const PORTS: Range<u16> = 20_000..30_000;

/// As many ports as are tried.
const TRIES: u16 = 20;

/// The port of a namespace.
#[must_use]
pub fn of_namespace(namespace: &str) -> u16 {
    // FNV-1a: the same on every machine and in every version.
    let hash = namespace.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let within = hash % u32::from(PORTS.end - PORTS.start);
    PORTS.start + u16::try_from(within).unwrap_or(0)
}

/// Listens at this port of this machine alone, or at the next one that is free.
///
/// # Errors
/// If one may not listen there, or none of the ports is free.
pub async fn listen(port: u16) -> Result<(TcpListener, u16), Error> {
    let last = port.saturating_add(TRIES - 1);
    for port in port..=last {
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            Ok(listener) => return Ok((listener, port)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(error) => {
                let message = format!("could not listen on port {port} of this machine: {error}");
                return Err(Error::new(message, "choose a port from 1024 up: --port 8080"));
            }
        }
    }
    Err(Error::new(
        format!("the ports {port} to {last} of this machine are all in use"),
        "choose another one: --port 8080",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_has_the_same_port_for_ever() {
        assert_eq!(of_namespace("default"), of_namespace("default"));
        assert_eq!(of_namespace("alice"), 27_479);
        let ports: std::collections::BTreeSet<u16> = (0..100).map(|n| of_namespace(&format!("student-{n}"))).collect();
        assert!(ports.len() > 90 && ports.iter().all(|port| PORTS.contains(port)), "{ports:?}");
    }

    #[tokio::test]
    async fn a_port_that_is_taken_gives_way_to_the_next() {
        let (taken, port) = listen(of_namespace("a namespace of this test")).await.unwrap();
        let (_next, next) = listen(port).await.unwrap();
        assert!(next > port);
        assert!(taken.local_addr().unwrap().ip().is_loopback());
    }
}
