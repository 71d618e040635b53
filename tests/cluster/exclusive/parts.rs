//! A node that is away, or takes no pods.

use std::time::Duration;

use crate::shared::persistence::{ready, says};
use crate::support::deployed::{deployed, field};
use crate::support::kubectl::{self, ok};
use crate::support::plugin::{ends, run};
use crate::support::scene::testbed;
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
    let stuck = run(namespace, "persistence-demo --yes --timeout 10s");
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
