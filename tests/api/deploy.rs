//! `deploy` against a server with faults.

use std::io::{BufRead, BufReader, Read};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::plugin::{Ended, Home};
use crate::server::{Reply, Request, Server};
use crate::world::{APPS, NAMESPACED, POLICY, World, connection, refusal};

fn deploy(words: &str, script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> (Ended, Vec<Request>) {
    let server = Server::start(script);
    let ended = Home::at(&server).run(&format!("deploy {words}"));
    (ended, server.requests())
}

/// Requests that change something.
fn changes(requests: &[Request]) -> Vec<&Request> {
    let changes = |request: &&Request| {
        request.method != "GET" && !request.query.contains("dryRun") && !request.path.contains("selfsubject")
    };
    requests.iter().filter(changes).collect()
}

/// A world whose database is not ready yet.
fn starting() -> World {
    let mut world = World::healthy();
    world.at(&format!("{APPS}/statefulsets/postgres"))["status"]["readyReplicas"] = 0.into();
    let pod = &mut world.at(&format!("{NAMESPACED}/pods"))["items"][0];
    pod["status"]["conditions"] = json!([{ "type": "Ready", "status": "False" }]);
    world
}

fn ready_set() -> Value {
    World::healthy().at(&format!("{APPS}/statefulsets/postgres")).clone()
}

#[test]
fn everything_in_the_way_is_said_at_once_and_nothing_is_changed() {
    let mut world = World::healthy();
    world.at(&format!("{NAMESPACED}/services/backend-service"))["metadata"]["labels"] = json!({});
    let (ended, requests) = deploy("", move |request| {
        let trial = request.query.contains("dryRun");
        if trial && request.path.ends_with("/statefulsets/postgres") {
            refusal(403, "Forbidden", "exceeded quota: small")
        } else if trial && request.path.ends_with("/deployments/backend") {
            refusal(422, "Invalid", "spec is odd")
        } else {
            world.reply(request)
        }
    });
    ended.could_not_run("exceeded quota: small");
    for words in ["service/backend-service belongs to someone else", "deployment.apps/backend: spec is odd"] {
        assert!(ended.stderr.contains(words), "no {words:?} in {ended:?}");
    }
    assert!(changes(&requests).is_empty(), "{:?}", changes(&requests));
}

#[test]
fn a_conflict_names_the_other_manager() {
    let world = World::healthy();
    let (ended, requests) = deploy("", move |request| {
        if request.method == "PATCH" && request.path.ends_with("/deployments/backend") {
            Reply::Json(
                409,
                json!({ "kind": "Status", "code": 409, "reason": "Conflict",
                        "message": "Apply failed with 1 conflict: conflict with \"kubectl-edit\" using apps/v1: .spec.replicas",
                        "details": { "causes": [{ "reason": "FieldManagerConflict", "field": ".spec.replicas",
                                                  "message": "conflict with \"kubectl-edit\" using apps/v1" }] } }),
            )
        } else {
            world.reply(request)
        }
    });
    ended.could_not_run("kubectl-edit");
    assert!(ended.stderr.contains("--force-conflicts"), "{ended:?}");
    assert!(changes(&requests).is_empty());
}

#[test]
fn a_namespace_that_is_not_there() {
    let world = World::healthy();
    let (ended, requests) = deploy("-n bob", move |request| world.reply(request));
    ended.could_not_run("namespace \"bob\" does not exist");
    assert!(ended.stderr.contains("--create-namespace"), "{ended:?}");
    assert!(changes(&requests).is_empty());
}

#[test]
fn what_cannot_be_changed_is_refused_before_anything_is() {
    for (flags, words) in [
        ("--volume-size 5Gi", "1Gi"),
        ("--host-path /elsewhere", "/data/kubecoin/alice"),
        ("--storage dynamic", "without a class"),
        ("--storage-class fast", "without a class"),
        ("--postgres-image postgres:18", "18"),
    ] {
        let world = World::healthy();
        let (ended, requests) = deploy(flags, move |request| world.reply(request));
        ended.could_not_run(words);
        assert!(changes(&requests).is_empty(), "{flags}");
    }
}

#[test]
fn a_hint_leads_where_the_run_went() {
    let world = World::healthy();
    let (ended, _) = deploy("-n alice --context scripted --volume-size 5Gi", move |request| world.reply(request));
    ended.could_not_run("the size of the volume is 1Gi");
    let hint = "omit --volume-size to keep the data: kubectl kubecoin deploy -n alice --context scripted;";
    assert!(ended.stderr.contains(hint), "{ended:?}");

    let mut world = starting();
    world.at(&format!("{NAMESPACED}/persistentvolumeclaims/postgres-pvc"))["status"]["phase"] = "Pending".into();
    let volume = "/api/v1/persistentvolumes/postgres-pv-alice";
    world.at(volume)["status"]["phase"] = "Released".into();
    let server = Server::start(move |request| world.reply(request));
    let ended = Home::at(&server).run("status --context scripted --no-db");
    assert_eq!(ended.code, 1, "{ended:?}");
    let hint = "kubectl kubecoin deploy --reuse-volume -n alice --context scripted\n";
    assert!(ended.stderr.ends_with(hint), "{ended:?}");
}

#[test]
fn a_wait_has_its_deadline_and_says_what_it_last_saw() {
    let world = starting();
    let (ended, _) = deploy("--timeout 10s", move |request| world.reply(request));
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("not ready within 10s") && ended.stderr.contains("pod/postgres-0"), "{ended:?}");
    assert!(ended.took < Duration::from_secs(30), "{ended:?}");
    // All objects were applied, in the order of need.
    let order: Vec<_> = ended.stdout.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(order[0], "secret/postgres-credentials");
    assert_eq!(order.last(), Some(&"deployment.apps/frontend"));
    assert_eq!(order.len(), 9, "{order:?}");
}

#[test]
fn a_claim_that_the_cluster_has_overlooked_is_touched_once() {
    let mut world = starting();
    world.at(&format!("{NAMESPACED}/persistentvolumeclaims/postgres-pvc"))["status"]["phase"] = "Pending".into();
    world.at("/api/v1/persistentvolumes/postgres-pv-alice")["status"]["phase"] = "Available".into();
    let touches = |world: World, words: &str| {
        let server = Server::start(move |request| world.reply(request));
        let ended = Home::at(&server).run(words);
        assert_eq!(ended.code, 1, "{ended:?}");
        let touches = server.requests().iter().filter(|request| request.body.contains("touched-at")).count();
        assert_eq!(ended.stderr.matches("patch persistentvolumeclaim/postgres-pvc").count(), touches, "{ended:?}");
        touches
    };
    assert_eq!(touches(world.clone(), "deploy --timeout 15s --show-commands"), 1);
    // Who only looks changes nothing, and a claim with a class waits for other reasons.
    assert_eq!(touches(world.clone(), "status --wait --timeout 3s --show-commands"), 0);
    let spec = &mut world.at(&format!("{NAMESPACED}/persistentvolumeclaims/postgres-pvc"))["spec"];
    *spec = json!({ "storageClassName": "fast", "resources": spec["resources"] });
    assert_eq!(touches(world, "deploy --timeout 3s --show-commands"), 0);
}

#[test]
fn an_image_of_ours_that_the_cluster_cannot_have_can_be_brought_there() {
    let mut world = World::healthy();
    world.at(&format!("{APPS}/deployments/backend"))["status"] = json!({ "observedGeneration": 1, "replicas": 1 });
    let pod = &mut world.at(&format!("{NAMESPACED}/pods"))["items"][1];
    let image = "ghcr.io/kubecoin/kubecoin-backend:0.1.0";
    pod["spec"]["containers"][0]["image"] = image.into();
    pod["status"] = json!({ "phase": "Pending", "conditions": [{ "type": "Ready", "status": "False" }],
        "containerStatuses": [{ "name": "backend", "ready": false, "restartCount": 0, "image": image, "imageID": "",
            "state": { "waiting": { "reason": "ImagePullBackOff", "message": "not found" } } }] });
    let (ended, _) = deploy("--timeout 10s", move |request| world.reply(request));
    assert_eq!(ended.code, 1, "{ended:?}");
    let hint = ended.stderr.lines().find(|line| line.starts_with("hint: ")).unwrap_or_default();
    assert!(hint.contains("cargo xtask images --into minikube (or kind, k3d)"), "{ended:?}");
}

#[test]
fn a_watch_that_breaks_starts_anew() {
    let gone = r#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"too old"}}"#
        .to_owned()
        + "\n";
    for broken in [gone, "garbage\n".to_owned(), String::new()] {
        let (world, watches) = (starting(), AtomicUsize::new(0));
        let (ended, _) = deploy("--timeout 30s", move |request| {
            let is_watch = request.path.ends_with("/statefulsets") && request.query.contains("watch=true");
            match is_watch.then(|| watches.fetch_add(1, Ordering::Relaxed)) {
                Some(0) => Reply::CutWatch(broken.clone()),
                Some(_) => Reply::Watch(vec![json!({ "type": "MODIFIED", "object": ready_set() })]),
                None if request.path.contains("/proxy/") => Reply::Json(200, connection()),
                None => world.reply(request),
            }
        });
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(ended.stderr.contains("the exchange works"), "{ended:?}");
    }
}

#[test]
fn a_page_that_takes_its_time_is_waited_for_and_named() {
    for (away, code) in [(Duration::from_secs(4), 0), (Duration::MAX, 1)] {
        let (world, first) = (World::healthy(), OnceLock::new());
        let (ended, _) = deploy("--timeout 20s", move |request| {
            if !request.path.contains("/proxy/") {
                world.reply(request)
            } else if first.get_or_init(Instant::now).elapsed() < away {
                refusal(503, "ServiceUnavailable", "no endpoints available")
            } else {
                Reply::Json(200, connection())
            }
        });
        assert_eq!(ended.code, code, "{ended:?}");
        let told = ended
            .stderr
            .lines()
            .filter(|line| {
                line.starts_with("everything is ready, but the page does not answer: the server is not available")
            })
            .count();
        assert_eq!(told, 1, "{ended:?}");
        let failed = "error: everything is ready, but the page does not answer: ";
        assert_eq!(ended.stderr.contains(failed), code == 1, "{ended:?}");
    }
}

#[test]
fn an_interrupt_ends_it_at_once() {
    let world = starting();
    let server = Server::start(move |request| world.reply(request));
    let home = Home::at(&server);
    let mut child = home.start("deploy --timeout 60s");
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("deployment.apps/frontend") {
        line.clear();
        assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "ended before it was interrupted");
    }
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{stderr}");
}

#[test]
fn the_password_is_in_no_output() {
    let mut world = World::healthy();
    world.objects.remove(&format!("{NAMESPACED}/secrets/postgres-credentials"));
    let (ended, requests) = deploy("--show-commands -v=9 --wait=false", move |request| world.reply(request));
    assert_eq!(ended.code, 0, "{ended:?}");
    let created =
        requests.iter().find(|request| request.method == "POST" && request.path.ends_with("/secrets")).unwrap();
    let secret: Value = serde_json::from_str(&created.body).unwrap();
    let password = secret["stringData"]["password"].as_str().unwrap();
    assert!(password.len() > 20);
    assert!(!ended.stdout.contains(password) && !ended.stderr.contains(password), "{ended:?}");
    assert!(ended.stderr.contains("kubectl --context scripted -n alice create -f -"), "{ended:?}");
}

#[test]
fn a_server_of_another_time_is_warned_about_and_used() {
    for (minor, warned) in [("24", true), ("34+", false), ("99", true)] {
        let mut world = World::healthy();
        world.at("/version")["minor"] = minor.into();
        let (ended, _) = deploy("--dry-run=client", move |request| world.reply(request));
        assert_eq!(ended.code, 0, "{ended:?}");
        assert_eq!(ended.stderr.contains("warning: the server is "), warned, "{minor}: {ended:?}");
    }
}

#[test]
fn each_missing_permission_is_named() {
    let world = World::healthy();
    let (ended, requests) = deploy("--init-db", move |request| {
        let asks = |words: &str| request.body.contains(words);
        let refused = asks(r#""resource":"statefulsets""#) || asks(r#""subresource":"exec","verb":"get""#);
        if request.path.ends_with("selfsubjectaccessreviews") && refused {
            Reply::Json(201, json!({ "metadata": {}, "spec": {}, "status": { "allowed": false } }))
        } else {
            world.reply(request)
        }
    });
    ended.could_not_run("you may not watch statefulsets.apps");
    for words in ["you may not list statefulsets.apps", "you may not get pods/exec", "can-i --list"] {
        assert!(ended.stderr.contains(words), "no {words:?} in {ended:?}");
    }
    assert!(changes(&requests).is_empty());
}

#[test]
fn in_a_new_namespace_each_missing_permission_to_create_is_named() {
    let world = empty();
    let (ended, requests) = deploy("-n bob --create-namespace --node node-1 --network-policy", move |request| {
        let review = || serde_json::from_str::<Value>(&request.body).unwrap()["spec"]["resourceAttributes"].clone();
        if request.path.ends_with("selfsubjectaccessreviews") && review()["verb"] == "create" {
            Reply::Json(201, json!({ "metadata": {}, "spec": {}, "status": { "allowed": false } }))
        } else {
            world.reply(request)
        }
    });
    ended.could_not_run("you may not create namespaces");
    for what in [
        "secrets",
        "persistentvolumeclaims",
        "services",
        "statefulsets.apps",
        "deployments.apps",
        "networkpolicies.networking.k8s.io",
    ] {
        assert!(ended.stderr.contains(&format!("you may not create {what}\n")), "{what}: {ended:?}");
    }
    assert!(changes(&requests).is_empty());
}

#[test]
fn a_policy_comes_before_the_first_pod_and_stays() {
    let applied = |words: &str, world: World| -> Vec<String> {
        let (ended, requests) = deploy(&format!("--wait=false --node node-1 {words}"), takes_all(world));
        assert_eq!(ended.code, 0, "{ended:?}");
        changes(&requests).into_iter().map(|request| request.path.clone()).collect()
    };
    let at = |paths: &[String], path: &str| paths.iter().position(|one| one == path);
    let asked = applied("--network-policy", World::healthy());
    let set = format!("{APPS}/statefulsets/postgres");
    assert!(at(&asked, POLICY).is_some_and(|policy| Some(policy) < at(&asked, &set)), "{asked:?}");
    assert!(at(&applied("", World::healthy()), POLICY).is_none(), "nobody has asked for it");
    assert!(at(&applied("", World::guarded()), POLICY).is_some(), "what is there goes on");

    let mut world = World::guarded();
    world.at(POLICY)["metadata"]["labels"] = json!({});
    let (ended, _) = deploy("--network-policy", takes_all(world.clone()));
    ended.could_not_run("networkpolicy.networking.k8s.io/postgres belongs to someone else");
    assert!(at(&applied("", world), POLICY).is_none(), "somebody else's is left alone");
}

/// A world in which nothing has been deployed yet.
fn empty() -> World {
    let mut world = World::healthy();
    world.objects.retain(|path, _| !path.starts_with(APPS) && !path.contains("postgres-pv"));
    world
}

/// A server that takes what is applied, also of what is not there yet.
fn takes_all(world: World) -> impl Fn(&Request) -> Reply + Send + Sync {
    move |request| match request.method.as_str() {
        "PATCH" => Reply::Json(200, serde_json::from_str(&request.body).unwrap()),
        _ => world.reply(request),
    }
}

#[test]
fn a_quota_too_small_for_all_pods_together_is_in_the_way() {
    let quotas = format!("{NAMESPACED}/resourcequotas");
    let mut world = empty();
    world.objects.insert(
        format!("{quotas}/small"),
        json!({ "metadata": { "name": "small" }, "spec": {},
                "status": { "hard": { "pods": "3" }, "used": { "pods": "1" } } }),
    );
    let (there, unread) = (takes_all(world.clone()), takes_all(world.clone()));
    let (ended, requests) = deploy("-n alice --node node-1", there);
    ended.could_not_run("resourcequota/small does not leave enough for all pods: 3 of pods, and 1 of 3 is used");
    assert!(ended.stderr.contains("hint: see what uses the quota: kubectl describe resourcequota -n alice"));
    assert!(changes(&requests).is_empty());

    // What is used by a pod that is on its way out is about to be free.
    let mut leaving = world.clone();
    leaving.at(&format!("{NAMESPACED}/pods"))["items"][0]["metadata"]["deletionTimestamp"] =
        "2026-11-24T20:00:00Z".into();
    let (ended, _) = deploy("--node node-1 --dry-run=server", takes_all(leaving));
    assert_eq!(ended.code, 0, "{ended:?}");

    // Two of the three are there already, and are among what is used.
    let mut partly = World::healthy();
    partly.objects.remove(&format!("{APPS}/statefulsets/postgres"));
    partly.objects.extend(world.objects.into_iter().filter(|(path, _)| path.starts_with(&quotas)));
    let (ended, requests) = deploy("--dry-run=server", takes_all(partly));
    assert_eq!(ended.code, 0, "{ended:?}");
    let tried = |request: &&Request| request.method == "POST" && request.path.ends_with("/pods");
    assert_eq!(requests.iter().filter(tried).count(), 1, "the one that is missing");

    let (ended, _) = deploy("--node node-1 --dry-run=server", move |request| {
        if request.path == quotas { refusal(403, "Forbidden", "no quotas for you") } else { unread(request) }
    });
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn who_may_not_list_nodes_is_asked_for_one() {
    let nodes = |request: &Request| request.path == "/api/v1/nodes";
    let world = empty();
    let (ended, requests) =
        deploy(
            "",
            move |request| {
                if nodes(request) { refusal(403, "Forbidden", "no nodes for you") } else { world.reply(request) }
            },
        );
    ended.could_not_run("you may not list nodes");
    assert!(ended.stderr.contains("--node NAME") && ended.stderr.contains("--storage dynamic"), "{ended:?}");
    assert!(changes(&requests).is_empty());

    let world = empty();
    let (ended, _) = deploy("--node node-7 --dry-run=client -o yaml", move |request| {
        if nodes(request) { refusal(403, "Forbidden", "no nodes for you") } else { world.reply(request) }
    });
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("- node-7\n"), "{ended:?}");
}

#[test]
fn a_secret_that_does_not_fit_is_in_the_way() {
    let path = format!("{NAMESPACED}/secrets/postgres-credentials");
    let mut foreign = World::healthy();
    foreign.at(&path)["data"] = json!({ "token": "eA==" });
    let (ended, _) = deploy("", move |request| foreign.reply(request));
    ended.could_not_run("secret/postgres-credentials belongs to someone else");

    let mut absent = World::healthy();
    absent.objects.remove(&path);
    let (ended, requests) = deploy("", move |request| {
        let creates = request.method == "POST" && request.path.ends_with("/secrets");
        if creates { refusal(403, "Forbidden", "exceeded quota: few") } else { absent.reply(request) }
    });
    ended.could_not_run("secret/postgres-credentials: exceeded quota: few");
    assert!(changes(&requests).is_empty());
}

#[test]
fn the_same_flags_again_are_no_other_wish() {
    let mut world = World::healthy();
    let term =
        json!({ "matchExpressions": [{ "key": "kubernetes.io/hostname", "operator": "In", "values": ["host-1"] }] });
    world.at("/api/v1/persistentvolumes/postgres-pv-alice")["spec"]["nodeAffinity"] =
        json!({ "required": { "nodeSelectorTerms": [term] } });
    world.at("/api/v1/nodes")["items"][0]["metadata"]["labels"] = json!({ "kubernetes.io/hostname": "host-1" });
    for (flags, code) in [("--node node-1 --volume-size 1024Mi", 0), ("--node node-2", 2), ("--volume-size 1025Mi", 2)]
    {
        let world = world.clone();
        let (ended, _) = deploy(&format!("--wait=false {flags}"), move |request| world.reply(request));
        assert_eq!(ended.code, code, "{flags}: {ended:?}");
    }
}
