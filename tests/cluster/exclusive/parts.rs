//! A node that is away, or takes no pods.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use crate::shared::persistence::{ready, says};
use crate::shared::survives::{OwnedExchange, STORAGES, told};
use crate::support::deployed::{deployed, field};
use crate::support::kubectl::{self, ok};
use crate::support::plugin::{ends, run};
use crate::support::scene::{testbed, try_testbed};
use crate::support::wait::until;

const SOON: Duration = Duration::from_mins(1);

#[test]
fn teardown_leaves_what_is_on_a_node_that_is_away() {
    let scene = deployed("kc-plugin-node-away");
    let namespace = scene.namespace();
    testbed(&["stop", "kubelet-1"]);
    let away = ends(namespace, "teardown --delete-data --yes", 1);
    testbed(&["start", "kubelet-1"]);
    assert!(away.stderr.contains("is not available, so nothing was deleted"), "{}", away.stderr);
    assert_eq!(field(namespace, "statefulset/postgres", "/metadata/deletionTimestamp"), "");
    until("the kubelet knows its pods again", SOON, || {
        let exec = kubectl::run(&format!("exec postgres-0 -n {namespace} -- true"));
        if exec.succeeded { Ok(()) } else { Err(exec.stderr) }
    });
}

#[test]
fn a_pod_that_no_node_takes_is_given_up_in_time() {
    let scene = deployed("kc-persist-cordon");
    let namespace = scene.namespace();
    let node = field(namespace, "pod/postgres-0", "/spec/nodeName");
    ok(&format!("cordon {node}"));
    let stuck = run(namespace, "persistence-demo --yes --timeout 20s");
    ok(&format!("uncordon {node}"));
    assert_eq!(stuck.code, 1, "{}{}", stuck.stdout, stuck.stderr);
    says(
        &stuck,
        "NO",
        "came back             no query was answered in time; last seen: pod/postgres-0 Pending, without a node",
    );
    // The database stayed away at the end too: then the run is named whose rows are left.
    let id = stuck.stderr.split("the marked rows of run ").nth(1).and_then(|rest| rest.split_whitespace().next());
    let id = id.unwrap_or_else(|| panic!("no run's id in {}", stuck.stderr));
    assert!(stuck.stderr.contains(&format!("persistence-demo --clean {id}")), "{}", stuck.stderr);
    ready(namespace);
    assert_eq!(
        ends(namespace, &format!("persistence-demo --clean {id}"), 0).stdout,
        format!("100 rows of run {id} deleted\n")
    );
}

/// Ends whatever runs in the pods of the node. Its processes are found by their control groups, which it has alone.
const END_PODS: &str = "find /sys/fs/cgroup -path '*kubecoin*/node-1/*' -name cgroup.procs -exec cat {} + | sort -u | grep -vx 0 | xargs -r kill -9 || true";

/// All that runs on the node ends at once. It is not a loss of power: the kernel goes on, and writes what it was given.
#[test]
fn a_node_that_restarts_has_its_data_again() {
    let exchanges = thread::scope(|scope| {
        let runs = STORAGES.map(|storage| scope.spawn(move || OwnedExchange::deployed("kc-restart", storage)));
        runs.map(|run| run.join().expect("it is deployed"))
    });
    exchanges.iter().for_each(OwnedExchange::write);
    for component in ["kubelet-1", "containerd-1"] {
        testbed(&["stop", "--kill", component]);
    }
    let ended = try_testbed(&["node-exec", "1", "--", "sh", "-ec", END_PODS]);
    testbed(&["start", "containerd-1"]);
    // It ends where containerd is not ready yet.
    until("the kubelet starts", SOON, || try_testbed(&["start", "kubelet-1"]));
    ended.expect("the pods end");
    exchanges.iter().for_each(OwnedExchange::restarts);
    let cell = |(storage, exchange): (&'static str, &OwnedExchange)| {
        (("the node restarts".to_owned(), storage), exchange.left().to_owned())
    };
    let found: BTreeMap<_, _> = STORAGES.into_iter().zip(&exchanges).map(cell).collect();
    assert_eq!(found, told("exclusive::parts"));
    for words in ["deployment/coredns -n kube-system", "deployment/local-path-provisioner -n local-path-storage"] {
        ok(&format!("rollout status {words} --timeout 120s"));
    }
}
