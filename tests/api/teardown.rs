//! `teardown` and `rotate-password` where the cluster refuses them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::plugin::{Ended, Home};
use crate::server::{Reply, Request, Server};
use crate::store::Store;
use crate::world::{APPS, NAMESPACED, POLICY, SLICES, World, refusal};

/// Runs a command against a healthy exchange, but for requests to a path. Gives what it has changed.
fn but(path: &str, words: &str, fault: fn() -> Reply) -> (Ended, Vec<Request>) {
    let (world, path) = (World::healthy(), path.to_owned());
    let server = Server::start(move |request| if request.path == path { fault() } else { world.reply(request) });
    let ended = Home::at(&server).run(words);
    let changes = server.requests().into_iter().filter(|request| request.method != "GET");
    (ended, changes.collect())
}

#[test]
fn what_cannot_be_read_could_be_there_and_so_nothing_is_deleted() {
    for path in [
        format!("{APPS}/statefulsets/postgres"),
        format!("{APPS}/deployments/backend"),
        format!("{NAMESPACED}/services/frontend-service"),
        format!("{NAMESPACED}/persistentvolumeclaims/postgres-pvc"),
        format!("{NAMESPACED}/pods"),
    ] {
        for fault in [|| refusal(403, "Forbidden", "no way"), || refusal(422, "Invalid", "no way")] {
            let (ended, changes) = but(&path, "teardown --yes", fault);
            ended.could_not_run("no way");
            assert!(ended.stderr.contains("nothing was deleted"), "{path}: {ended:?}");
            assert!(!ended.stderr.contains("(\""), "{path}: {ended:?}");
            assert!(changes.is_empty(), "{path}: {changes:?}");
        }
    }
}

/// Who may not read policies has created none; any other failure may hide one.
#[test]
fn a_policy_goes_with_the_exchange() {
    let world = World::guarded();
    let server = Server::start(move |request| match request.method.as_str() {
        "DELETE" => Reply::Json(200, serde_json::json!({ "kind": "Status", "status": "Success" })),
        _ => world.reply(request),
    });
    let ended = Home::at(&server).run("teardown --yes --timeout 9s");
    assert_eq!(ended.code, 0, "{ended:?}");
    let deleted = |request: &Request| request.method == "DELETE" && request.path == POLICY;
    assert!(server.requests().iter().any(deleted), "{:?}", server.requests());

    let (ended, changes) = but(POLICY, "teardown --yes", || refusal(422, "Invalid", "no way"));
    ended.could_not_run("could not read networkpolicy/postgres in namespace alice, so nothing was deleted");
    assert!(changes.is_empty(), "{changes:?}");
    let (_, changes) = but(POLICY, "teardown --yes --timeout 2s", || refusal(403, "Forbidden", "no way"));
    let paths: Vec<&str> = changes.iter().map(|request| request.path.as_str()).collect();
    assert!(!paths.is_empty() && !paths.contains(&POLICY), "{paths:?}");
}

#[test]
fn the_secrets_go_with_the_data_or_nothing_does() {
    let secrets = format!("{NAMESPACED}/secrets");
    let (ended, changes) = but(&secrets, "teardown --delete-data --yes", || refusal(403, "Forbidden", "no secrets"));
    ended.could_not_run("no secrets");
    assert!(changes.is_empty(), "{changes:?}");
}

/// What a run left that was killed while claim and volume went: the next read may see either of them for the last time.
#[test]
fn what_goes_already_keeps_nobody_from_the_end() {
    let claim = format!("{NAMESPACED}/persistentvolumeclaims/postgres-pvc");
    let volume = "/api/v1/persistentvolumes/postgres-pv-alice".to_owned();
    for last in [claim, volume] {
        let mut world = World::healthy();
        world.at(&last)["metadata"]["deletionTimestamp"] = "2026-11-24T02:00:00Z".into();
        if last.contains("volumes") {
            world.at(&last)["status"]["phase"] = "Released".into();
        }
        world.objects.retain(|path, _| path == &last || path == "/version");
        for list in [format!("{NAMESPACED}/pods"), format!("{NAMESPACED}/secrets"), SLICES.to_owned()] {
            world.objects.insert(list, serde_json::json!({ "metadata": {}, "items": [] }));
        }
        let (seen, path) = (AtomicBool::new(false), last.clone());
        let server = Server::start(move |request| {
            let again = request.path == path && seen.swap(true, Ordering::Relaxed);
            if again { refusal(404, "NotFound", "gone") } else { world.reply(request) }
        });
        let ended = Home::at(&server).run("teardown --delete-data --yes --timeout 9s");
        assert_eq!(ended.code, 0, "{last}: {ended:?}");
        assert!(!ended.stderr.contains("no pod can"), "{last}: {ended:?}");
    }
}

/// What is there at the beginning.
type Begin = fn() -> Store;

/// Which requests are refused.
type Refused = fn(&Request) -> bool;

/// Runs `teardown` against a store, of which some requests are refused.
fn torn_down(store: Store, flags: &str, is_refused: Refused) -> (Ended, Vec<Request>, Arc<Store>) {
    let store = Arc::new(store);
    let kept = Arc::clone(&store);
    let server =
        Server::start(
            move |request| {
                if is_refused(request) { refusal(403, "Forbidden", "no way") } else { kept.reply(request) }
            },
        );
    let ended = Home::at(&server).run(&format!("teardown --yes --timeout 20s {flags}"));
    let changes = server.requests().into_iter().filter(|request| request.method != "GET");
    (ended, changes.collect(), store)
}

fn never(_: &Request) -> bool {
    false
}

fn of_volume(request: &Request) -> bool {
    request.path.contains("/persistentvolumes/")
}

fn changes_volume(request: &Request) -> bool {
    of_volume(request) && request.method == "PATCH"
}

fn of_replicasets(request: &Request) -> bool {
    request.path.ends_with("/replicasets")
}

#[test]
fn what_has_lost_its_workload_goes_too() {
    let (ended, changes, store) = torn_down(Store::orphaned(), "", never);
    assert_eq!(ended.code, 0, "{ended:?}");
    let deleted = |end: &str| changes.iter().any(|it| it.method == "DELETE" && it.path.ends_with(end));
    for end in ["pods/postgres-0", "replicasets/backend-1", "replicasets/frontend-1"] {
        assert!(deleted(end), "{end}: {changes:?}");
    }
    // The cluster does that.
    assert!(!deleted("pods/backend-1") && !deleted("pods/frontend-1"), "{changes:?}");
    let left = store.paths();
    assert!(!left.iter().any(|path| path.contains("/pods/") || path.contains("/replicasets/")), "{left:?}");
}

/// Its set has let it go, and selects nothing of it any more.
#[test]
fn a_pod_whose_label_was_changed_goes_too() {
    let store = Store::orphaned();
    store.change("pods/postgres-0", json!({ "metadata": { "labels": { "app": "apart" } } }));
    let (ended, _, store) = torn_down(store, "", never);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(store.uid("pods/postgres-0").is_none(), "{:?}", store.paths());
}

#[test]
fn a_pod_of_another_workload_is_named_and_not_waited_for() {
    let store = Store::orphaned();
    let owner =
        json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": "mine", "uid": "u", "controller": true });
    store.change("replicasets/backend-1", json!({ "metadata": { "ownerReferences": [owner] } }));
    let kept = Arc::new(store);
    let mine = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "mine", "uid": "u" } });
    let server = Server::start(move |request| match request.path.as_str() {
        path if path.ends_with("/deployments/mine") => Reply::Json(200, mine.clone()),
        _ => kept.reply(request),
    });
    let ended = Home::at(&server).run("teardown --yes --timeout 20s");
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("pod/backend-1 is not deleted: it belongs to deployment.apps/mine"), "{ended:?}");
    let deleted = |request: &Request| request.method == "DELETE" && request.path.ends_with("backend-1");
    assert!(!server.requests().iter().any(deleted) && ended.took.as_secs() < 15, "{ended:?}");
}

#[test]
fn who_may_not_list_replicasets_is_told_so() {
    let (ended, _, _) = torn_down(Store::deployed(), "", of_replicasets);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("warning: you may not list ReplicaSets"), "{ended:?}");
    let (ended, changes) = but(&format!("{APPS}/replicasets"), "teardown --yes", || refusal(422, "Invalid", "no way"));
    ended.could_not_run("could not read replicasets in namespace alice, so nothing was deleted");
    assert!(changes.is_empty(), "{changes:?}");
}

/// Whether the claim has gone already, or goes when its pod is deleted.
#[test]
fn a_volume_gets_a_claim_again_to_delete_its_files() {
    for begin in [Store::with_released_volume, Store::with_ending_claim] {
        let (ended, changes, store) = torn_down(begin(), "--delete-data", never);
        assert_eq!(ended.code, 0, "{ended:?}");
        let freed = changes.iter().find(|it| it.method == "PATCH").expect("the volume forgets its claim");
        assert_eq!(freed.path, "/api/v1/persistentvolumes/postgres-pv-alice");
        let body: Value = serde_json::from_str(&freed.body).unwrap();
        assert_eq!(body["spec"], json!({ "claimRef": { "uid": null, "resourceVersion": null } }));
        let made = |kind: &str| {
            let at = changes.iter().position(|it| it.method == "POST" && it.path.ends_with(kind));
            at.unwrap_or_else(|| panic!("no {kind} in {changes:?}"))
        };
        assert!(made("/persistentvolumeclaims") < made("/pods"), "{changes:?}");
        assert!(ended.stdout.contains("the files in /data/kubecoin/alice"), "{ended:?}");
        assert_eq!(store.paths(), [""; 0]);
    }
}

/// Somebody has created the claim again, for another volume.
#[test]
fn the_lessons_volume_is_emptied_though_its_claim_names_another_one() {
    let store = Store::deployed();
    let another = json!({ "spec": { "volumeName": "another" }, "status": { "phase": "Pending" } });
    store.change("postgres-pvc", another);
    store.change("postgres-pv-alice", json!({ "status": { "phase": "Released" } }));
    let (ended, _, store) = torn_down(store, "--delete-data", never);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("the files in /data/kubecoin/alice"), "{ended:?}");
    assert_eq!(store.paths(), [""; 0]);
}

#[test]
fn files_that_cannot_be_reached_stay_and_all_else_goes() {
    let volume = "/api/v1/persistentvolumes/postgres-pv-alice";
    let cases: [(Begin, Refused, &str); 3] = [
        (
            Store::with_ending_claim,
            of_volume,
            "are not deleted: persistentvolumeclaim/postgres-pvc is being deleted already",
        ),
        (Store::with_released_volume, of_volume, "if one still has the files of this claim, they are not deleted"),
        (Store::with_released_volume, changes_volume, "are not deleted: could not patch persistentvolume/"),
    ];
    for (begin, is_refused, says) in cases {
        let (ended, changes, store) = torn_down(begin(), "--delete-data", is_refused);
        assert_eq!(ended.code, 1, "{says}: {ended:?}");
        assert!(ended.stderr.contains(says), "{says}: {ended:?}");
        assert!(ended.stderr.contains("hint: ask a cluster administrator to delete the files"), "{says}: {ended:?}");
        assert_eq!(store.paths(), [volume], "{says}: {ended:?}");
        assert!(!changes.iter().any(|it| it.method == "DELETE" && it.path == volume), "{says}: {changes:?}");
    }
}

/// `kubectl delete -f` on the folder has both go.
#[test]
fn a_volume_that_goes_too_is_created_again_to_delete_its_files() {
    let store = Store::with_ending_claim();
    store.change("postgres-pv-alice", json!({ "metadata": { "deletionTimestamp": "2026-11-24T21:00:00Z" } }));
    let (ended, changes, store) = torn_down(store, "--delete-data", never);
    assert_eq!(ended.code, 0, "{ended:?}");
    let created = changes.iter().filter(|it| it.method == "POST").map(|it| it.path.rsplit('/').next().unwrap());
    assert_eq!(created.collect::<Vec<_>>(), ["persistentvolumes", "persistentvolumeclaims", "pods"]);
    assert!(ended.stdout.contains("the files in /data/kubecoin/alice of node node-1 are deleted"), "{ended:?}");
    assert_eq!(store.paths(), [""; 0]);
}

#[test]
fn a_claim_that_goes_is_not_said_to_be_kept() {
    let (ended, _, _) = torn_down(Store::with_ending_claim(), "", never);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("postgres-pvc is being deleted already"), "{ended:?}");
    assert!(ended.stderr.contains("kept: persistentvolume/postgres-pv-alice, and the Secret"), "{ended:?}");
    assert!(ended.stderr.contains("kubecoin deploy --reuse-volume"), "{ended:?}");
}

/// A healthy exchange whose backend has its password from the first Secret.
fn with_credentials() -> World {
    let mut world = World::healthy();
    let from = |key| serde_json::json!({ "name": key, "valueFrom": { "secretKeyRef": { "name": "postgres-credentials", "key": key } } });
    world.at(&format!("{APPS}/deployments/backend"))["spec"]["template"] = serde_json::json!({ "spec": { "containers":
        [{ "name": "backend", "env": [from("DB_USER"), from("DB_PASSWORD")] }] } });
    world.objects.insert(format!("{NAMESPACED}/secrets"), serde_json::json!({ "metadata": {}, "items": [] }));
    world
}

#[test]
fn a_password_that_may_not_be_read_is_not_rotated() {
    let secret = format!("{NAMESPACED}/secrets/postgres-credentials");
    let world = with_credentials();
    let server = Server::start(move |request| {
        if request.path == secret { refusal(403, "Forbidden", "no secrets") } else { world.reply(request) }
    });
    let ended = Home::at(&server).run("rotate-password");
    ended.could_not_run("no secrets");
    assert!(server.requests().iter().all(|request| request.method == "GET"), "{ended:?}");
}

/// Once PostgreSQL has a new password, a backend that cannot be replaced is locked out.
#[test]
fn a_backend_whose_next_pod_has_no_room_keeps_its_password() {
    let rotate = |refused: &'static str, may_create: bool| {
        let (world, pods) = (with_credentials(), format!("{NAMESPACED}/pods"));
        let server = Server::start(move |request| match request.path.as_str() {
            path if path == pods && request.method == "POST" => refusal(403, "Forbidden", refused),
            path if path.ends_with("selfsubjectaccessreviews") => {
                Reply::Json(201, serde_json::json!({ "metadata": {}, "spec": {}, "status": { "allowed": may_create } }))
            }
            _ => world.reply(request),
        });
        let ended = Home::at(&server).run("rotate-password --new");
        (ended, server.requests())
    };
    let quota = "pods \"backend-check\" is forbidden: exceeded quota: small";
    let (ended, requests) = rotate(quota, true);
    ended.could_not_run(quota);
    assert!(
        ended.stderr.contains("hint: ask for a quota of one more pod") && ended.stderr.contains("--replicas=0"),
        "{ended:?}"
    );
    let tried = |request: &Request| request.query.contains("dryRun=All") || request.path.contains("selfsubject");
    assert!(requests.iter().all(|request| request.method == "GET" || tried(request)), "{requests:?}");

    // Who may not make pods learns nothing about the one that a controller makes.
    let (_, requests) = rotate("pods is forbidden: User \"student\" cannot create resource \"pods\"", false);
    let made = |request: &Request| request.method == "POST" && request.path.ends_with("/secrets");
    assert!(requests.iter().any(made), "{requests:?}");
}
