//! `status --no-db` against a server with faults.

use std::io::Read;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::plugin::{Ended, Home};
use crate::server::{Reply, Request, Server};
use crate::world::{APPS, NAMESPACED, PATH, POLICY, SLICES, World, connection, refusal};

/// What `status` reads, each with what it is called in the output.
fn reads() -> Vec<(String, &'static str)> {
    vec![
        (format!("{APPS}/statefulsets/postgres"), "statefulset/postgres"),
        (format!("{APPS}/deployments/backend"), "deployment/backend"),
        (format!("{APPS}/deployments/frontend"), "deployment/frontend"),
        (format!("{NAMESPACED}/persistentvolumeclaims/postgres-pvc"), "persistentvolumeclaim/postgres-pvc"),
        (format!("{NAMESPACED}/services/postgres-headless"), "service/postgres-headless"),
        (format!("{NAMESPACED}/services/backend-service"), "service/backend-service"),
        (format!("{NAMESPACED}/services/frontend-service"), "service/frontend-service"),
        (format!("{NAMESPACED}/pods"), "pods"),
        (SLICES.to_owned(), "endpointslices"),
        ("/api/v1/persistentvolumes/postgres-pv-alice".to_owned(), "persistentvolume/postgres-pv-alice"),
    ]
}

fn status(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Ended {
    Home::at(&Server::start(script)).run("status --no-db")
}

/// The status of a healthy exchange, but for requests to a path.
fn but(path: &str, fault: impl Fn() -> Reply + Send + Sync + 'static) -> Ended {
    let (world, path) = (World::healthy(), path.to_owned());
    status(move |request| if request.path == path { fault() } else { world.reply(request) })
}

#[test]
fn a_healthy_exchange_is_healthy() {
    let world = World::healthy();
    let server = Server::start(move |request| world.reply(request));
    let ended = Home::at(&server).run("status --no-db");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(
        ended.stdout.contains("chain: postgres-0 → postgres-pvc → postgres-pv-alice → /data/kubecoin/alice on node-1")
    );
    assert!(ended.stderr.is_empty(), "{ended:?}");
    let mut paths: Vec<String> = server.requests().into_iter().map(|request| request.path).collect();
    let mut expected: Vec<String> = reads().into_iter().map(|(path, _)| path).collect();
    let of_namespace = |path: &str| format!("{NAMESPACED}/{path}");
    let surroundings = [
        POLICY.to_owned(),
        NAMESPACED.to_owned(),
        of_namespace("secrets/postgres-credentials"),
        of_namespace("configmaps/kubecoin-exercise"),
    ];
    expected.extend(surroundings);
    paths.sort();
    expected.sort();
    assert_eq!(paths, expected, "each is asked for once, and nothing else");
}

type Answer = Box<dyn Fn() -> Reply + Send + Sync>;

/// How a whole `status` goes whose request by the page's own way is answered like this. Nothing is run in a pod.
fn asked_by_the_page(answer: impl Fn() -> Reply + Send + Sync + 'static) -> Ended {
    let world = World::healthy();
    let server = Server::start(move |request| match request.path.as_str() {
        PATH => answer(),
        path if path.contains("/exec") => refusal(403, "Forbidden", "no exec"),
        path if path.contains("/portforward") => refusal(403, "Forbidden", "no portforward"),
        _ => world.reply(request),
    });
    Home::at(&server).run("status")
}

#[test]
fn only_an_answer_to_a_request_makes_it_work() {
    let unavailable = |kind: &str, more: Value| {
        let mut problem = json!({ "type": format!("urn:kubecoin:problem:{kind}"), "status": 503 });
        problem.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        problem
    };
    let refused =
        unavailable("database-unavailable", json!({ "backend": { "pod": "backend-1" }, "reason": "password" }));
    let alone = unavailable("backend-unavailable", json!({}));
    let unreached = || refusal(503, "ServiceUnavailable", "error trying to reach service: dial tcp: i/o timeout");
    let closed = || refusal(503, "ServiceUnavailable", "error trying to reach service: dial tcp: connection refused");
    let cases: [(&str, Answer, i32); 7] = [
        ("exchange: works as far as you may see", Box::new(|| Reply::Json(200, connection())), 0),
        (
            "cannot connect to the database: PostgreSQL rejects its password",
            Box::new(move || Reply::Json(503, refused.clone())),
            1,
        ),
        ("no backend answers behind it", Box::new(move || Reply::Json(503, alone.clone())), 1),
        ("leads to something else", Box::new(|| Reply::Json(200, json!("hello"))), 1),
        ("does not serve the page: the server is not available: 503: error trying", Box::new(closed), 1),
        ("exchange: unknown: nobody could send it a request", Box::new(|| refusal(403, "Forbidden", "no proxy")), 1),
        // Neither does the API server reach pods, nor may the user forward a port.
        ("i/o timeout", Box::new(unreached), 1),
    ];
    for (words, answer, code) in cases {
        let ended = asked_by_the_page(answer);
        assert!(ended.code == code && ended.stdout.contains(words), "{words}: {ended:?}");
        assert!(!ended.stdout.contains("exchange: healthy"), "{words}: {ended:?}");
    }
}

#[test]
fn what_is_only_a_moment_old_is_read_again_before_anything_is_said() {
    let (world, stale) = (World::healthy(), AtomicUsize::new(0));
    let ended = status(move |request| {
        let is_cached = request.query.contains("resourceVersion=0");
        if request.path == format!("{NAMESPACED}/pods") && is_cached {
            stale.fetch_add(1, Ordering::Relaxed);
            return Reply::Json(200, json!({ "metadata": {}, "items": [] }));
        }
        world.reply(request)
    });
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn a_policy_is_shown_and_missed_by_nobody() {
    let world = World::guarded();
    let shown = status(move |request| world.reply(request));
    assert_eq!(shown.code, 0, "{shown:?}");
    assert!(shown.stdout.contains("\nnetwork policy: postgres (only the backend may reach PostgreSQL"), "{shown:?}");
    for fault in [|| refusal(403, "Forbidden", "no"), || refusal(422, "Invalid", "no")] {
        let ended = but(POLICY, fault);
        assert!(ended.code == 0 && !ended.stdout.contains("olicy"), "{ended:?}");
    }
}

#[test]
fn no_list_is_without_a_selector_or_makes_the_server_wait() {
    let world = World::healthy();
    let server = Server::start(move |request| world.reply(request));
    Home::at(&server).run("status --no-db");
    let lists = ["pods", "endpointslices", "services", "deployments", "statefulsets", "persistentvolumes", "events"];
    let is_list = |request: &&Request| request.path.rsplit('/').next().is_some_and(|last| lists.contains(&last));
    for request in server.requests().iter().filter(is_list) {
        for part in ["labelSelector=", "resourceVersion=0"] {
            assert!(request.query.contains(part), "no {part} in {request:?}");
        }
    }
}

#[test]
fn what_may_not_be_read_is_unknown_and_nothing_else_is_unhealthy() {
    for (path, object) in reads() {
        let ended = but(&path, || refusal(403, "Forbidden", "no \u{1b}[31mway"));
        assert_eq!(ended.code, 0, "{object}: {ended:?}");
        let line = ended.stdout.lines().find(|line| line.contains(object) && line.contains("you may not read it"));
        assert!(line.is_some(), "{object}: {ended:?}");
    }
}

#[test]
fn what_is_missing_is_unhealthy() {
    for (path, object) in reads() {
        // Lists are never missing, and a volume without its claim's word is the claim's matter.
        if ["pods", "endpointslices", "persistentvolume/postgres-pv-alice"].contains(&object) {
            continue;
        }
        let ended = but(&path, || refusal(404, "NotFound", "not found"));
        assert_eq!(ended.code, 1, "{object}: {ended:?}");
        assert!(ended.stdout.contains(&format!("{object} is missing")), "{object}: {ended:?}");
    }
}

#[test]
fn what_fails_for_good_is_unknown_and_unhealthy() {
    let set = format!("{APPS}/statefulsets/postgres");
    for fault in [
        || refusal(500, "InternalError", "etcd is on holiday"),
        || refusal(409, "Conflict", "etcd is on holiday"),
        || refusal(422, "Invalid", "etcd is on holiday"),
    ] {
        let ended = but(&set, fault);
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(ended.stdout.contains("etcd is on holiday"), "{ended:?}");
        assert!(ended.took < Duration::from_secs(20), "{ended:?}");
    }
    let ended = but(&set, || Reply::Truncated(r#"{"apiVersion":"apps/v1","kind":"Stat"#.to_owned()));
    assert_eq!(ended.code, 1, "{ended:?}");
    let ended = but(&set, || Reply::Json(200, json!(["garbage"])));
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stdout.contains("unexpected answer"), "{ended:?}");
}

#[test]
fn what_fails_for_a_while_is_tried_again() {
    for (code, header) in [(503, "0"), (429, "1"), (500, "0")] {
        let (world, count) = (World::healthy(), AtomicUsize::new(0));
        let ended = status(move |request| {
            let is_set = request.path.ends_with("/statefulsets/postgres");
            if is_set && count.fetch_add(1, Ordering::Relaxed) < 2 {
                Reply::With(code, ("Retry-After", header), json!({ "kind": "Status", "code": code }))
            } else {
                world.reply(request)
            }
        });
        assert_eq!(ended.code, 0, "{code}: {ended:?}");
        // The server's wish is respected.
        assert!(header == "0" || ended.took > Duration::from_secs(2), "{code}: {ended:?}");
    }
}

#[test]
fn a_server_that_answers_nobody_is_no_cluster() {
    status(|_| refusal(401, "Unauthorized", "who are you?")).could_not_run("does not accept these credentials");
    let ended = status(|_| refusal(503, "ServiceUnavailable", "starting"));
    ended.could_not_run("is not available");
    assert!(ended.took < Duration::from_secs(20), "{ended:?}");
    status(|_| Reply::Json(200, json!("hello"))).could_not_run("unexpected answer");
}

#[test]
fn who_may_read_nothing_is_told_so() {
    for words in ["status", "status --no-db"] {
        let server = Server::start(|_| refusal(403, "Forbidden", "no way"));
        Home::at(&server).run(words).could_not_run("you may not read the exchange (");
    }
}

#[test]
fn a_silent_server_is_given_up_in_time() {
    let server = Server::start(|_| Reply::Silence);
    let ended = Home::at(&server).run("status --no-db --request-timeout 1s");
    ended.could_not_run("no answer within 1s");
    assert!(ended.took < Duration::from_secs(15), "{ended:?}");
}

#[test]
fn what_pods_say_cannot_reach_the_terminal_or_break_json() {
    let mut world = World::healthy();
    let pods = world.at(&format!("{NAMESPACED}/pods"));
    let hostile = format!("\u{1b}]0;owned\u{7}\u{9b}2J'\"\r\n{}", "x".repeat(10_000));
    pods["items"][0]["status"]["conditions"] = json!([{ "type": "Ready", "status": "False" }, { "type": "PodScheduled", "status": "False", "message": hostile }]);
    let server = Server::start(move |request| world.reply(request));
    let home = Home::at(&server);
    let shown = home.run("status --no-db --color always");
    assert_eq!(shown.code, 1);
    for sequence in ["\u{1b}]", "\u{7}", "\u{9b}", "\r"] {
        assert!(!shown.stdout.contains(sequence), "{shown:?}");
    }
    let json: Value = serde_json::from_str(&home.run("status --no-db -o json").stdout).unwrap();
    assert_eq!((&json["kind"], &json["healthy"]), (&"Status".into(), &false.into()));
    assert!(json["findings"][0]["says"].as_str().unwrap().contains("owned"), "{json}");
    let member = &json["members"][0];
    assert_eq!((&member["pod"], &member["claim"]["state"]), (&"postgres-0".into(), &"present".into()), "{member}");
    assert_eq!(member["chain"][1], "postgres-pvc", "{member}");
    let yaml: Value = serde_saphyr::from_str(&home.run("status --no-db -o yaml").stdout).unwrap();
    assert_eq!(yaml["findings"], json["findings"]);
}

#[test]
fn a_pipe_that_closes_early_is_no_error() {
    let world = World::healthy();
    let server = Server::start(move |request| world.reply(request));
    let home = Home::at(&server);
    let mut child = home.command("status --no-db").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn more_replicas_than_the_volume_allows_are_explained() {
    let mut world = World::healthy();
    world.at(&format!("{APPS}/statefulsets/postgres"))["spec"]["replicas"] = 2.into();
    let ended = status(move |request| world.reply(request));
    assert_eq!(ended.code, 1);
    assert!(ended.stdout.contains("is scaled to 2") && ended.stderr.contains("--replicas=1"), "{ended:?}");
}

#[test]
fn the_log_names_requests_and_holds_no_secret() {
    let world = World::healthy();
    let server = Server::start(move |request| world.reply(request));
    let ended = Home::at(&server).run("status --no-db -v=9");
    assert!(ended.stderr.contains("GET /apis/apps/v1/namespaces/alice/statefulsets/postgres 200"), "{ended:?}");
    assert!(!ended.stderr.contains("hush-hush"), "{ended:?}");
}

#[test]
fn all_exchanges_of_a_cluster_are_one_list_and_a_line_each() {
    let sets = |ready: i32| {
        let mut set = World::healthy().at(&format!("{APPS}/statefulsets/postgres")).clone();
        set["status"]["readyReplicas"] = ready.into();
        json!({ "metadata": {}, "items": [set] })
    };
    let everywhere = "/apis/apps/v1/statefulsets";
    for (ready, code, words) in [(1, 0, "ObjectsInOrder   1/1"), (0, 1, "NotReady   0/1")] {
        let mut world = World::healthy();
        world.at(&format!("{APPS}/statefulsets/postgres"))["status"]["readyReplicas"] = ready.into();
        let server = Server::start(move |request| match request.path.as_str() {
            path if path == everywhere => Reply::Json(200, sets(ready)),
            _ => world.reply(request),
        });
        let ended = Home::at(&server).run("status -A --no-db");
        assert_eq!(ended.code, code, "{ended:?}");
        assert!(ended.stdout.lines().any(|line| line.starts_with(&format!("alice       {words}"))), "{ended:?}");
        let requests = server.requests();
        let lists: Vec<&Request> = requests.iter().filter(|request| request.path == everywhere).collect();
        assert!(lists.len() == 1 && lists[0].query.contains("labelSelector="), "{requests:?}");
    }
    Home::at(&Server::start(|_| refusal(403, "Forbidden", "not everywhere")))
        .run("status -A")
        .could_not_run("not everywhere");
}
