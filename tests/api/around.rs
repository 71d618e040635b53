//! `doctor` looks at what is around the exchange; `status` does not.

use serde_json::{Value, json};

use crate::plugin::{Ended, Home};
use crate::server::{Reply, Request, Server};
use crate::world::{World, refusal};

const NODES: &str = "/api/v1/nodes";
const CLASSES: &str = "/apis/storage.k8s.io/v1/storageclasses";

/// How a command goes, and what it asked for. Nothing is run in a pod.
fn run(command: &str, script: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> (Ended, Vec<Request>) {
    let world = World::healthy();
    let server = Server::start(move |request| match script(request) {
        Some(reply) => reply,
        None if request.path.ends_with("/exec") => refusal(403, "Forbidden", "no exec"),
        None => world.reply(request),
    });
    (Home::at(&server).run(command), server.requests())
}

fn two_nodes() -> Value {
    json!({ "metadata": {}, "items": [{ "metadata": { "name": "node-1" } }, { "metadata": { "name": "node-2" } }] })
}

#[test]
fn doctor_alone_lists_nodes_and_classes_and_not_without_end() {
    let script = |request: &Request| (request.path == NODES).then(|| Reply::Json(200, two_nodes()));
    let (ended, requests) = run("doctor", script);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("KC018 warning: persistentvolume/postgres-pv-alice is a directory"), "{ended:?}");
    for path in [NODES, CLASSES] {
        let asked: Vec<_> = requests.iter().filter(|request| request.path == path).collect();
        assert_eq!(asked.len(), 1, "{path}");
        assert!(asked[0].query.contains("limit="), "{path}: {}", asked[0].query);
    }
    let (ended, requests) = run("status", script);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(requests.iter().all(|request| ![NODES, CLASSES].contains(&request.path.as_str())));
}

#[test]
fn who_may_not_list_them_hears_nothing_of_it() {
    let (ended, _) = run("doctor", |request| {
        [NODES, CLASSES].contains(&request.path.as_str()).then(|| refusal(403, "Forbidden", "not for you"))
    });
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(!ended.stdout.contains("node") && !ended.stdout.contains("torageclass"), "{ended:?}");
}
