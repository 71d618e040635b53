//! Two servers on one data directory: what keeps them apart, and what is lost without it.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};

use super::load::Load;
use super::{SOON, START, exchange, ready, wallets};
use crate::support::exchange::Exchange;
use crate::support::kubectl::{self, field, ok};
use crate::support::scene::Scene;
use crate::support::wait::until;

/// Waits until so many more wallets were acknowledged.
fn acknowledged_more(load: &Load, more: usize) {
    let enough = load.acknowledged() + more;
    until("wallets are acknowledged", START, || match load.acknowledged() {
        count if count >= enough => Ok(()),
        count => Err(format!("{count} of {enough}")),
    });
}

fn every_acknowledged_wallet_is_there(acknowledged: &BTreeSet<String>) {
    let there = until("postgres-0 answers", SOON, || wallets("postgres-0"));
    let lost: Vec<_> = acknowledged.difference(&there).collect();
    assert!(lost.is_empty(), "{} of {} acknowledged wallets are lost: {lost:?}", lost.len(), acknowledged.len());
}

/// Deletes the pod with grace 0 while wallets are being made, and waits until they are made again.
fn deleted_with_grace_zero(exchange: &Exchange, just_before: impl Fn()) {
    let load = Load::start(exchange);
    for _ in 0..3 {
        acknowledged_more(&load, 50);
        let uid = field("pod/postgres-0", "/metadata/uid");
        just_before();
        ok("delete pod postgres-0 --grace-period=0 --force");
        until("another postgres-0 is there", START, || match field("pod/postgres-0", "/metadata/uid") {
            other if !other.is_empty() && other != uid => Ok(()),
            same => Err(same),
        });
        ready();
    }
    acknowledged_more(&load, 50);
    every_acknowledged_wallet_is_there(&load.stop());
}

#[test]
fn a_second_replica_stays_pending_and_nothing_is_lost() {
    let _scene = Scene::empty_cluster();
    let exchange = exchange();
    let load = Load::start(&exchange);
    acknowledged_more(&load, 50);

    ok("scale statefulset postgres --replicas=2");
    let reason = until("postgres-1 is refused the volume", SOON, || {
        let message = field("pod/postgres-1", "/status/conditions/0/message");
        if message.contains("ReadWriteOncePod") { Ok(message) } else { Err(message) }
    });
    assert_eq!(field("pod/postgres-1", "/status/phase"), "Pending", "{reason}");
    acknowledged_more(&load, 200);

    ok("scale statefulset postgres --replicas=1");
    until("postgres-1 is gone", SOON, || match kubectl::get("pod/postgres-1") {
        None => Ok(()),
        Some(pod) => Err(pod["status"].to_string()),
    });
    ready();
    acknowledged_more(&load, 50);
    assert_eq!(field("pod/postgres-0", "/status/containerStatuses/0/restartCount"), "0");
    every_acknowledged_wallet_is_there(&load.stop());
}

#[test]
fn deletion_with_grace_zero_loses_nothing() {
    let _scene = Scene::empty_cluster();
    deleted_with_grace_zero(&exchange(), || {});
}

#[test]
fn deletion_with_grace_zero_of_a_server_slow_to_stop_loses_nothing() {
    let _scene = Scene::empty_cluster();
    deleted_with_grace_zero(&exchange(), || {
        // The oldest process of that name on the node is the postmaster.
        let xtask = std::env::var("KUBECOIN_XTASK").expect("KUBECOIN_XTASK is set: run this by `cargo xtask test`");
        let stopped = Command::new(xtask)
            .args(["testbed", "node-exec", "1", "--", "pkill", "-STOP", "--oldest", "--exact", "postgres"])
            .status()
            .expect("xtask starts");
        assert!(stopped.success());
    });
}

/// The manifests without their guards: no lock before the server, and a volume for one node instead of one pod.
fn without_guards() -> String {
    let mut list = json!({ "apiVersion": "v1", "kind": "List", "items": [] });
    for manifest in kubectl_kubecoin::inside::manifests::ALL {
        let mut object: Value = serde_saphyr::from_str(manifest.yaml).expect("a manifest");
        match object["kind"].as_str() {
            Some("PersistentVolume" | "PersistentVolumeClaim") => {
                object["spec"]["accessModes"] = json!(["ReadWriteOnce"]);
            }
            Some("StatefulSet") => {
                let container = object.pointer_mut("/spec/template/spec/containers/0").and_then(Value::as_object_mut);
                container.expect("a container").remove("command").expect("the lock");
            }
            _ => {}
        }
        list["items"].as_array_mut().expect("a list").push(object);
    }
    list.to_string()
}

#[test]
fn without_the_guards_rows_are_lost() {
    let _scene = Scene::empty_cluster();
    kubectl::apply(&without_guards());
    ready();
    let create = "CREATE TABLE wallets (id VARCHAR(255) PRIMARY KEY);";
    assert!(kubectl::sql("postgres-0", create).succeeded);

    ok("scale statefulset postgres --replicas=2");
    ready();
    let mut acknowledged = BTreeSet::new();
    for pod in ["postgres-0", "postgres-1"] {
        let insert = format!("INSERT INTO wallets SELECT '{pod}-' || n FROM generate_series(1, 100) n RETURNING id;");
        let ended = kubectl::sql(pod, &insert);
        assert!(ended.succeeded, "{}", ended.stderr);
        acknowledged.extend(ended.stdout.lines().filter(|line| line.starts_with(pod)).map(str::to_owned));
    }
    assert_eq!(acknowledged.len(), 200);

    ok("scale statefulset postgres --replicas=0");
    until("both servers have stopped", START, || match ok("get pods -l app=postgres --output name") {
        none if none.is_empty() => Ok(()),
        pods => Err(pods),
    });
    ok("scale statefulset postgres --replicas=1");
    // A server that does not even start again has lost them all.
    let back = kubectl::run("rollout status statefulset/postgres --timeout 20s").succeeded;
    let there = if back { wallets("postgres-0").unwrap_or_default() } else { BTreeSet::new() };
    assert!(acknowledged.difference(&there).next().is_some(), "nothing was lost: this test sees no loss");
}
