//! The checker of the replicated database, once for each disturbance that takes a part of the cluster away.

use std::time::Duration;

use crate::support::checker::nothing_is_lost;
use crate::support::deployed::field;
use crate::support::kubectl::ok;
use crate::support::plugin::{Ran, command, ends, run};
use crate::support::scene::{Scene, testbed};
use crate::support::wait::until;

#[test]
fn no_row_is_lost_while_the_api_server_is_away() {
    nothing_is_lost("kc-plugin-checked-away", &["api-away"]);
}

/// The cluster of the other tests, which comes back.
struct OneNode;

impl Drop for OneNode {
    fn drop(&mut self) {
        testbed(&["down"]);
        testbed(&["up", "--storage-class"]);
    }
}

#[test]
fn no_row_is_lost_with_a_node() {
    let _one_node = OneNode;
    testbed(&["down"]);
    testbed(&["up", "--nodes", "3", "--storage-class"]);
    nothing_is_lost("kc-plugin-checked-node", &["node-off"]);
    the_node_of_the_primary_is_stopped_and_comes_back();
}

/// On three nodes.
fn the_node_of_the_primary_is_stopped_and_comes_back() {
    let scene = Scene::without_namespace("kc-plugin-node-off");
    let namespace = scene.namespace();
    ends(namespace, "deploy --ha --init-db --create-namespace --timeout 4m", 0);
    let needed = [node_of(&format!("-l app=backend -n {namespace}")), node_of("-l k8s-app=kube-dns -n kube-system")];
    let members = ["postgres-0", "postgres-1", "postgres-2"];
    let free = |member: &&str| !needed.contains(&field(namespace, &format!("pod/{member}"), "/spec/nodeName"));
    let chosen = members.into_iter().find(free).expect("one is on a node with neither the backend nor DNS");
    until("that member is the primary", Duration::from_mins(2), || {
        let primary = ok(&format!("get pods -l app=postgres,role=primary -n {namespace} -o name"));
        let primary = primary.trim_end();
        if primary == format!("pod/{chosen}") {
            return Ok(());
        }
        let switched = run(namespace, &format!("switchover --to {chosen}"));
        // If the third member has every row, this one has them soon after that is gone.
        let third = members.iter().find(|member| **member != chosen && primary != format!("pod/{member}"));
        if let Some(third) = third.filter(|_| switched.code != 0) {
            ok(&format!("delete pod {third} -n {namespace}"));
        }
        Err(format!("{primary}: {}{}", switched.stdout, switched.stderr))
    });

    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("proof.json").display().to_string();
    let [off, on] =
        ["off", "on"].map(|way| format!("\"$KUBECOIN_XTASK\" testbed node-{way} \"${{KUBECOIN_NODE##*-}}\""));
    let commands = ["--stop-node", &off, "--start-node", &on, "--report", &report];
    let ended = command(namespace, "persistence-demo --how node --under-load --yes").args(commands).output();
    let proof: Ran = ended.expect("the plugin starts").into();
    let said = format!("{}{}", proof.stdout, proof.stderr);
    assert!(proof.code == 0 && !proof.stderr.contains("warning:"), "{said}");
    let stages = ["node stopped", "new primary", "answered by name", "node started", "query answered", "ok  same pod"];
    for words in stages.into_iter().chain(["ok  member follows", "ok  rows under load", "verdict: holds"]) {
        assert!(proof.stdout.contains(words), "no {words:?} in {said}");
    }
    let again = ends(namespace, &format!("verify-report {report}"), 0);
    assert!(again.stdout.contains("holds"), "{}{}", again.stdout, again.stderr);
}

/// The node of the first pod that these words select.
fn node_of(pods: &str) -> String {
    ok(&format!("get pods {pods} -o jsonpath={{.items[0].spec.nodeName}}"))
}
