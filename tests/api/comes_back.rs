//! Nothing is deleted that would not come back, and a namespace that does not stay is told once.

use serde_json::{Value, json};

use crate::plugin::{Ended, Home};
use crate::server::{Reply, Request, Server};
use crate::world::{APPS, NAMESPACED, World, refusal};

const PODS: &str = "/api/v1/namespaces/alice/pods";
const QUOTAS: &str = "/api/v1/namespaces/alice/resourcequotas";
const GONE: &str = "2026-11-28T00:00:00Z";

/// An exchange whose set says of what its next pod is made.
fn world() -> World {
    let mut world = World::healthy();
    world.at(&format!("{APPS}/statefulsets/postgres"))["spec"]["template"]["spec"] = json!({
        "containers": [{ "name": "postgres", "image": "postgres:17", "env": [
            { "name": "POSTGRES_PASSWORD",
              "valueFrom": { "secretKeyRef": { "name": "postgres-credentials", "key": "password" } } },
        ] }],
    });
    world
}

/// What `persistence-demo` comes to, and what it has asked for, with these answers beside those of the world.
fn demo(world: World, script: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> (Ended, Vec<Request>) {
    let server = Server::start(move |request| script(request).unwrap_or_else(|| world.reply(request)));
    (Home::at(&server).run("persistence-demo --yes"), server.requests())
}

/// That it was refused in these words, with nothing changed.
fn untouched((ended, requests): &(Ended, Vec<Request>), words: &str) {
    ended.could_not_run("not started: ");
    assert!(ended.stderr.contains(words), "no {words:?} in {ended:?}");
    assert!(!ended.stderr.contains("--delete-data"), "{ended:?}");
    let changes = |request: &&Request| request.method != "GET" && !request.query.contains("dryRun=All");
    let change = requests.iter().filter(changes).find(|request| !request.path.contains("/selfsubject"));
    assert!(change.is_none(), "{change:?}");
}

/// That it got past what is asked before, as far as the database, which is not there.
fn went_on((ended, _): &(Ended, Vec<Request>)) {
    assert!(!ended.stderr.contains("could not be created") && ended.stderr.contains("error: "), "{ended:?}");
}

fn tries_pod(request: &Request) -> bool {
    request.method == "POST" && request.path == PODS && request.query.contains("dryRun=All")
}

#[test]
fn storage_that_goes_with_its_pod_is_seen_and_keeps_the_pod() {
    for (path, policy, says, hint) in [
        (
            "persistentvolumeclaims/postgres-pvc",
            "Delete",
            "with it the data on pv/postgres-pv-alice is deleted",
            "patch",
        ),
        ("persistentvolumeclaims/postgres-pvc", "Retain", "the data stays on pv/postgres-pv-alice", "pg_dump"),
        ("persistentvolumes/postgres-pv-alice", "Retain", "postgres-pv-alice under pvc/postgres-pvc is", "pg_dump"),
    ] {
        let mut world = world();
        let volume = world.at("/api/v1/persistentvolumes/postgres-pv-alice");
        volume["spec"]["persistentVolumeReclaimPolicy"] = policy.into();
        let (_, object) = world.objects.iter_mut().find(|(at, _)| at.ends_with(path)).unwrap();
        object["metadata"]["deletionTimestamp"] = GONE.into();
        let same = world.clone();
        let ended = Home::at(&Server::start(move |request| same.reply(request))).run("status --no-db");
        assert_eq!(ended.code, 1, "{ended:?}");
        for words in ["Terminating", "exchange: not healthy", says] {
            assert!(ended.stdout.contains(words), "no {words:?} in {ended:?}");
        }
        assert!(ended.stderr.contains(hint), "no {hint:?} in {ended:?}");
        untouched(&demo(world, |_| None), says);
    }
}

#[test]
fn any_object_that_is_on_its_way_out_is_not_healthy() {
    for path in ["statefulsets/postgres", "deployments/backend", "services/frontend-service"] {
        let mut world = world();
        let (_, object) = world.objects.iter_mut().find(|(at, _)| at.ends_with(path)).unwrap();
        object["metadata"]["deletionTimestamp"] = GONE.into();
        let ended = Home::at(&Server::start(move |request| world.reply(request))).run("status --no-db");
        assert_eq!(ended.code, 1, "{path}: {ended:?}");
        assert!(ended.stdout.contains("is Terminating"), "{path}: {ended:?}");
    }
}

#[test]
fn a_next_pod_that_the_server_refuses_keeps_the_one_that_is_there() {
    for words in [
        "pods \"postgres-next\" is forbidden: violates PodSecurity \"restricted:latest\"",
        "pods \"postgres-next\" is forbidden: maximum memory usage per Container is 16Mi",
        "pods \"postgres-next\" is forbidden: no PriorityClass with name high was found",
        "pods \"postgres-next\" is forbidden: error looking up service account alice/gone",
    ] {
        let ran = demo(world(), move |request| tries_pod(request).then(|| refusal(403, "Forbidden", words)));
        untouched(&ran, words);
    }
}

#[test]
fn a_quota_that_the_old_pod_fills_is_no_refusal() {
    let with = |hard: &'static str| {
        demo(world(), move |request| match request.path.as_str() {
            QUOTAS => {
                let quota = json!({ "metadata": { "name": "small" }, "spec": { "hard": { "pods": hard } },
                                    "status": { "hard": { "pods": hard }, "used": { "pods": "3" } } });
                Some(Reply::Json(200, json!({ "metadata": {}, "items": [quota] })))
            }
            _ if tries_pod(request) => {
                let words = format!("exceeded quota: small, requested: pods=1, used: pods=3, limited: pods={hard}");
                Some(refusal(403, "Forbidden", &words))
            }
            _ => None,
        })
    };
    went_on(&with("3"));
    untouched(&with("2"), "resourcequota/small does not leave enough for it: it needs 1 of pods, and 3 of 2 is used");
}

#[test]
fn a_webhook_that_takes_no_trial_is_no_refusal() {
    let words = "admission webhook \"a.b\" does not support dry run";
    went_on(&demo(world(), move |request| tries_pod(request).then(|| refusal(400, "BadRequest", words))));
}

#[test]
fn what_the_next_pod_needs_and_is_gone_is_named() {
    let mut without = world();
    without.objects.remove("/api/v1/namespaces/alice/secrets/postgres-credentials");
    untouched(&demo(without, |_| None), "secret/postgres-credentials, which it needs, does not exist");
    let mut keyless = world();
    keyless.at("/api/v1/namespaces/alice/secrets/postgres-credentials")["data"] = json!({ "username": "cA==" });
    untouched(&demo(keyless, |_| None), "secret/postgres-credentials has no key \"password\", which it needs");
    let mut mapless = world();
    let set = mapless.at(&format!("{APPS}/statefulsets/postgres"));
    set["spec"]["template"]["spec"]["volumes"] = json!([{ "name": "conf", "configMap": { "name": "conf" } }]);
    untouched(&demo(mapless, |_| None), "configmap/conf, which it needs, does not exist");
}

#[test]
fn an_image_that_is_pulled_anew_is_pulled_before_the_pod_goes() {
    let mut world = world();
    let set = world.at(&format!("{APPS}/statefulsets/postgres"));
    set["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = "Always".into();
    let waits = |name: &str| -> Value {
        json!({ "metadata": { "name": name, "resourceVersion": "8", "uid": "u" }, "spec": { "containers": [] },
                "status": { "phase": "Pending", "containerStatuses": [{ "name": "pull", "ready": false, "restartCount": 0,
                    "image": "", "imageID": "", "state": { "waiting": { "reason": "ErrImagePull", "message": "not found" } } }] } })
    };
    let (ended, requests) = demo(world, move |request| {
        // No helper pods are left of earlier runs.
        if request.query.contains("helper") {
            return Some(Reply::Json(200, json!({ "metadata": {}, "items": [] })));
        }
        let name = request.query.split('&').find_map(|part| part.strip_prefix("fieldSelector=metadata.name%3D"));
        let name = name.filter(|name| name.contains("kubecoin-pull"))?.to_owned();
        let list = json!({ "metadata": { "resourceVersion": "8" }, "items": [waits(&name)] });
        Some(if request.query.contains("watch=true") { Reply::Watch(vec![]) } else { Reply::Json(200, list) })
    });
    ended.could_not_run("postgres:17 cannot be pulled on node-1: ErrImagePull: not found");
    let made = requests.iter().find(|request| request.method == "POST" && request.body.contains("kubecoin-pull"));
    let made: Value = serde_json::from_str(&made.expect("a pod pulls it").body).unwrap();
    assert_eq!(
        (&made["spec"]["nodeName"], &made["spec"]["containers"][0]["imagePullPolicy"]),
        (&json!("node-1"), &json!("Always"))
    );
    let deleted: Vec<&Request> = requests.iter().filter(|request| request.method == "DELETE").collect();
    assert!(deleted.len() == 1 && deleted[0].path.contains("kubecoin-pull"), "{deleted:?}");
}

#[test]
fn a_namespace_that_does_not_stay_is_told_in_one_line() {
    for (namespace, says) in [
        (None, "namespace/alice does not exist"),
        (
            Some(json!({ "metadata": { "name": "alice", "deletionTimestamp": GONE } })),
            "namespace/alice is being deleted",
        ),
    ] {
        for command in [
            "",
            "status",
            "persistence-demo --yes",
            "psql -c select",
            "init-db",
            "dns-check",
            "rotate-password",
            "open --no-browser",
            "persistence-demo --yes --target statefulset/store",
        ] {
            let mut world = World::healthy();
            world.objects.retain(|path, _| !path.contains("/namespaces/alice"));
            world.objects.extend(namespace.clone().map(|namespace| (NAMESPACED.to_owned(), namespace)));
            let server = Server::start(move |request| match (request.method.as_str(), request.path.as_str()) {
                ("GET", path) if ["/pods", "/endpointslices"].iter().any(|list| path.ends_with(list)) => {
                    Reply::Json(200, json!({ "metadata": { "resourceVersion": "7" }, "items": [] }))
                }
                _ => world.reply(request),
            });
            let ended = Home::at(&server).run(command);
            ended.could_not_run(says);
            let lines: Vec<&str> = ended.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
            assert_eq!(lines.len(), 1, "{command}: {ended:?}");
        }
    }
}

#[test]
fn a_namespace_that_is_being_deleted_gets_no_exchange() {
    let mut world = World::healthy();
    world.at(NAMESPACED)["metadata"]["deletionTimestamp"] = GONE.into();
    let server = Server::start(move |request| world.reply(request));
    let ended = Home::at(&server).run("deploy");
    ended.could_not_run("namespace/alice is being deleted, with everything in it");
    assert_eq!(ended.stderr.matches("is being deleted").count(), 1, "{ended:?}");
}
