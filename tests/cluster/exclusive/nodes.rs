//! More than one node. The second is an object without a machine: enough to choose a node, and to say why nothing starts
//! there.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::deployed::{deployed, field};
use crate::support::kubectl::{self, ok};
use crate::support::plugin::ends;
use crate::support::scene::Scene;
use crate::support::wait::until;

const NAME: &str = "a-second-node";
const HOSTNAME: &str = "a-second-node.example";

/// A node that is ready, as far as the API knows.
struct SecondNode;

impl SecondNode {
    fn joins() -> Self {
        let node = json!({ "apiVersion": "v1", "kind": "Node",
            "metadata": { "name": NAME, "labels": { "kubernetes.io/hostname": HOSTNAME } } });
        kubectl::apply(&node.to_string());
        let node = Self;
        let room = json!({ "cpu": "8", "memory": "16Gi", "ephemeral-storage": "64Gi", "pods": "100" });
        let ready = json!({ "type": "Ready", "status": "True", "reason": "Test" });
        let status = json!({ "status": { "conditions": [ready], "capacity": room, "allocatable": room } }).to_string();
        let ended =
            kubectl::command(&["patch", "node", NAME, "--subresource=status", "--type=merge", "-p", &status], "");
        assert!(ended.succeeded, "{}", ended.stderr);
        until("the node is free of taints", Duration::from_mins(1), || {
            let taints = kubectl::field(&format!("node/{NAME}"), "/spec/taints");
            if taints.is_empty() { Ok(()) } else { Err(taints) }
        });
        node
    }
}

impl Drop for SecondNode {
    fn drop(&mut self) {
        // Nobody else ends what nobody runs.
        let pods = format!("delete pods -A --field-selector spec.nodeName={NAME} --force --grace-period=0");
        kubectl::run(&format!("delete node {NAME}"));
        kubectl::run(&pods);
    }
}

fn pin(namespace: &str) -> String {
    let term = "/spec/nodeAffinity/required/nodeSelectorTerms/0/matchExpressions/0";
    let volume = kubectl::get(&format!("pv/postgres-pv-{namespace}")).unwrap_or_default();
    match volume.pointer(term) {
        Some(expression) => {
            assert_eq!(expression["key"], "kubernetes.io/hostname");
            expression["values"][0].as_str().unwrap_or_default().to_owned()
        }
        None => String::new(),
    }
}

#[test]
fn the_volume_is_pinned_to_where_its_data_is() {
    let scene = deployed("kc-plugin-pinned");
    let elsewhere = Scene::without_namespace("kc-plugin-elsewhere");
    let (namespace, other) = (scene.namespace(), elsewhere.namespace());
    assert_eq!(pin(namespace), "", "one node needs no pin");
    let pod = field(namespace, "pod/postgres-0", "/metadata/uid");

    let _node = SecondNode::joins();
    let loose = ends(namespace, "doctor", 0);
    assert!(loose.stdout.starts_with("KC018 warning: persistentvolume/postgres-pv-"), "{}", loose.stdout);
    let second = ends(namespace, "deploy", 0);
    assert_eq!(pin(namespace), "node-1");
    let pinned = ends(namespace, "doctor", 0);
    assert!(pinned.stdout.starts_with("doctor: nothing is wrong ("), "{}", pinned.stdout);
    let changed: Vec<_> = second.stdout.lines().filter(|line| !line.ends_with(" unchanged")).collect();
    assert_eq!(changed, [format!("persistentvolume/postgres-pv-{namespace} configured")]);
    assert_eq!(field(namespace, "pod/postgres-0", "/metadata/uid"), pod);
    let again = ends(namespace, "deploy --node node-1", 0);
    assert!(again.stdout.lines().all(|line| line.ends_with(" unchanged")), "{}", again.stdout);
    let moved = ends(namespace, &format!("deploy --node {NAME}"), 2);
    assert!(moved.stderr.contains("pinned to node \"node-1\""), "{}", moved.stderr);

    // Where there is no data yet: the first by name.
    let unknown = ends(other, "deploy --create-namespace --node node-9", 2);
    assert!(
        unknown.stderr.contains("no node \"node-9\"") && unknown.stderr.contains("get nodes"),
        "{}",
        unknown.stderr
    );
    ends(other, "deploy --create-namespace --wait=false", 0);
    assert_eq!(pin(other), HOSTNAME);
    let scheduled = until("postgres-0 has a node", Duration::from_mins(1), || {
        let node = field(other, "pod/postgres-0", "/spec/nodeName");
        if node.is_empty() { Err(field(other, "pod/postgres-0", "/status")) } else { Ok(node) }
    });
    assert_eq!(scheduled, NAME);
    // A node is asked for by its name, and pinned by its label.
    ends(other, &format!("deploy --node {NAME} --wait=false"), 0);
    ends(other, "deploy --node node-1 --wait=false", 2);

    // A node that takes no pods is no choice, and what waits for it says so.
    ok(&format!("cordon {NAME}"));
    ok(&format!("delete pod postgres-0 -n {other} --force --grace-period=0"));
    until("what waits is explained", Duration::from_mins(1), || {
        let status = ends(other, "status --no-db -o json", 1);
        let status: Value = serde_json::from_str(&status.stdout).unwrap();
        let codes = status["findings"].as_array().unwrap().iter().map(|finding| &finding["code"]);
        if codes.into_iter().any(|code| code == "unschedulable") { Ok(()) } else { Err(status.to_string()) }
    });
}
