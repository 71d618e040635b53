//! The API server goes away meanwhile.

use std::io::{BufRead, BufReader};
use std::thread;
use std::time::Duration;

use crate::shared::persistence::{USERS, nothing_is_left};
use crate::support::deployed::{deployed, sql};
use crate::support::plugin::{Going, start};
use crate::support::scene::{Scene, testbed, watchers_start_anew};
use crate::support::terminal::{Terminal, has_gone};

#[test]
fn while_deploy_applies_and_while_it_waits() {
    let scene = Scene::without_namespace("kc-plugin-away");
    let mut child = start(scene.namespace(), "deploy --create-namespace --init-db --timeout 5m");
    let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
    for moment in ["secret/", "deployment.apps/frontend"] {
        while !stdout.next().expect("a line for the object").unwrap().starts_with(moment) {}
        testbed(&["stop", "--kill", "kube-apiserver"]);
        testbed(&["start", "kube-apiserver"]);
    }
    let rest: Vec<String> = stdout.map(Result::unwrap).collect();
    let ended = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.success(), "{rest:?}\n{stderr}");
    assert!(stderr.contains("the exchange works"), "{stderr}");
    assert_eq!(rest.last().map(String::as_str), Some("index idx_wallets_id created"), "{rest:?}");
    watchers_start_anew();
}

#[test]
fn while_the_pod_is_replaced() {
    let scene = deployed("kc-persist-api");
    let namespace = scene.namespace();
    sql(namespace, USERS);
    let mut going = Going::begin(namespace, "persistence-demo --yes --timeout 3m");
    going.until("Terminating");
    // The scheduler gives up without the API server, and then nobody would start it again.
    testbed(&["stop", "kube-scheduler"]);
    testbed(&["stop", "kube-apiserver"]);
    thread::sleep(Duration::from_secs(5));
    testbed(&["start", "kube-apiserver"]);
    testbed(&["start", "kube-scheduler"]);
    let ran = going.end();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("watch lost"), "{}", ran.stdout);
    nothing_is_left(namespace);
    watchers_start_anew();
}

#[test]
fn while_psql_has_a_terminal() {
    let scene = deployed("kc-plugin-hangs-up");
    let namespace = scene.namespace();
    let terminal = Terminal::open(namespace);
    testbed(&["stop", "kube-apiserver", "--kill"]);
    let started = std::thread::spawn(|| testbed(&["start", "kube-apiserver"]));
    let shown = terminal.ends(2);
    started.join().unwrap();
    assert!(shown.contains("the connection was lost") && shown.contains("hint: "), "{shown}");
    watchers_start_anew();
    has_gone(namespace);
}
