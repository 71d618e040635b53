//! `--timeout`: no command goes on for longer, whatever the server does, and a server that comes back in time is enough.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::plugin::{Ended, Home};
use crate::server::{Reply, Request, Server};
use crate::world::{APPS, NAMESPACED, World, refusal};

/// Far more than what is asked for, and less than a single request may take.
const FAR_LONGER: Duration = Duration::from_secs(28);

fn silent() -> Reply {
    Reply::Silence
}

fn unavailable() -> Reply {
    refusal(503, "ServiceUnavailable", "starting")
}

/// From which request on the server fails.
type Moment = fn(&Request) -> bool;

fn from_the_start(_: &Request) -> bool {
    true
}

fn from_the_reading(request: &Request) -> bool {
    request.path != "/version"
}

fn from_the_trials(request: &Request) -> bool {
    request.query.contains("dryRun")
}

fn when_applied(request: &Request) -> bool {
    request.method == "PATCH" && !request.query.contains("dryRun") && request.path.ends_with("/statefulsets/postgres")
}

fn when_deleted(request: &Request) -> bool {
    request.method == "DELETE"
}

fn when_asked(request: &Request) -> bool {
    request.path.contains("/proxy/")
}

/// Runs a command against a server that fails from a moment on, for good.
fn timed(command: &str, moment: Moment, fault: fn() -> Reply) -> Ended {
    let (world, failing) = (World::healthy(), AtomicUsize::new(0));
    let server = Server::start(move |request| {
        let fails = failing.load(Ordering::Relaxed) > 0 || moment(request);
        failing.fetch_add(usize::from(fails), Ordering::Relaxed);
        if fails { fault() } else { world.reply(request) }
    });
    Home::at(&server).run(command)
}

#[test]
fn no_command_goes_on_for_longer() {
    // All at once on a busy machine, a moment that comes late comes later still.
    let cases: [(&str, Moment, i32); 13] = [
        ("deploy --timeout 3s", from_the_start, 2),
        ("deploy --timeout 3s", from_the_reading, 2),
        ("deploy --timeout 3s", from_the_trials, 2),
        ("deploy --timeout 10s", when_applied, 1),
        ("deploy --timeout 10s", when_asked, 1),
        ("init-db --timeout 3s", from_the_start, 2),
        ("init-db --timeout 3s", from_the_reading, 2),
        ("status --wait --no-db --timeout 3s", from_the_start, 2),
        ("rotate-password --timeout 3s", from_the_start, 2),
        ("rotate-password --timeout 3s", from_the_reading, 2),
        ("teardown --yes --timeout 3s", from_the_start, 2),
        ("teardown --yes --timeout 3s", from_the_reading, 2),
        ("teardown --yes --timeout 3s", when_deleted, 2),
    ];
    thread::scope(|scope| {
        for (command, moment, code) in cases {
            for fault in [silent, unavailable] {
                scope.spawn(move || {
                    let ended = timed(command, moment, fault);
                    // A server that says nothing is not known to be none before the time is over.
                    let codes = if command.starts_with("deploy") { code..=code } else { 1..=code };
                    assert!(codes.contains(&ended.code), "{command}, {code}: {ended:?}");
                    assert!(ended.took < FAR_LONGER, "{command}: {ended:?}");
                    assert!(ended.stderr.contains("error: "), "{command}: {ended:?}");
                    assert_eq!(ended.stderr.matches("hint: ").count(), 1, "{command}: {ended:?}");
                });
            }
        }
    });
}

#[test]
fn pods_of_an_earlier_deployment_that_do_not_end_are_waited_for_in_vain() {
    let mut world = World::healthy();
    world.objects.remove(&format!("{NAMESPACED}/secrets/postgres-credentials"));
    let pods = world.at(&format!("{NAMESPACED}/pods"));
    pods["items"][0]["metadata"]["deletionTimestamp"] = "2026-11-24T02:00:00Z".into();
    let server = Server::start(move |request| world.reply(request));
    let ended = Home::at(&server).run("deploy --timeout 10s");
    late(&ended, "pods of an earlier deployment do not terminate: postgres-0");
}

#[test]
fn a_pod_that_does_not_come_to_delete_the_files_is_waited_for_in_vain() {
    let mut world = World::healthy();
    world.objects.retain(|path, _| path == "/version" || path.contains("postgres-pv"));
    let list = |items| json!({ "metadata": { "resourceVersion": "7" }, "items": items });
    for kind in ["pods", "secrets"] {
        world.objects.insert(format!("{NAMESPACED}/{kind}"), list(json!([])));
    }
    let pending = json!({ "metadata": { "name": "wipe" }, "status": { "phase": "Pending" } });
    let server = Server::start(move |request| {
        let of_the_pod = request.query.contains("metadata.name") && !request.query.contains("watch=true");
        if of_the_pod { Reply::Json(200, list(json!([pending]))) } else { world.reply(request) }
    });
    let ended = Home::at(&server).run("teardown --delete-data --yes --timeout 10s");
    late(&ended, "did not get ready in time: Pending");
}

/// Asserts that it ran and came to no end in time: exit code 1, an error with these words, and a hint.
fn late(ended: &Ended, words: &str) {
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("error: ") && ended.stderr.contains(words), "no {words:?} in {ended:?}");
    assert_eq!(ended.stderr.matches("hint: ").count(), 1, "{ended:?}");
}

#[test]
fn what_is_applied_is_tried_again_for_longer_than_a_request_is() {
    let (world, tries) = (World::healthy(), AtomicUsize::new(0));
    let server = Server::start(move |request| {
        let refused = when_applied(request) && tries.fetch_add(1, Ordering::Relaxed) < 8;
        if refused { unavailable() } else { world.reply(request) }
    });
    let ended = Home::at(&server).run("deploy --wait=false --timeout 1m");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.stderr.matches("trying again").count(), 1, "{ended:?}");
    let lines = |start: &str| ended.stdout.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!((lines("statefulset.apps/postgres "), lines("deployment.apps/frontend ")), (1, 1), "{ended:?}");
}

#[test]
fn a_secret_whose_creation_was_not_acknowledged_is_the_one_that_is_there() {
    let mut world = World::healthy();
    world.objects.remove(&format!("{NAMESPACED}/secrets/postgres-credentials"));
    let tries = AtomicUsize::new(0);
    let server = Server::start(move |request| {
        let creates =
            request.method == "POST" && request.path.ends_with("/secrets") && !request.query.contains("dryRun");
        match creates.then(|| tries.fetch_add(1, Ordering::Relaxed)) {
            Some(0) => Reply::Truncated("{".to_owned()),
            Some(_) => refusal(409, "AlreadyExists", "secrets \"postgres-credentials\" already exists"),
            None => world.reply(request),
        }
    });
    let ended = Home::at(&server).run("deploy --wait=false --timeout 1m");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("secret/postgres-credentials unchanged"), "{ended:?}");
}

#[test]
fn there_is_no_waiting_for_what_nobody_has_deployed() {
    let mut world = World::healthy();
    world.objects.remove(&format!("{APPS}/statefulsets/postgres"));
    let server = Server::start(move |request| world.reply(request));
    let ended = Home::at(&server).run("init-db");
    ended.could_not_run("statefulset/postgres does not exist in namespace \"alice\"");
    assert!(ended.stderr.contains("kubectl kubecoin deploy"), "{ended:?}");
}

#[test]
fn another_deploy_may_be_faster_to_delete_a_pod() {
    let mut world = World::healthy();
    let set = world.at(&format!("{APPS}/statefulsets/postgres"));
    set["status"]["updateRevision"] = "r2".into();
    set["status"]["readyReplicas"] = 0.into();
    world.at(&format!("{NAMESPACED}/pods"))["items"][0]["status"]["conditions"] =
        json!([{ "type": "Ready", "status": "False" }]);
    thread::scope(|scope| {
        for (code, reason) in [(404, "NotFound"), (409, "Conflict")] {
            let world = world.clone();
            scope.spawn(move || {
                let server = Server::start(move |request| match request.method.as_str() {
                    "DELETE" => refusal(code, reason, "another one is there"),
                    _ => world.reply(request),
                });
                let ended = Home::at(&server).run("deploy --timeout 8s");
                assert_eq!(ended.code, 1, "{ended:?}");
                for words in ["never became ready", "not ready within 8s"] {
                    assert!(ended.stderr.contains(words), "no {words:?} in {ended:?}");
                }
            });
        }
    });
}
