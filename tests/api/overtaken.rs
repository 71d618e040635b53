//! `deploy` of objects that change between its reading and its writing: by controllers, and by its own patches whose
//! answers are lost.

use std::sync::Mutex;

use serde_json::{Value, json};

use crate::plugin::{Ended, Home};
use crate::server::{Reply, Request, Server};
use crate::world::{APPS, NAMESPACED, World, refusal};

fn entry(manager: &str, operation: &str, time: &str) -> Value {
    json!({ "manager": manager, "operation": operation, "time": time, "fieldsType": "FieldsV1",
            "fieldsV1": { "f:spec": {} } })
}

/// What this program has applied.
fn own(time: &str) -> Value {
    entry("kubectl-kubecoin", "Apply", time)
}

const EARLIER: &str = "2026-11-23T20:00:00Z";
const NOW: &str = "2026-11-24T20:00:00Z";

#[test]
fn what_controllers_write_meanwhile_is_no_change_of_ours() {
    let (set, service) = (format!("{APPS}/statefulsets/postgres"), format!("{NAMESPACED}/services/backend-service"));
    let mut world = World::healthy();
    for path in [&set, &service] {
        world.at(path)["metadata"]["managedFields"] = json!([own(EARLIER)]);
    }
    let server = Server::start(move |request| {
        let Reply::Json(200, mut object) = world.reply(request) else { return world.reply(request) };
        if request.method == "PATCH" && request.path == set {
            object["metadata"]["resourceVersion"] = "8".into();
            object["metadata"]["managedFields"] = json!([own(EARLIER), entry("a-controller", "Update", NOW)]);
        } else if request.method == "PATCH" && request.path == service {
            object["metadata"]["managedFields"] = json!([own(NOW)]);
        }
        Reply::Json(200, object)
    });
    for flags in ["--wait=false", "--dry-run=server"] {
        let ended = Home::at(&server).run(&format!("deploy {flags}"));
        assert_eq!(ended.code, 0, "{ended:?}");
        for words in ["statefulset.apps/postgres unchanged", "service/backend-service configured"] {
            assert!(ended.stdout.contains(words), "no {words:?} in {ended:?}");
        }
    }
}

/// Deploys where a patch of the object at a path is done, and its answer is lost. As the server has it, a patch of another
/// version than the object's is a conflict.
fn unacknowledged(words: &str, world: World, path: &str, is_it: fn(&Value) -> bool, done: fn(&mut Value)) -> Ended {
    let (world, path, tries) = (Mutex::new(world), path.to_owned(), Mutex::new(0));
    let server = Server::start(move |request: &Request| {
        let mut world = world.lock().unwrap();
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        if request.method != "PATCH" || request.path != path || !is_it(&body) {
            return world.reply(request);
        }
        let object = world.at(&path);
        if body["metadata"]["resourceVersion"] != object["metadata"]["resourceVersion"] {
            return refusal(409, "Conflict", "the object has been modified");
        }
        *tries.lock().unwrap() += 1;
        assert_eq!(*tries.lock().unwrap(), 1, "it is done once");
        object["metadata"]["resourceVersion"] = "8".into();
        done(object);
        Reply::Truncated("{".to_owned())
    });
    let ended = Home::at(&server).run(&format!("deploy --wait=false --timeout 1m {words}"));
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.stderr.matches("the object has been modified; trying again").count(), 1, "{ended:?}");
    ended
}

#[test]
fn an_adoption_whose_answer_is_lost_is_done() {
    let path = format!("{APPS}/statefulsets/postgres");
    let mut world = World::healthy();
    world.at(&path)["metadata"]["managedFields"] = json!([entry("kubectl-client-side-apply", "Update", EARLIER)]);
    let ended = unacknowledged(
        "",
        world,
        &path,
        |body| body["metadata"]["managedFields"].is_array(),
        |set| {
            set["metadata"]["managedFields"] = json!([own(NOW)]);
        },
    );
    assert!(ended.stdout.contains("statefulset.apps/postgres adopted"), "{ended:?}");
}

#[test]
fn a_volume_whose_offer_was_not_acknowledged_is_offered() {
    let path = "/api/v1/persistentvolumes/postgres-pv-alice";
    let mut world = World::healthy();
    let volume = world.at(path);
    volume["metadata"]["namespace"] = Value::Null;
    volume["status"]["phase"] = "Released".into();
    volume["spec"]["claimRef"] = json!({ "namespace": "alice", "name": "postgres-pvc", "uid": "an-earlier-one" });
    let ended = unacknowledged(
        "--reuse-volume",
        world,
        path,
        |body| {
            body["spec"]["claimRef"]["uid"].is_null() && body["spec"]["claimRef"].is_object() && body["kind"].is_null()
        },
        |volume| {
            volume["spec"]["claimRef"]["uid"] = Value::Null;
            volume["status"]["phase"] = "Available".into();
        },
    );
    assert!(ended.stderr.contains("persistentvolume/postgres-pv-alice is made available again"), "{ended:?}");
}
