use std::collections::BTreeMap;
use std::time::Duration;

use kubectl_kubecoin::inside::wallets;
use serde_json::{Value, json};

use crate::support::deployed::{deployed, field, psql, sql};
use crate::support::kubectl::{self, Ended, ok};
use crate::support::plugin::{command, ends, run, through_kubectl};
use crate::support::scene::Scene;
use crate::support::wait::until;

/// The resource versions of all that `deploy` made.
fn versions(namespace: &str) -> BTreeMap<String, String> {
    let list = ok(&format!("get statefulset,deployment,service,pvc,secret,pods -n {namespace} -o json"));
    let list: Value = serde_json::from_str(&list).unwrap();
    let items = list["items"].as_array().unwrap();
    let version = |item: &Value| {
        (format!("{}/{}", item["kind"], item["metadata"]["name"]), item["metadata"]["resourceVersion"].to_string())
    };
    items.iter().map(version).collect()
}

#[test]
fn from_nothing_and_again_with_nothing_changed() {
    let scene = Scene::without_namespace("kc-plugin-first");
    let namespace = scene.namespace();
    let missing = ends(namespace, "deploy", 2);
    assert!(missing.stderr.contains("--create-namespace"), "{}", missing.stderr);

    let first = through_kubectl(namespace, "deploy --create-namespace --init-db --timeout 3m");
    assert_eq!(first.code, 0, "{}{}", first.stdout, first.stderr);
    assert_eq!(first.stdout.lines().filter(|line| line.ends_with(" created")).count(), 11, "{}", first.stdout);
    assert!(first.stderr.contains("context kubecoin, namespace kc-plugin-first, server v"), "{}", first.stderr);
    assert!(first.stderr.contains("the exchange works"), "{}", first.stderr);
    ends(namespace, "status", 0);

    let before = versions(namespace);
    let second = ends(namespace, "deploy", 0);
    let lines = second.stdout.lines();
    assert!(lines.clone().all(|line| line.ends_with(" unchanged")) && lines.count() == 9, "{}", second.stdout);
    assert_eq!(versions(namespace), before);
}

#[test]
fn two_namespaces_share_nothing() {
    let (alice, bob) = (deployed("kc-plugin-alice"), deployed("kc-plugin-bob"));
    sql(alice.namespace(), "INSERT INTO wallets(id) VALUES ('anna');");
    assert_eq!(sql(alice.namespace(), "SELECT count(*) FROM wallets;"), "1");
    assert_eq!(sql(bob.namespace(), "SELECT count(*) FROM wallets;"), "0");
    ends(alice.namespace(), "status", 0);
    ends(bob.namespace(), "status", 0);
    // Whether it is well depends on the exchanges of other tests too, which may be on their way out.
    let all = run(alice.namespace(), "status -A -o wide");
    for (scene, wallets) in [(&alice, "1"), (&bob, "0")] {
        let line = all.stdout.lines().find(|line| line.starts_with(scene.namespace())).expect("a line for each");
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(cells[1..6], ["Healthy", "<none>", "1/1", "yes", wallets], "{}", all.stdout);
    }
}

#[test]
fn two_at_once_both_succeed() {
    let scene = Scene::without_namespace("kc-plugin-race");
    let start = || command(scene.namespace(), "deploy --create-namespace --init-db --timeout 3m").output();
    let (one, other) = std::thread::scope(|scope| {
        let other = scope.spawn(start);
        (start().unwrap(), other.join().unwrap().unwrap())
    });
    for output in [&one, &other] {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    tables_at_once(scene.namespace());
}

/// Many more at once, each from the beginning to the end.
fn tables_at_once(namespace: &str) {
    sql(namespace, "DROP TABLE wallets;");
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(|| psql(namespace, wallets::CREATE))).collect();
        for made in all {
            let Ended { succeeded, stdout, stderr } = made.join().unwrap();
            assert!(succeeded && stdout.is_empty(), "{stdout}{stderr}");
        }
    });
}

#[test]
fn a_volume_left_behind_is_reused_only_when_asked() {
    let scene = deployed("kc-plugin-reuse");
    let namespace = scene.namespace();
    sql(namespace, "INSERT INTO wallets(id) VALUES ('anna');");
    ok(&format!("delete statefulset/postgres pvc/postgres-pvc -n {namespace}"));
    let volume = format!("pv/postgres-pv-{namespace}");
    until("the volume is released", Duration::from_mins(1), || match kubectl::field(&volume, "/status/phase") {
        phase if phase == "Released" => Ok(()),
        phase => Err(phase),
    });
    // A claim made by hand waits for it: it is the one that gets it.
    let claim = json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": { "name": "postgres-pvc", "namespace": namespace,
                      "labels": { "app": "postgres", "app.kubernetes.io/part-of": "kubecoin" } },
        "spec": { "accessModes": ["ReadWriteOncePod"], "storageClassName": "",
                  "volumeName": format!("postgres-pv-{namespace}"),
                  "resources": { "requests": { "storage": "1Gi" } } } });
    kubectl::apply(&claim.to_string());
    let claim = field(namespace, "pvc/postgres-pvc", "/metadata/uid");
    let refused = ends(namespace, "deploy", 2);
    assert!(refused.stderr.contains("is Released") && refused.stderr.contains("--reuse-volume"), "{}", refused.stderr);
    assert_eq!(field(namespace, "statefulset/postgres", "/metadata/name"), "", "nothing was changed");

    let done = ends(namespace, "deploy --reuse-volume --timeout 2m --show-commands", 0);
    assert!(done.stderr.contains("kubectl-kubecoin/touched-at"), "{}", done.stderr);
    assert_eq!(field(namespace, "pvc/postgres-pvc", "/metadata/uid"), claim);
    assert_eq!(sql(namespace, "SELECT id FROM wallets;"), "anna");
}
