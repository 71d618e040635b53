//! `dns-check` against a server with faults. What DNS answers is seen on a real cluster.

use serde_json::json;

use crate::plugin::{Ended, Home};
use crate::server::{Reply, Request, Server};
use crate::world::{APPS, NAMESPACED, World, refusal};

fn dns_check(words: &str, script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Ended {
    Home::at(&Server::start(script)).run(&format!("dns-check {words}"))
}

#[test]
fn without_an_exchange_there_is_nothing_to_ask_for() {
    let mut world = World::healthy();
    world.objects.retain(|path, _| !path.starts_with(APPS));
    dns_check("", move |request| world.reply(request)).could_not_run("no exchange is deployed in namespace alice");
}

#[test]
fn without_a_pod_there_is_nowhere_to_ask_from() {
    let mut world = World::healthy();
    world.at(&format!("{NAMESPACED}/pods"))["items"] = json!([]);
    let ended = dns_check("", move |request| world.reply(request));
    ended.could_not_run("no backend pod is running");
    assert!(ended.stderr.contains("hint: ask from a temporary pod: kubectl kubecoin dns-check --pod"), "{ended:?}");
    let world = World::healthy();
    dns_check("--from pod/nobody", move |request| world.reply(request)).could_not_run("pod/nobody does not exist");
}

#[test]
fn who_may_run_nothing_in_a_pod_is_told_so() {
    let world = World::healthy();
    let ended = dns_check("", move |request| {
        if request.path.ends_with("/exec") {
            return refusal(403, "Forbidden", "pods \"backend-1\" is forbidden");
        }
        world.reply(request)
    });
    ended.could_not_run("is forbidden");
    assert!(ended.stdout.is_empty(), "{ended:?}");
}

#[test]
fn a_pod_that_may_not_be_made_leaves_nothing_to_take_away() {
    let world = World::healthy();
    let server = Server::start(move |request| match (request.method.as_str(), request.path.as_str()) {
        ("POST", path) if path.ends_with("/pods") => refusal(403, "Forbidden", "pods are forbidden"),
        // Nothing was left behind by an earlier run.
        ("GET", path) if path.ends_with("/pods") && request.query.contains("helper") => {
            Reply::Json(200, json!({ "metadata": { "resourceVersion": "7" }, "items": [] }))
        }
        _ => world.reply(request),
    });
    Home::at(&server).run("dns-check --pod --image busybox").could_not_run("pods are forbidden");
    assert!(server.requests().iter().all(|request| request.method != "DELETE"), "{:?}", server.requests());
}
