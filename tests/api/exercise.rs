//! What the other commands do while an exercise runs: they tell symptoms and no causes, and change nothing.

use quick_junit::Report as Suites;
use serde_json::{Value, json};

use crate::plugin::{Ended, Home};
use crate::server::{Reply, Request, Server};
use crate::world::{APPS, NAMESPACED, PATH, SLICES, World, refusal};

const RECORD: &str = "/api/v1/namespaces/alice/configmaps/kubecoin-exercise";

/// As much of the record as is sent where only its metadata is asked for.
fn record() -> Value {
    json!({ "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadata",
            "metadata": { "name": "kubecoin-exercise", "namespace": "alice",
                          "labels": { "kubectl-kubecoin/exercise": "4" } } })
}

/// Exercise 4 runs, and the backend's Service selects nobody.
fn world() -> World {
    let mut world = World::healthy();
    world.at(&format!("{NAMESPACED}/services/backend-service"))["spec"]["selector"]["app"] = "nobody".into();
    world.at(SLICES)["items"][1]["endpoints"] = json!([]);
    world.objects.insert(RECORD.to_owned(), record());
    world
}

fn answer(world: &World, request: &Request) -> Reply {
    let alone = json!({ "type": "urn:kubecoin:problem:backend-unavailable", "status": 503 });
    match request.path.as_str() {
        PATH => Reply::Json(503, alone),
        path if path.contains("/exec") => refusal(403, "Forbidden", "no exec"),
        path if path.contains("/portforward") => refusal(403, "Forbidden", "no portforward"),
        "/apis/apps/v1/statefulsets" => {
            let set = world.objects[&format!("{APPS}/statefulsets/postgres")].clone();
            Reply::Json(200, json!({ "metadata": {}, "items": [set] }))
        }
        "/api/v1/configmaps" if request.query.contains("kubecoin-exercise") => {
            let records: Vec<&Value> = world.objects.get(RECORD).into_iter().collect();
            Reply::Json(
                200,
                json!({ "apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList",
                                     "metadata": {}, "items": records }),
            )
        }
        "/api/v1/configmaps" => Reply::Json(200, json!({ "metadata": {}, "items": [lesson()] })),
        _ => world.reply(request),
    }
}

/// One exercise is solved.
fn lesson() -> Value {
    let answer = json!({ "holds": "yes", "at": "2026-11-24T02:00:00Z", "evidence": "sha256:00" });
    json!({ "metadata": { "name": "kubecoin-lesson", "namespace": "alice" },
            "data": { "exercise-1": answer.to_string() } })
}

fn serve(world: World) -> Server {
    Server::start(move |request| answer(&world, request))
}

fn run(words: &str) -> Ended {
    Home::at(&serve(world())).run(words)
}

/// Nothing that is shown names the cause.
fn tells_nothing(ended: &Ended) {
    for words in ["KC0", "nobody", "selector", "selects", "endpoint"] {
        for text in [&ended.stdout, &ended.stderr] {
            assert!(!text.contains(words), "{words}: {ended:?}");
        }
    }
}

fn json_of(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:?}"))
}

const SYMPTOM: &str = "the page answers, but no backend answers behind it";

#[test]
fn doctor_tells_symptoms_and_causes_only_if_asked() {
    let ended = run("doctor");
    assert_eq!(ended.code, 1, "{ended:?}");
    tells_nothing(&ended);
    let shown = "exercise 4 runs: symptoms are shown, causes are not\n  the page answers, but no backend answers behind it\n\n\
                 doctor: something is wrong (alice on scripted)\n";
    assert_eq!(ended.stdout, shown);
    assert_eq!(ended.stderr, "hint: show the causes: kubectl kubecoin doctor --spoil\n");
    let json = json_of(&run("doctor -o json"));
    assert_eq!((&json["exercise"], &json["health"]), (&4.into(), &"notHealthy".into()), "{json}");
    assert_eq!((&json["symptoms"], &json["findings"]), (&json!([SYMPTOM]), &json!([])), "{json}");
    let spoiled = run("doctor --spoil");
    assert!(spoiled.code == 1 && spoiled.stdout.starts_with("KC050 problem: service/backend-service"), "{spoiled:?}");
    assert!(!spoiled.stdout.contains("exercise"), "{spoiled:?}");
}

#[test]
fn a_symptom_is_a_failed_test_case() {
    let ended = run("doctor -o junit");
    assert_eq!(ended.code, 1, "{ended:?}");
    tells_nothing(&ended);
    let suites = Suites::deserialize_from_str(&ended.stdout).unwrap();
    let names: Vec<&str> = suites.test_suites[0].test_cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!((suites.failures, names), (1, vec![SYMPTOM]), "{ended:?}");
}

#[test]
fn doctor_refuses_what_would_tell() {
    for words in ["--fix KC050 --yes", "--only KC050", "--evidence", "--save case.json"] {
        let server = serve(world());
        let ended = Home::at(&server).run(&format!("doctor {words}"));
        ended.could_not_run("exercise 4 runs, and --");
        assert!(ended.stderr.contains("hint: see where to look: kubectl kubecoin exercise hint"), "{ended:?}");
        assert!(server.requests().iter().all(|request| request.path == RECORD), "{:?}", server.requests());
    }
    let ended = run("doctor --only KC050 --spoil");
    assert!(ended.code == 1 && ended.stdout.contains("KC050"), "{ended:?}");
}

#[test]
fn status_tells_symptoms_and_causes_only_if_asked() {
    let ended = run("status");
    assert_eq!(ended.code, 1, "{ended:?}");
    let end = "exchange: not healthy (alice on scripted)\nexercise 4 runs: symptoms are shown, causes are not\n  \
               the page answers, but no backend answers behind it\n";
    assert!(ended.stdout.ends_with(end), "{ended:?}");
    assert!(!ended.stdout.contains("KC0") && !ended.stdout.contains("nobody"), "{ended:?}");
    assert_eq!(ended.stderr, "hint: show the causes: kubectl kubecoin status --spoil\n");
    let json = json_of(&run("status -o json"));
    assert_eq!((&json["exercise"], &json["symptoms"]), (&4.into(), &json!([SYMPTOM])), "{json}");
    assert_eq!(json["findings"], json!([]), "{json}");
    let spoiled = run("status --spoil");
    assert!(spoiled.stdout.contains("\n  KC050 service/backend-service selects"), "{spoiled:?}");
    assert!(!spoiled.stdout.contains("exercise"), "{spoiled:?}");
}

/// A pod that is not ready: its image does not exist.
fn without_its_image() -> World {
    let mut world = world();
    world.at(&format!("{APPS}/statefulsets/postgres"))["status"]["readyReplicas"] = 0.into();
    let pod = &mut world.at(&format!("{NAMESPACED}/pods"))["items"][0];
    pod["status"]["conditions"] = json!([{ "type": "Ready", "status": "False" }]);
    let waiting = json!({ "waiting": { "reason": "ImagePullBackOff", "message": "no such image: odd:1" } });
    pod["status"]["containerStatuses"][0]["state"] = waiting;
    world
}

#[test]
fn a_wait_does_not_tell_what_it_waits_for() {
    let ended = Home::at(&serve(without_its_image())).run("status --wait --timeout 3s");
    assert_eq!(ended.code, 1, "{ended:?}");
    for symptom in [SYMPTOM, "statefulset/postgres: 0 of 1 ready", "pod/postgres-0: ImagePullBackOff"] {
        assert!(ended.stdout.contains(&format!("\n  {symptom}\n")), "{symptom}: {ended:?}");
    }
    for words in ["odd:1", "KC0"] {
        assert!(!ended.stdout.contains(words) && !ended.stderr.contains(words), "{words}: {ended:?}");
    }
    assert!(ended.stderr.contains("error: the exchange was not ready within 3s\n"), "{ended:?}");
}

#[test]
fn who_has_corrected_the_fault_is_told_how_to_end_the_exercise() {
    let mut world = World::healthy();
    world.objects.insert(RECORD.to_owned(), record());
    let server = Server::start(move |request| match request.path.as_str() {
        PATH => world.reply(request),
        _ => answer(&world, request),
    });
    for words in ["doctor", "status"] {
        let ended = Home::at(&server).run(words);
        let hint = "hint: if you have corrected the fault, end the exercise: kubectl kubecoin exercise check\n";
        assert!(ended.code == 0 && ended.stderr == hint, "{ended:?}");
        assert!(
            ended.stdout.contains("\n  no symptom in what could be read of workloads, pods and claims; "),
            "{ended:?}"
        );
    }
}

#[test]
fn where_the_record_may_not_be_read_none_runs() {
    let world = world();
    let server = Server::start(move |request| match request.path.as_str() {
        RECORD => refusal(403, "Forbidden", "no configmaps"),
        _ => answer(&world, request),
    });
    for words in ["doctor", "status"] {
        let ended = Home::at(&server).run(words);
        assert!(ended.code == 1 && ended.stdout.contains("KC050"), "{ended:?}");
        assert!(!ended.stderr.contains("exercise") && !ended.stderr.contains("warning"), "{ended:?}");
    }
}

#[test]
fn what_would_disturb_an_exercise_is_refused_and_changes_nothing() {
    for (words, says) in [
        ("deploy", "not deployed"),
        ("deploy --force-conflicts", "not deployed"),
        ("teardown --yes", "not deleted"),
        ("teardown --delete-data --yes", "not deleted"),
        ("persistence-demo --yes", "not started"),
        ("lesson 5 --no-predict --yes", "not started"),
        ("lesson 3 --no-predict", "not started"),
        ("rotate-password", "the password was not changed"),
        ("rotate-password --new", "the password was not changed"),
    ] {
        let server = serve(world());
        let ended = Home::at(&server).run(words);
        ended.could_not_run(&format!("{says}: exercise 4 runs in namespace alice"));
        let hint = "hint: if you have corrected the fault, end it: kubectl kubecoin exercise check; or undo the fault: \
                    kubectl kubecoin exercise undo\n";
        assert!(ended.stderr.ends_with(hint), "{words}: {ended:?}");
        assert!(server.requests().iter().all(|request| request.method == "GET"), "{words}: {:?}", server.requests());
    }
}

#[test]
fn commands_that_fail_do_not_tell_why() {
    let mut world = without_its_image();
    world.at(&format!("{NAMESPACED}/pods"))["items"][2]["status"]["conditions"][0]["status"] = "False".into();
    let ended = Home::at(&serve(world)).run("open --no-browser");
    assert_eq!(ended.code, 1, "{ended:?}");
    tells_nothing(&ended);
    assert!(ended.stderr.contains("hint: check its status: kubectl kubecoin status"), "{ended:?}");
    let world = without_its_image();
    let server = Server::start(move |request| match request.path.as_str() {
        path if path.contains("/exec") => refusal(500, "InternalError", "container not found (\"postgres\")"),
        _ => answer(&world, request),
    });
    let ended = Home::at(&server).run("psql -c SELECT");
    ended.could_not_run("container not found");
    tells_nothing(&ended);
}

#[test]
fn a_wait_for_the_database_tells_symptoms_and_no_cause() {
    let ended = Home::at(&serve(without_its_image())).run("init-db --timeout 4s");
    assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
    tells_nothing(&ended);
    let said = "error: the database was not ready within 4s\nexercise 4 runs: symptoms are shown, causes are not\n  \
                statefulset/postgres: 0 of 1 ready\n  pod/postgres-0: ImagePullBackOff\n\
                hint: see where to look: kubectl kubecoin exercise hint\n";
    assert_eq!(ended.stderr.split_once('\n').unwrap().1, said, "after the line that says where");
    let mut alone = without_its_image();
    alone.objects.remove(RECORD);
    let told = Home::at(&serve(alone)).run("init-db --timeout 4s");
    assert!(told.code == 1 && told.stderr.contains("KC0") && !told.stderr.contains("exercise"), "{told:?}");
}

#[test]
fn what_changes_nothing_goes_on() {
    for words in ["deploy --dry-run=client", "lesson", "doctor --from case.json"] {
        let server = serve(world());
        let home = Home::at(&server);
        let case = include_str!("../findings/healthy/case.json");
        let ended = home.command(words).current_dir(home.write("case.json", case).parent().unwrap()).output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{words}: {ended:?}");
        assert!(server.requests().iter().all(|request| request.path != RECORD), "{words}: {:?}", server.requests());
    }
}

#[test]
fn all_exchanges_show_which_exercise_runs() {
    let ended = run("status -A -o wide");
    assert_eq!(ended.code, 1, "{ended:?}");
    tells_nothing(&ended);
    let [headings, row] = &ended.stdout.lines().collect::<Vec<_>>()[..] else { panic!("two lines: {ended:?}") };
    let at = headings.find("EXERCISE").unwrap_or_else(|| panic!("{ended:?}"));
    assert!(row[at..].starts_with("1/") && row[at..].contains(" (4) "), "{ended:?}");
    assert!(run("status -A -o wide --spoil").stdout.contains("KC050"));
    let json = json_of(&run("status -A -o json"));
    let item = &json["items"][0];
    assert_eq!((&item["exercise"], item.get("finding")), (&4.into(), None), "{json}");
    assert_eq!(item["exercises"]["value"]["1"]["holds"], "yes", "{json}");
    let server = serve(world());
    Home::at(&server).run("status -A -o junit");
    let lists = server.requests().into_iter().filter(|request| request.path == "/api/v1/configmaps");
    let queries: Vec<String> = lists.map(|request| request.query).collect();
    assert_eq!(queries.len(), 1, "{queries:?}");
    let xml = run("status -A -o junit").stdout;
    assert!(xml.contains(r#"<testcase name="exercise 1" classname="alice">"#), "{xml}");
}

#[test]
fn doctor_of_all_exchanges_tells_symptoms_too() {
    let ended = run("doctor -A");
    assert_eq!(ended.code, 1, "{ended:?}");
    tells_nothing(&ended);
    assert!(ended.stdout.contains(SYMPTOM), "{ended:?}");
    assert!(run("doctor -A --spoil").stdout.contains("KC050"));
}

#[test]
fn the_next_step_is_the_exercise_that_runs() {
    let ended = run("");
    assert_eq!(ended.code, 0, "{ended:?}");
    tells_nothing(&ended);
    assert!(ended.stdout.starts_with("alice on scripted: exercise 4 runs (step "), "{ended:?}");
    assert!(ended.stdout.contains("\nnext: kubectl kubecoin exercise\n"), "{ended:?}");
}

/// After the five questions come three exercises; more can be done.
#[test]
fn after_the_questions_come_exercises() {
    let yes = json!({ "holds": "yes", "at": "2026-11-24T02:00:00Z", "evidence": "sha256:00" }).to_string();
    for (solved, at) in [(0, "step 8 of 10"), (1, "step 9 of 10"), (2, "step 10 of 10")] {
        let questions = (1..=5).map(|number| (format!("question-{number}"), yes.clone().into()));
        let exercises = (1..=solved).map(|number| (format!("exercise-{number}"), yes.clone().into()));
        let data: serde_json::Map<String, Value> = questions.chain(exercises).collect();
        let mut world = World::healthy();
        let kept = json!({ "metadata": { "name": "kubecoin-lesson", "namespace": "alice" }, "data": data });
        world.objects.insert(format!("{NAMESPACED}/configmaps/kubecoin-lesson"), kept);
        let server = Server::start(move |request| match request.path.as_str() {
            PATH => world.reply(request),
            _ => answer(&world, request),
        });
        let ended = Home::at(&server).run("");
        assert!(ended.stdout.contains(&format!("({at})\nnext: kubectl kubecoin exercise start\n")), "{ended:?}");
    }
}
