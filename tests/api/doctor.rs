//! `doctor` against a server with faults.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use quick_junit::Report as Suites;
use serde_json::{Value, json};

use crate::plugin::{Ended, Home};
use crate::server::{Reply, Request, Server};
use crate::world::{APPS, NAMESPACED, PATH, World, connection, pod, refusal};

/// A server of this world in whose pods nothing is run.
fn serve(world: World) -> Server {
    Server::start(move |request| answer(&world, request))
}

fn answer(world: &World, request: &Request) -> Reply {
    match request.path.as_str() {
        PATH => Reply::Json(200, connection()),
        path if path.contains("/exec") => refusal(403, "Forbidden", "no exec"),
        path if path.contains("/portforward") => refusal(403, "Forbidden", "no portforward"),
        _ => world.reply(request),
    }
}

/// How `doctor` goes on the healthy exchange after this change.
fn doctor(change: impl FnOnce(&mut World), words: &str) -> Ended {
    let mut world = World::healthy();
    change(&mut world);
    Home::at(&serve(world)).run(&format!("doctor {words}"))
}

/// The page's Service leads nowhere.
fn nobody(world: &mut World) {
    world.at(&format!("{NAMESPACED}/services/backend-service"))["spec"]["selector"]["app"] = "nobody".into();
    world.at(crate::world::SLICES)["items"][1]["endpoints"] = json!([]);
}

/// Of a Deployment whose newer pod is still starting.
fn rollout(world: &mut World) {
    let mut newer = pod("backend-2", "backend");
    newer["status"]["conditions"][0]["status"] = "False".into();
    newer["status"]["containerStatuses"][0]["ready"] = false.into();
    world.at(&format!("{NAMESPACED}/pods"))["items"].as_array_mut().unwrap().push(newer);
    let status = &mut world.at(&format!("{APPS}/deployments/backend"))["status"];
    (status["replicas"], status["updatedReplicas"]) = (2.into(), 1.into());
    status["unavailableReplicas"] = 1.into();
}

fn json_of(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

#[test]
fn nothing_is_wrong_with_a_healthy_exchange_and_nothing_is_changed() {
    let server = serve(World::healthy());
    let ended = Home::at(&server).run("doctor");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("doctor: nothing is wrong, as far as you may see (alice on "), "{ended:?}");
    for request in server.requests() {
        let tries = request.path.contains("/exec") || request.path.contains("/portforward");
        assert!(request.method == "GET" || tries, "{request:?}");
    }
}

#[test]
fn a_cause_comes_first_and_what_it_brings_about_below_it() {
    let ended = doctor(nobody, "");
    assert_eq!(ended.code, 1, "{ended:?}");
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert!(lines[0].starts_with("KC050 problem: service/backend-service selects app=nobody"), "{ended:?}");
    assert!(lines[1].starts_with("  → KC052 service/backend-service has no ready endpoint"), "{ended:?}");
    assert!(lines.iter().any(|line| line.starts_with("  hint: ") && line.contains("-n alice")), "{ended:?}");
    assert!(ended.stdout.contains("doctor: 1 problem (alice on "), "{ended:?}");
    assert!(ended.stdout.ends_with("more: kubectl kubecoin explain KC050\n"), "{ended:?}");
    let json = json_of(&doctor(nobody, "-o json"));
    assert_eq!((&json["kind"], &json["health"]), (&"Doctor".into(), &"notHealthy".into()));
    let finding = &json["findings"][0];
    let [id, code, weight] = ["id", "code", "weight"].map(|field| finding[field].as_str().unwrap());
    assert_eq!([id, code, weight], ["KC050", "selector-matches-nothing", "problem"]);
    assert_eq!(finding["consequences"][0]["id"], "KC052");
    assert_eq!(finding.get("evidence"), None);
    assert!(doctor(nobody, "-o wide").stdout.contains("\n  A Service selects no pod, or the wrong ones (selector-"));
}

#[test]
fn evidence_is_what_was_read() {
    let ended = doctor(nobody, "--evidence");
    for fact in ["  | selector app=nobody", "  | clusterIP 10.0.0.2, ports 8080→http", "  | 0 ready endpoints"] {
        assert!(ended.stdout.contains(fact), "{fact}: {ended:?}");
    }
    let json = json_of(&doctor(nobody, "--evidence -o json"));
    assert_eq!(json["findings"][0]["evidence"][0], "selector app=nobody");
}

#[test]
fn a_rollout_is_news_while_requests_are_answered_and_more_than_that_otherwise() {
    let ended = doctor(rollout, "");
    assert!(ended.code == 0 && ended.stdout.contains("KC026 info: pod/backend-2 "), "{ended:?}");
    assert!(ended.stdout.contains("doctor: nothing is wrong; "), "{ended:?}");
    let late = |world: &mut World| {
        rollout(world);
        let condition = json!({ "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded" });
        world.at(&format!("{APPS}/deployments/backend"))["status"]["conditions"] = json!([condition]);
    };
    let ended = doctor(late, "");
    assert!(ended.code == 1 && ended.stdout.contains("KC026 not ready yet: pod/backend-2 "), "{ended:?}");
    let mut world = World::healthy();
    rollout(&mut world);
    let server = Server::start(move |request| match request.path.as_str() {
        PATH => refusal(403, "Forbidden", "no proxy"),
        _ => answer(&world, request),
    });
    let ended = Home::at(&server).run("doctor");
    assert!(ended.code == 1 && ended.stdout.contains("KC026 not ready yet: pod/backend-2 "), "{ended:?}");
}

#[test]
fn what_may_not_be_read_is_said_and_wrong_is_nothing() {
    let world = World::healthy();
    let volume = "/api/v1/persistentvolumes/postgres-pv-alice";
    let server = Server::start(move |request| match request.path.as_str() {
        path if path == volume => refusal(403, "Forbidden", "no volumes"),
        _ => answer(&world, request),
    });
    let ended = Home::at(&server).run("doctor");
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("unknown: persistentvolume/postgres-pv-alice: you may not read it"), "{ended:?}");
}

#[test]
fn what_the_server_fails_to_give_is_said_with_the_servers_own_code() {
    let world = World::healthy();
    let server = Server::start(move |request| match request.path.as_str() {
        path if path.ends_with("/endpointslices") => refusal(503, "ServiceUnavailable", "starting"),
        _ => answer(&world, request),
    });
    let home = Home::at(&server);
    for command in ["doctor", "status"] {
        let ended = home.run(command);
        assert!(ended.code == 1 && ended.stdout.contains("KC005"), "{command}: {ended:?}");
        let said = [&*ended.stdout, &*ended.stderr].concat();
        assert!(said.contains("check the API server: kubectl get --raw"), "{command}: {ended:?}");
        assert!(!ended.stdout.contains("KC003 problem"), "{command}: {ended:?}");
    }
}

#[test]
fn a_server_of_another_time_is_a_warning_and_costs_status_no_request() {
    let mut world = World::healthy();
    world.at("/version")["minor"] = json!("12");
    let server = serve(world);
    let home = Home::at(&server);
    let asks = |server: &Server| server.requests().iter().any(|request| request.path == "/version");
    let ended = home.run("status");
    assert!(ended.code == 0 && !ended.stdout.contains("KC005") && !asks(&server), "{ended:?}");
    let ended = home.run("doctor");
    assert!(ended.code == 0 && ended.stdout.contains("KC005 warning: API server"), "{ended:?}");
}

/// The backend's container crashes.
fn crash(world: &mut World) {
    let status = &mut world.at(&format!("{NAMESPACED}/pods"))["items"][1]["status"];
    status["conditions"][0]["status"] = "False".into();
    let ended = json!({ "terminated": { "exitCode": 1, "reason": "Error" } });
    status["containerStatuses"] = json!([{ "name": "backend", "ready": false, "restartCount": 3, "image": "", "imageID": "",
        "state": { "waiting": { "reason": "CrashLoopBackOff" } }, "lastState": ended }]);
}

/// The commands that were shown.
fn shown(ended: &Ended) -> Vec<String> {
    let lines = ended.stderr.lines().filter_map(|line| line.strip_prefix("$ kubectl --context scripted -n "));
    lines.map(|line| line.replace('\'', "")).collect()
}

#[test]
fn what_doctor_alone_reads_is_shown_too() {
    let mut world = World::healthy();
    crash(&mut world);
    let home = Home::at(&serve(world));
    let alone = [
        "alice get poddisruptionbudgets,networkpolicies",
        "alice get nodes,storageclasses",
        "alice version",
        "alice logs backend-1 -c backend --previous --tail=40 --limit-bytes=16384",
        "kube-system get deployments,pods -l k8s-app=kube-dns",
    ];
    let of_these = |ended: &Ended| shown(ended).iter().filter(|command| alone.contains(&command.as_str())).count();
    let ended = home.run("doctor --show-commands");
    assert_eq!(of_these(&ended), alone.len(), "{ended:?}");
    // Only what is read for the sake of the causes that are asked for.
    let ended = home.run("doctor --only KC011 --show-commands");
    assert_eq!(of_these(&ended), 0, "{ended:?}");
    assert!(shown(&ended).contains(&"alice get storageclasses".to_owned()), "{ended:?}");
    let ended = home.run("status --show-commands");
    assert_eq!(of_these(&ended), 0, "{ended:?}");
    for both in ["alice get namespace/alice secret/postgres-credentials", "alice get events"] {
        assert!(shown(&ended).contains(&both.to_owned()), "{both}: {ended:?}");
    }
}

#[test]
fn who_can_send_no_request_has_not_looked() {
    let world = World::healthy();
    let server = Server::start(move |request| match request.path.as_str() {
        PATH => refusal(403, "Forbidden", "no proxy"),
        _ => answer(&world, request),
    });
    let ended = Home::at(&server).run("doctor");
    assert!(ended.code == 2 && ended.stdout.contains("nobody could send it a request"), "{ended:?}");
    let server = Server::start(|_| refusal(403, "Forbidden", "no way"));
    Home::at(&server).run("doctor").could_not_run("you may not read the exchange (");
}

fn execs_in(server: &Server, pod: &str) -> usize {
    let is_exec = |request: &&Request| request.path == format!("{NAMESPACED}/pods/{pod}/exec");
    server.requests().iter().filter(is_exec).count()
}

/// What is said of DNS.
fn of_dns(ended: &Ended) -> Vec<&str> {
    ended.stdout.lines().filter(|line| line.contains(": DNS ")).collect()
}

#[test]
fn who_may_run_nothing_in_a_pod_is_told_that_dns_was_not_asked() {
    let server = serve(World::healthy());
    let ended = Home::at(&server).run("doctor");
    assert_eq!(ended.code, 0, "{ended:?}");
    let [line] = of_dns(&ended)[..] else { panic!("{ended:?}") };
    assert!(line.starts_with("KC003 unknown: DNS was not asked: you may not run a program in pod/backend-1"), "{line}");
    assert_eq!(execs_in(&server, "backend-1"), 1, "{:?}", server.requests());
}

#[test]
fn without_a_backend_pod_dns_is_not_asked_and_none_is_started() {
    let mut world = World::healthy();
    world.at(&format!("{NAMESPACED}/pods"))["items"].as_array_mut().unwrap().remove(1);
    let server = serve(world);
    let ended = Home::at(&server).run("doctor");
    // Something is wrong with the backend, and that is what is said.
    assert!(ended.code == 1 && of_dns(&ended).is_empty(), "{ended:?}");
    assert_eq!(execs_in(&server, "backend-1"), 0);
    assert!(changes(&server).is_empty(), "{:?}", changes(&server));
}

#[test]
fn dns_is_asked_only_where_one_of_its_causes_is_looked_for() {
    for (words, asks) in [("--only KC010", 0), ("--only KC066", 0), ("--only KC061", 1), ("--only stale", 1)] {
        let server = serve(World::healthy());
        let ended = Home::at(&server).run(&format!("doctor {words}"));
        assert_eq!(ended.code, 0, "{words}: {ended:?}");
        assert_eq!((execs_in(&server, "backend-1"), of_dns(&ended).len()), (asks, asks), "{words}: {ended:?}");
        let is_of_system = |request: &Request| request.path.contains("/namespaces/kube-system/");
        assert_eq!(server.requests().iter().any(is_of_system), asks > 0, "{words}");
    }
    let server = serve(World::healthy());
    let ended = Home::at(&server).run("status");
    assert!(ended.code == 0 && execs_in(&server, "backend-1") == 0, "{ended:?}");
}

#[test]
fn a_dns_server_without_a_ready_pod_is_told_to_those_who_may_see_it() {
    let labels = json!({ "k8s-app": "kube-dns" });
    let deployment = json!({ "metadata": { "name": "coredns", "labels": labels.clone() },
                             "spec": { "replicas": 1, "selector": {}, "template": {} } });
    let away = json!({ "metadata": { "name": "coredns-1", "labels": labels }, "status": { "phase": "Pending" } });
    let list = |item: &Value| Reply::Json(200, json!({ "metadata": {}, "items": [item] }));
    for may_see in [true, false] {
        let (world, deployment, away) = (World::healthy(), deployment.clone(), away.clone());
        let server = Server::start(move |request| match request.path.as_str() {
            path if path.contains("/kube-system/") && !may_see => refusal(403, "Forbidden", "not yours"),
            "/apis/apps/v1/namespaces/kube-system/deployments" => list(&deployment),
            "/api/v1/namespaces/kube-system/pods" => list(&away),
            _ => answer(&world, request),
        });
        let ended = Home::at(&server).run("doctor");
        assert_eq!(ended.code, 0, "{ended:?}");
        let says = "KC095 warning: CoreDNS has 1 pod, which is not ready";
        assert_eq!(ended.stdout.contains(says), may_see, "{ended:?}");
        assert!(!ended.stdout.contains("not yours") && !ended.stdout.contains("kube-system unknown"), "{ended:?}");
    }
}

#[test]
fn a_set_that_names_a_service_that_does_not_exist_is_found_by_status_too() {
    let mut world = World::healthy();
    world.at(&format!("{APPS}/statefulsets/postgres"))["spec"]["serviceName"] = "postgres".into();
    let server = serve(world);
    let ended = Home::at(&server).run("status");
    assert!(
        ended.code == 1 && ended.stdout.contains("names postgres as its Service, which does not exist"),
        "{ended:?}"
    );
    let asked = |request: &Request| request.path == format!("{NAMESPACED}/services/postgres");
    assert!(server.requests().iter().any(asked));
    let mut world = World::healthy();
    world.at(&format!("{NAMESPACED}/services/postgres-headless"))["spec"]["clusterIP"] = "10.0.0.9".into();
    let ended = Home::at(&serve(world)).run("doctor");
    assert!(ended.code == 1 && ended.stdout.starts_with("KC066 problem: service/postgres-headless "), "{ended:?}");
}

#[test]
fn one_cause_is_looked_for_and_nothing_is_read_for_others() {
    let mut world = World::healthy();
    nobody(&mut world);
    let server = serve(world);
    let home = Home::at(&server);
    let ended = home.run("doctor --only KC010 --only selector-matches-nothing");
    assert!(ended.code == 1 && ended.stdout.starts_with("KC050 problem: "), "{ended:?}");
    assert!(!ended.stdout.contains('→'), "{ended:?}");
    assert!(!server.requests().iter().any(|request| request.path == PATH || request.path.contains("/exec")));
    // What is a consequence elsewhere is a finding of its own here.
    assert!(home.run("doctor --only KC052").stdout.starts_with("KC052 "));
    let ended = home.run("doctor --only KC010");
    assert!(ended.code == 0 && ended.stdout.starts_with("doctor: not found: KC010 (alice on "), "{ended:?}");
    let ended = home.run("doctor --only KC01");
    ended.could_not_run("there is no finding \"KC01\": did you mean KC001?");
}

#[test]
fn junit_has_a_test_case_for_each_cause() {
    let ended = doctor(nobody, "-o junit");
    assert_eq!(ended.code, 1, "{ended:?}");
    let suites = Suites::deserialize_from_str(&ended.stdout).unwrap();
    let suite = &suites.test_suites[0];
    assert!(suite.test_cases.len() >= 32 && suites.failures == 1, "{ended:?}");
    let ended = doctor(nobody, "-o junit --only KC052");
    let suites = Suites::deserialize_from_str(&ended.stdout).unwrap();
    assert_eq!((suites.tests, suites.failures), (1, 1), "{ended:?}");
}

#[test]
fn it_is_waited_until_nothing_is_wrong_or_the_time_is_over() {
    let (healthy, mut broken, count) = (World::healthy(), World::healthy(), AtomicUsize::new(0));
    nobody(&mut broken);
    let server = Server::start(move |request| {
        let is_service = request.path.ends_with("/backend-service");
        let later = if is_service { count.fetch_add(1, Ordering::Relaxed) } else { count.load(Ordering::Relaxed) };
        answer(if later > 4 { &healthy } else { &broken }, request)
    });
    let ended = Home::at(&server).run("doctor --wait --timeout 60s");
    assert!(ended.code == 0 && ended.stdout.contains("nothing is wrong"), "{ended:?}");
    let ended = doctor(nobody, "--wait --timeout 1s");
    assert!(ended.code == 1 && ended.stderr.contains("error: something was still wrong after 1s"), "{ended:?}");
    assert!(ended.took < Duration::from_secs(30), "{ended:?}");
}

#[test]
fn every_exchange_of_a_cluster_is_looked_at() {
    let mut world = World::healthy();
    let set = world.at(&format!("{APPS}/statefulsets/postgres")).clone();
    let sets = json!({ "metadata": {}, "items": [set] });
    nobody(&mut world);
    let server = Server::start(move |request| match request.path.as_str() {
        "/apis/apps/v1/statefulsets" => Reply::Json(200, sets.clone()),
        _ => answer(&world, request),
    });
    let home = Home::at(&server);
    let ended = home.run("doctor -A");
    assert_eq!(ended.code, 1, "{ended:?}");
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines[..2], ["NAMESPACE   HEALTH       FINDINGS", "alice       NotHealthy   KC050"], "{ended:?}");
    assert!(ended.stdout.contains("\nKC050 problem: service/backend-service "), "{ended:?}");
    let json = json_of(&home.run("doctor -A -o json"));
    assert_eq!((&json["kind"], &json["items"][0]["namespace"]), (&"DoctorList".into(), &"alice".into()));
}

/// A server on which the backend's Service selects nobody, until it is patched.
fn mendable() -> Server {
    let (healthy, mut broken, mended) = (World::healthy(), World::healthy(), AtomicBool::new(false));
    nobody(&mut broken);
    Server::start(move |request| {
        if request.method == "PATCH" && request.path.ends_with("/backend-service") {
            mended.store(true, Ordering::Relaxed);
        }
        answer(if mended.load(Ordering::Relaxed) { &healthy } else { &broken }, request)
    })
}

fn changes(server: &Server) -> Vec<Request> {
    let is_change = |request: &Request| request.method != "GET" && !request.path.contains("/exec");
    let all = server.requests().into_iter().filter(is_change);
    all.filter(|request| !request.path.contains("/portforward")).collect()
}

#[test]
fn a_finding_is_mended_by_the_command_that_was_shown_and_looked_for_again() {
    let server = mendable();
    let ended = Home::at(&server).run("doctor --fix KC050 --yes");
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "fixed: KC050 is gone\n"), "{ended:?}");
    let command = r#"patch service/backend-service --type merge -p '{"spec":{"selector":{"app":"backend"}}}'"#;
    assert!(ended.stderr.contains(command), "{ended:?}");
    let requests = changes(&server);
    let patches: Vec<&Request> = requests.iter().filter(|request| request.method == "PATCH").collect();
    assert_eq!(patches.len(), 1, "{requests:?}");
    assert_eq!(patches[0].body, r#"{"spec":{"selector":{"app":"backend"}}}"#);
    let of_lease = |request: &&Request| request.path.contains("/leases");
    assert!(requests.iter().any(|request| of_lease(&request)), "it holds no Lease: {requests:?}");
}

#[test]
fn what_changes_after_it_was_shown_is_not_mended() {
    let [broken, other] = ["nobody", "somebody"].map(|name| {
        let mut world = World::healthy();
        nobody(&mut world);
        let service = world.at(&format!("{NAMESPACED}/services/backend-service"));
        service["spec"]["selector"][name] = "here".into();
        world
    });
    let agreed = AtomicBool::new(false);
    let server = Server::start(move |request| {
        // The Lease is taken when the user has agreed.
        let has_agreed = agreed.fetch_or(request.path.contains("/leases"), Ordering::Relaxed);
        answer(if has_agreed { &other } else { &broken }, request)
    });
    let ended = Home::at(&server).run("doctor --fix KC050 --yes");
    let says = "not fixed: service/backend-service changed while you read the command";
    assert!(ended.code == 2 && ended.stderr.contains(says), "{ended:?}");
    let patches = changes(&server).into_iter().filter(|request| request.path.contains("/services/"));
    assert_eq!(patches.count(), 0, "{ended:?}");
}

/// What was shown is compared with what is due after the confirmation: a time in it would never be the same twice.
#[test]
fn an_overlooked_claim_is_touched_as_it_was_shown() {
    let mut world = World::healthy();
    world.at(&format!("{NAMESPACED}/persistentvolumeclaims/postgres-pvc"))["status"]["phase"] = "Pending".into();
    world.at("/api/v1/persistentvolumes/postgres-pv-alice")["status"]["phase"] = "Available".into();
    let server = serve(world);
    let ended = Home::at(&server).run("doctor --fix KC047 --yes --timeout 1s");
    // The scripted cluster binds nothing.
    assert!(ended.code == 1 && ended.stderr.contains("KC047 was still there after 1s"), "{ended:?}");
    assert!(ended.stderr.contains("patch persistentvolumeclaim/postgres-pvc --type merge -p"), "{ended:?}");
    let touches = server.requests().iter().filter(|request| request.body.contains("touched-at-version")).count();
    assert_eq!(touches, 1, "{ended:?}");
}

#[test]
fn nothing_is_changed_without_a_confirmation_a_finding_or_a_mend() {
    for (words, code, says) in [
        ("doctor --fix KC050", 2, "not fixed: this needs a confirmation, but there is no terminal"),
        ("doctor --fix KC010 --yes", 0, "not found: KC010 (A claim has no volume); nothing was changed"),
        ("doctor --fix KC052 --yes", 2, "not fixed: KC052 is a consequence of KC050: service/backend-service selects"),
        ("doctor --fix nonsense --yes", 2, "there is no finding \"nonsense\""),
    ] {
        let server = mendable();
        let ended = Home::at(&server).run(words);
        assert_eq!(ended.code, code, "{words}: {ended:?}");
        assert!(format!("{}{}", ended.stdout, ended.stderr).contains(says), "{words}: {ended:?}");
        assert_eq!(changes(&server).len(), 0, "{words}: {:?}", changes(&server));
    }
    let missing = |world: &mut World| drop(world.objects.remove(&format!("{NAMESPACED}/services/backend-service")));
    let ended = doctor(missing, "--fix KC001 --yes");
    assert!(ended.code == 2 && ended.stderr.contains("not fixed: doctor has no safe mend for KC001 here"), "{ended:?}");
    assert!(ended.stderr.contains("hint: create it again: kubectl kubecoin deploy"), "{ended:?}");
}

#[test]
fn what_can_be_mended_says_how() {
    let ended = doctor(nobody, "");
    assert!(
        ended.stdout.lines().any(|line| line.starts_with("  fix: kubectl kubecoin doctor --fix KC050")),
        "{ended:?}"
    );
    assert!(!doctor(rollout, "").stdout.contains("  fix: "));
}

#[test]
fn what_was_read_is_judged_the_same_without_the_cluster_and_tells_no_secret() {
    let mut world = World::healthy();
    nobody(&mut world);
    let pods = world.at(&format!("{NAMESPACED}/pods"));
    let metadata = &mut pods["items"][0]["metadata"];
    metadata["managedFields"] = json!([{ "manager": "canary-manager" }]);
    metadata["annotations"] = json!({ "kubectl.kubernetes.io/last-applied-configuration": "canary-applied" });
    let env = json!([{ "name": "DB_HOST", "value": "postgres-headless" }, { "name": "DB_PASSWORD", "value": "canary-env" },
                     { "name": "SENTRY_DSN", "value": "https://canary-dsn" }]);
    pods["items"][1]["spec"]["containers"][0]["env"] = env;
    pods["items"][1]["spec"]["containers"][0]["args"] = json!(["--password=canary-argument"]);
    let password = &mut world.at(&format!("{NAMESPACED}/secrets/postgres-credentials"))["data"]["password"];
    // Of "canary-secret".
    *password = "Y2FuYXJ5LXNlY3JldA==".into();
    let home = Home::at(&serve(world));
    let file = home.path().join("case.json");
    let saved = home.run(&format!("doctor --evidence --save {}", file.display()));
    assert_eq!(saved.code, 1, "{saved:?}");
    assert!(saved.stderr.contains("judge it again without a cluster: kubectl kubecoin doctor --from "), "{saved:?}");
    assert!(saved.stderr.contains("left out: values of Secrets "), "{saved:?}");

    let text = std::fs::read_to_string(&file).unwrap();
    assert!(!text.contains("canary") && !text.contains("Y2FuYXJ5") && !text.contains("hush"), "{text}");
    assert!(text.contains("postgres-headless") && text.contains("\"DB_PASSWORD\""), "{text}");

    // Neither a kubeconfig nor a server.
    let elsewhere = Home::empty();
    let judged = elsewhere.run(&format!("doctor --evidence --from {}", file.display()));
    let without_place = |ended: &Ended| {
        let lines = ended.stdout.lines().map(|line| line.split(" (alice").next().unwrap().to_owned());
        lines.collect::<Vec<_>>()
    };
    assert_eq!((without_place(&judged), judged.code), (without_place(&saved), 1), "{judged:?}");
    let json = json_of(&elsewhere.run(&format!("doctor -o json --from {}", file.display())));
    assert_eq!(json["from"]["file"], file.to_str().unwrap());
    let read_at = json["from"]["readAt"].as_str().unwrap();
    let place = format!(" (alice, read {} {} UTC from {})", &read_at[..10], &read_at[11..16], file.display());
    assert!(judged.stdout.contains(&place), "{place}: {judged:?}");
    let case: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&case["kind"], &case["namespace"]), (&"DoctorCase".into(), &"alice".into()));
}

#[test]
fn a_case_that_cannot_be_written_is_told_before_anything_is_read() {
    let server = serve(World::healthy());
    let ended = Home::at(&server).run("doctor --save nowhere/case.json");
    ended.could_not_run("directory nowhere does not exist");
    assert!(server.requests().is_empty());
}
