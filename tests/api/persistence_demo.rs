//! `persistence-demo` against a server with faults. What it proves is seen on a real cluster.

use std::thread;

use serde_json::{Value, json};

use crate::plugin::Home;
use crate::server::{Reply, Server};
use crate::world::{APPS, NAMESPACED, World, refusal};

/// A set that is not the exchange's, of one pod.
fn of_a_set() -> World {
    let mut world = World::healthy();
    world.at(&format!("{APPS}/statefulsets/postgres"))["metadata"]["labels"] = json!({});
    let pods = world.at(&format!("{NAMESPACED}/pods"));
    pods["items"].as_array_mut().unwrap().truncate(1);
    pods["items"][0]["metadata"]["ownerReferences"] = json!([
        { "apiVersion": "apps/v1", "kind": "StatefulSet", "name": "postgres", "uid": "uid-postgres", "controller": true }
    ]);
    world
}

/// A claim that goes with its pod is told before the pod is touched, with what keeps its data.
#[test]
fn a_set_whose_storage_goes_with_its_pod_is_left_alone() {
    let keeps = " patch persistentvolume postgres-pv-alice -p ";
    for (path, policy, words, hint) in [
        ("persistentvolumeclaims/postgres-pvc", "Delete", "the data on pv/postgres-pv-alice is deleted", keeps),
        ("persistentvolumeclaims/postgres-pvc", "Retain", "the data stays on pv/postgres-pv-alice", "describe"),
        ("persistentvolumes/postgres-pv-alice", "Delete", "pv/postgres-pv-alice under pvc/postgres-pvc is Term", keeps),
    ] {
        let mut world = of_a_set();
        let volumes = json!([{ "name": "data", "persistentVolumeClaim": { "claimName": "postgres-pvc" } }]);
        world.at(&format!("{NAMESPACED}/pods"))["items"][0]["spec"]["volumes"] = volumes;
        let volume = world.at("/api/v1/persistentvolumes/postgres-pv-alice");
        volume["spec"]["persistentVolumeReclaimPolicy"] = policy.into();
        let (_, object) = world.objects.iter_mut().find(|(at, _)| at.ends_with(path)).unwrap();
        object["metadata"]["deletionTimestamp"] = "2026-11-28T00:00:00Z".into();
        let server = Server::start(move |request| world.reply(request));
        let ended = Home::at(&server).run("persistence-demo --target statefulset/postgres --yes");
        ended.could_not_run("not started: the data of pod/postgres-0 would be lost: ");
        assert!(ended.stderr.contains(words) && ended.stderr.contains(hint), "{ended:?}");
        assert!(server.requests().iter().all(|request| request.method == "GET"), "{:?}", server.requests());
    }
}

#[test]
fn a_run_ends_that_has_lost_its_lease() {
    let held = |holder: &str| -> Value {
        json!({ "metadata": { "name": "kubecoin-persistence-demo", "uid": "u" }, "spec": { "holderIdentity": holder } })
    };
    let deleted = || refusal(404, "NotFound", "leases \"kubecoin-persistence-demo\" not found");
    thread::scope(|scope| {
        for (answer, words) in [
            (Reply::Json(200, held("somebody")), "lost its Lease to somebody: it has proved nothing"),
            (deleted(), "lost its Lease to nobody: it was deleted"),
        ] {
            scope.spawn(move || {
                let world = of_a_set();
                let server = Server::start(move |request| match request.method.as_str() {
                    // The pod is watched for, in vain.
                    _ if request.query.contains("fieldSelector") => Reply::Silence,
                    _ if !request.path.contains("/leases") => world.reply(request),
                    "PATCH" => answer.clone(),
                    "GET" => Reply::Json(200, held("somebody")),
                    _ => world.reply(request),
                });
                Home::at(&server).run("persistence-demo --target statefulset/postgres --yes").could_not_run(words);
                // What is another's is not deleted, nor is the pod.
                assert!(server.requests().iter().all(|request| request.method != "DELETE"), "{:?}", server.requests());
            });
        }
    });
}
