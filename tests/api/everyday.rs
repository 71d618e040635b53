//! `psql` and `open` where the cluster refuses them.

use serde_json::json;

use crate::plugin::Home;
use crate::server::Server;
use crate::world::{APPS, NAMESPACED, World, refusal};

const EXEC: &str = "/api/v1/namespaces/alice/pods/postgres-0/exec";

fn not_ready(mut world: World, pod: usize) -> World {
    world.at(&format!("{NAMESPACED}/pods"))["items"][pod]["status"]["conditions"][0]["status"] = "False".into();
    world
}

#[test]
fn psql_without_its_pod_says_what_the_set_waits_for() {
    let mut world = World::healthy();
    world.at(&format!("{APPS}/statefulsets/postgres"))["spec"]["replicas"] = json!(0);
    world.at(&format!("{NAMESPACED}/pods"))["items"].as_array_mut().unwrap().remove(0);
    let server = Server::start(move |request| match request.path.as_str() {
        EXEC => refusal(404, "NotFound", "pods \"postgres-0\" not found"),
        _ => world.reply(request),
    });
    let ended = Home::at(&server).run("psql -c select");
    ended.could_not_run("pods \"postgres-0\" not found");
    assert!(ended.stderr.contains("statefulset/postgres is scaled to 0"), "{ended:?}");
    assert!(ended.stderr.contains("hint: start it again: kubectl scale"), "{ended:?}");
}

#[test]
fn psql_that_is_not_permitted_says_so_and_asks_nothing_else() {
    let world = World::healthy();
    let server = Server::start(move |request| match request.path.as_str() {
        EXEC => refusal(403, "Forbidden", "you may not exec"),
        _ => world.reply(request),
    });
    Home::at(&server).run("psql -c select").could_not_run("you may not exec");
    // Which pod takes writes, and psql there.
    assert_eq!(server.requests().len(), 2, "{:?}", server.requests());
}

#[test]
fn a_file_that_is_not_there_is_told_before_the_cluster_is_asked() {
    let world = World::healthy();
    let server = Server::start(move |request| world.reply(request));
    Home::at(&server).run("psql -f nowhere.sql").could_not_run("could not read nowhere.sql");
    Home::at(&server).run("psql -f /").could_not_run("is a directory");
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn open_without_a_page_says_why() {
    let world = not_ready(World::healthy(), 2);
    let server = Server::start(move |request| world.reply(request));
    let ended = Home::at(&server).run("open --no-browser");
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
    assert!(ended.stderr.contains("no frontend pod is ready"), "{ended:?}");
    assert!(ended.stderr.contains("  KC026 pod/frontend-1 "), "{ended:?}");
    assert_eq!(ended.stderr.matches("hint: ").count(), 1, "{ended:?}");
}

#[test]
fn open_of_pods_that_may_not_be_listed_is_not_run() {
    let world = World::healthy();
    let server = Server::start(move |request| match request.path.as_str() {
        path if path.ends_with("/pods") => refusal(403, "Forbidden", "you may not list"),
        _ => world.reply(request),
    });
    Home::at(&server).run("open --no-browser").could_not_run("you may not list");
}
