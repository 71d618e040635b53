//! More than one node.

use std::time::Duration;

use super::support::machine::Machine;
use super::support::pods::{self, PATIENCE};
use super::support::testbed::{self, Cluster};
use super::support::{kubectl, wait};

#[test]
fn two_nodes_are_one_network_and_two_disks() {
    let cluster = Cluster::none();
    let before = Machine::look();
    testbed::ok("up --nodes 2");
    pods::web_server("first", 1);
    pods::web_server("second", 2);
    for (from, to) in [("first", "second"), ("second", "first"), ("first", "first")] {
        pods::reaches(from, to);
    }

    assert_eq!(pods::inside("first", "touch /data/of-the-first").code, Some(0));
    let shared = |node: u8| testbed::ok(&format!("node-exec {node} -- ls /data/shared")).stdout;
    assert_eq!((shared(1).trim(), shared(2).trim()), ("of-the-first", ""));
    assert!(!Machine::look().changed_since(&before).contains(&"/data"), "a node's /data is its own");

    testbed::ok("stop kubelet-2");
    node_ready("node-2", "Unknown");
    node_ready("node-1", "True");
    testbed::ok("start kubelet-2");
    node_ready("node-2", "True");
    testbed::all_ready();
    pods::reaches("first", "second");

    testbed::ok("node-off 2");
    let silent = pods::inside("first", &format!("wget -q -T 3 -O - http://{}:8080/", pods::pod_address("second")));
    assert!(silent.stderr.contains("timed out"), "without power, nobody says that a port is closed: {silent:?}");
    let status = testbed::run("status");
    assert!(status.code != Some(0) && status.stdout.contains("killed by signal 9"), "{status:?}");
    testbed::ok("node-off 2");
    testbed::ok("node-on 2");
    wait::until("the container of the pod is started again", PATIENCE, || {
        let path = "{.status.containerStatuses[0].restartCount}{.status.containerStatuses[0].ready}";
        let seen = kubectl::ok(&format!("get pod second --output jsonpath={path}"));
        if seen == "1true" { Ok(()) } else { Err(seen) }
    });
    node_ready("node-2", "True");
    testbed::all_ready();
    pods::reaches("first", "second");

    testbed::ok("down");
    Machine::assert_as(&before);
    drop(cluster);
}

/// How long a node may be silent until it is held `NotReady`: Kubernetes' own 50 seconds, and some to notice.
const SILENCE: Duration = Duration::from_secs(90);

/// Fails until the node's condition Ready is this.
fn node_ready(node: &str, wanted: &str) {
    let (what, limit) = (format!("{node} is Ready: {wanted}"), if wanted == "True" { PATIENCE } else { SILENCE });
    wait::until(&what, limit, || {
        let path = "{.status.conditions[?(@.type==\"Ready\")].status}";
        let ready = kubectl::ok(&format!("get node {node} --output jsonpath={path}"));
        if ready == wanted { Ok(()) } else { Err(ready) }
    });
}
