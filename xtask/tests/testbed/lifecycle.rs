//! `up`, `down`, and what comes between them.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};

use super::support::kubectl;
use super::support::machine::Machine;
use super::support::testbed::{self, Another, Cluster};

/// What `up` says, in order, as it goes on.
const STEPS: [&str; 3] = ["> networks and nodes", "> starting the components", "> waiting for the nodes and the DNS"];

/// Ports that a cluster uses in its own namespaces.
const PORTS: [u16; 12] = [53, 80, 443, 2379, 2380, 2381, 5000, 6443, 10248, 10250, 10257, 10259];

/// Takes those of the ports that nobody has yet: they are somebody else's then.
fn take_ports() -> (Vec<TcpListener>, Vec<UdpSocket>) {
    let addresses = || PORTS.into_iter().map(|port| (Ipv4Addr::UNSPECIFIED, port));
    let tcp = addresses().filter_map(|address| TcpListener::bind(address).ok()).collect();
    let udp = addresses().filter_map(|address| UdpSocket::bind(address).ok()).collect();
    for address in addresses() {
        assert!(TcpListener::bind(address).is_err(), "{address:?} is free");
    }
    (tcp, udp)
}

#[test]
fn a_cluster_comes_once_and_goes_without_a_trace() {
    let cluster = Cluster::none();
    let before = Machine::look();
    let _taken = take_ports();

    let up = testbed::ok("up");
    assert!(up.stderr.contains("the cluster is up"), "{}", up.stderr);
    testbed::all_ready();
    // The comparison would see what stays.
    let with_it = Machine::look();
    let changed = with_it.changed_since(&before);
    let expected = ["/var/lib", "cgroups", "ip address", "ip link", "ip route", "processes"];
    assert!(expected.iter().all(|what| changed.contains(what)), "{changed:?}");
    // A new link brings IPv6 routes where there is IPv6. Everything else is the cluster's own affair.
    assert!(changed.iter().all(|what| expected.contains(what) || *what == "ip -6 route"), "{changed:?}");

    let supervisor = testbed::supervisor();
    let again = testbed::ok("up");
    assert!(again.stderr.contains("the cluster is up"), "{}", again.stderr);
    assert!(!again.stderr.contains(STEPS[0]), "{}", again.stderr);
    assert_eq!(testbed::supervisor(), supervisor);

    let other = testbed::run("up --nodes 2");
    assert_eq!(other.code, Some(2));
    assert!(other.stderr.contains("has 1 node(s), not 2\nhint: "), "{}", other.stderr);

    another_is_beside_it();
    assert_eq!(testbed::supervisor(), supervisor);
    testbed::all_ready();

    assert!(testbed::ok("down").stderr.contains("the cluster is down"));
    Machine::assert_as(&before);
    assert!(testbed::ok("down").stderr.contains("no cluster was up"));
    drop(cluster);
}

/// While one cluster is up, another comes and goes that has its objects and its addresses for itself.
fn another_is_beside_it() {
    let another = Another::up("5");
    let env = another.ok("env").stdout;
    assert!(env.contains("/var/lib/kubecoin-testbed-5/kubeconfig") && env.contains("KUBECOIN_TESTBED=5"), "{env}");
    another.ok("kubectl create namespace only-there");
    let here = kubectl::run("get namespace only-there");
    assert!(here.stderr.contains("not found"), "{here:?}");
    let address = "get node node-1 --output jsonpath={.status.addresses[0].address}";
    assert_eq!(another.ok(&format!("kubectl {address}")).stdout, "198.18.81.11");
    assert_eq!(kubectl::ok(address), "198.18.77.11");
    // Not the caches that others use, in case it is not refused.
    let caches = tempfile::tempdir().expect("a folder");
    let clean = another.command("clean").env("XDG_CACHE_HOME", caches.path()).output().expect("xtask starts");
    let said =
        "error: cluster 1 is up, and runs programs of the cache\nhint: KUBECOIN_TESTBED=1 cargo xtask testbed down\n";
    assert_eq!((clean.status.code(), String::from_utf8_lossy(&clean.stderr).as_ref()), (Some(2), said));
    another.ok("status");
}

#[test]
fn a_cluster_that_cannot_be_is_refused() {
    for number in ["0", "10", "two", ""] {
        let status = testbed::command(&["status"]).env(testbed::CHOICE, number).output().expect("xtask starts");
        let said = String::from_utf8_lossy(&status.stderr);
        assert_eq!(status.status.code(), Some(2), "{said}");
        assert_eq!(said, format!("error: KUBECOIN_TESTBED is \"{number}\", and must be a number from 1 to 9\n"));
    }
}

#[test]
fn an_interrupted_up_is_taken_up_where_it_was() {
    let _cluster = Cluster::none();
    // Each of these reaches its step because the one before, cut short, was mended.
    for step in STEPS {
        testbed::up_killed_at(step);
    }
    testbed::ok("up");
    testbed::all_ready();
}

#[test]
fn an_interrupted_up_is_taken_away_without_a_trace() {
    let _cluster = Cluster::none();
    let before = Machine::look();
    for step in STEPS {
        testbed::up_killed_at(step);
        testbed::ok("down");
        Machine::assert_as(&before);
    }
}

#[test]
fn a_killed_supervisor_takes_all_with_it_and_comes_back() {
    let _cluster = Cluster::none();
    let before = Machine::look();
    testbed::ok("up");
    testbed::kill_supervisor();
    testbed::ok("up");
    testbed::all_ready();
    testbed::kill_supervisor();
    testbed::ok("down");
    Machine::assert_as(&before);
}
