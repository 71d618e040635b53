//! `status -A`: a class, each with an exchange and with answers to the lesson.

use std::io::{BufRead, BufReader, Read};
use std::sync::atomic::{AtomicUsize, Ordering};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::plugin::Home;
use crate::server::{Reply, Request, Server};
use crate::world::{APPS, PATH, World, connection, refusal};

const SETS: &str = "/apis/apps/v1/statefulsets";
const LESSONS: &str = "/api/v1/configmaps";

fn list(items: &[Value]) -> Reply {
    Reply::Json(200, json!({ "metadata": {}, "items": items }))
}

/// The same, of another namespace.
fn renamed(value: &Value, name: &str) -> Value {
    serde_json::from_str(&value.to_string().replace("\"alice\"", &format!("\"{name}\""))).unwrap()
}

fn set(name: &str) -> Value {
    renamed(World::healthy().at(&format!("{APPS}/statefulsets/postgres")), name)
}

/// What is kept of the lesson in a namespace.
fn kept(name: &str, answers: &[(u8, &str)]) -> Value {
    let answer =
        |holds: &str| json!({ "holds": holds, "at": "2026-11-24T02:00:00Z", "evidence": "sha256:0\u{1b}[2J1" });
    let data: serde_json::Map<String, Value> = answers
        .iter()
        .map(|(number, holds)| (format!("question-{number}"), answer(holds).to_string().into()))
        .collect();
    json!({ "metadata": { "name": "kubecoin-lesson", "namespace": name }, "data": data })
}

/// An exchange in the namespace that a request names, as it is in `alice`.
fn of_a_namespace(world: &World, request: &Request) -> Reply {
    let name = request.path.split('/').skip_while(|part| *part != "namespaces").nth(1).unwrap_or("alice");
    let path = request.path.replace(&format!("/namespaces/{name}"), "/namespaces/alice");
    match world.reply(&Request { path, ..request.clone() }) {
        Reply::Json(code, body) => Reply::Json(code, renamed(&body, name)),
        other => other,
    }
}

/// Whether it is asked which exercises run. None does.
fn of_exercises(request: &Request) -> bool {
    request.query.contains("fieldSelector=metadata.name%3Dkubecoin-exercise")
}

/// Three of a class. What came of the questions is answered like this.
fn class(lessons: impl Fn() -> Reply + Send + Sync + 'static) -> Server {
    let world = World::healthy();
    Server::start(move |request| match request.path.as_str() {
        SETS => list(&["alice", "bob", "carol"].map(set)),
        LESSONS if of_exercises(request) => list(&[]),
        LESSONS => lessons(),
        _ => of_a_namespace(&world, request),
    })
}

/// Alice has answered two questions, bob has tried one, and carol none. Dave has no exchange.
fn three() -> Server {
    class(|| {
        let alice = kept("alice", &[(5, "yes"), (3, "yes"), (1, "no"), (9, "yes")]);
        list(&[alice, kept("bob", &[(5, "unknown")]), kept("dave", &[(5, "yes")])])
    })
}

fn row<'a>(table: &'a str, name: &str) -> Vec<&'a str> {
    let line = table.lines().find(|line| line.starts_with(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("no {name} in {table}")).split_whitespace().collect()
}

#[test]
fn the_board_says_how_far_each_is_and_asks_once() {
    let server = three();
    let ended = Home::at(&server).run("status -A --no-db");
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    assert!(ended.stdout.lines().all(|line| line.len() <= 80), "{}", ended.stdout);
    for (name, lesson) in [("alice", "2/5"), ("bob", "0/5"), ("carol", "<none>")] {
        assert_eq!(row(&ended.stdout, name)[3], lesson, "{}", ended.stdout);
    }
    assert!(!ended.stdout.contains("dave"), "{}", ended.stdout);
    let (requests, of_alice) = (server.requests(), "/namespaces/alice/");
    let lists = requests.iter().filter(|request| request.path.contains("configmaps"));
    let (exercises, lessons): (Vec<&Request>, Vec<&Request>) = lists.partition(|request| of_exercises(request));
    assert!(exercises.len() == 1 && exercises[0].path == LESSONS, "{exercises:?}");
    assert!(lessons.len() == 1 && lessons[0].path == LESSONS, "{lessons:?}");
    assert!(lessons[0].query.contains("fieldSelector=metadata.name%3Dkubecoin-lesson"), "{lessons:?}");

    let alone = three();
    Home::at(&alone).run("status --no-db");
    // Of one exchange it is asked whether an exercise runs; of all, that is one list.
    let is_asked = |request: &&Request| request.path.contains(of_alice) && !request.path.contains("/configmaps/");
    let asked = |all: &[Request]| all.iter().filter(is_asked).count();
    assert_eq!(asked(&requests), asked(&alone.requests()), "no more than for one exchange");
}

#[test]
fn the_board_asks_each_page_and_starts_no_program_in_a_pod() {
    let board = |has_table: bool, words: &str| {
        let (world, mut seen) = (World::healthy(), connection());
        seen["database"]["wallets_table"] = has_table.into();
        let server = Server::start(move |request| match request.path.as_str() {
            SETS => list(&[set("alice")]),
            LESSONS => list(&[]),
            PATH => Reply::Json(200, seen.clone()),
            _ => world.reply(request),
        });
        (Home::at(&server).run(words), server.requests())
    };
    let is_asked = |requests: &[Request], what: &str| requests.iter().any(|request| request.path.ends_with(what));
    for (has_table, code, health) in [(true, 0, "Healthy"), (false, 1, "NotHealthy")] {
        let (ended, requests) = board(has_table, "status -A");
        assert_eq!((ended.code, row(&ended.stdout, "alice")[1]), (code, health), "{ended:?}");
        assert!(is_asked(&requests, PATH) && !is_asked(&requests, "/exec"), "{requests:?}");
    }
    for words in ["status -A -o wide", "status -A -o json"] {
        assert!(is_asked(&board(true, words).1, "/exec"), "{words}: it says how many wallets there are");
    }
}

#[test]
fn programs_get_each_answer() {
    let ended = Home::at(&three()).run("status -A --no-db -o json");
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    let lesson = |index: usize| &json["items"][index]["lesson"];
    assert_eq!((&json["kind"], &lesson(0)["state"]), (&"StatusList".into(), &"present".into()), "{json}");
    let five = json!({ "holds": "yes", "at": "2026-11-24T02:00:00Z", "evidence": "sha256:0\u{1b}[2J1" });
    assert_eq!(lesson(0)["value"]["5"], five);
    let numbers: Vec<&String> = lesson(0)["value"].as_object().unwrap().keys().collect();
    assert_eq!(numbers, ["1", "3", "5"]);
    assert_eq!(lesson(2)["value"], json!({}));
    assert!(!ended.stdout.contains('\u{1b}'), "{ended:?}");
    let yaml = Home::at(&three()).run("status -A --no-db -o yaml").stdout;
    let yaml: Value = serde_saphyr::from_str(&yaml).unwrap();
    assert_eq!(yaml["items"][0]["lesson"], *lesson(0));
}

#[test]
fn answers_that_may_not_be_read_are_unknown_and_all_else_is_shown() {
    let forbidden = || class(|| refusal(403, "Forbidden", "you may not list configmaps"));
    let ended = Home::at(&forbidden()).run("status -A --no-db");
    assert_eq!(ended.code, 0, "{ended:?}");
    for name in ["alice", "bob", "carol"] {
        assert_eq!(row(&ended.stdout, name)[1..4], ["ObjectsInOrder", "1/1", "unknown"], "{}", ended.stdout);
    }
    let why = "warning: it is unknown which questions are answered: you may not list configmaps";
    assert_eq!(ended.stderr.matches(why).count(), 1, "{ended:?}");
    let grades = Home::at(&forbidden()).run("status -A -o junit");
    assert_eq!(grades.code, 1, "{grades:?}");
    assert_eq!(grades.stdout.matches(r#"<error message="you may not list configmaps"/>"#).count(), 15, "{grades:?}");
}

#[test]
fn a_grade_book_gets_a_case_for_each_question_and_learner() {
    let server = three();
    let ended = Home::at(&server).run("status -A -o junit --context scripted");
    assert_eq!((ended.code, ended.stderr.as_str()), (1, ""), "{ended:?}");
    let xml = &ended.stdout;
    assert!(xml.contains(r#"<testsuites name="lesson" tests="15" skipped="11" failures="1" errors="1">"#), "{xml}");
    let suites: Vec<&str> = xml.split("<testsuite ").skip(1).collect();
    let [alice, bob, carol] = suites[..] else { panic!("three suites: {xml}") };
    assert!(alice.starts_with(r#"name="alice" tests="5" skipped="2" errors="0" failures="1""#), "{alice}");
    assert!(
        alice.contains("run kubectl kubecoin lesson N --report FILE.xml -n alice --context scripted to"),
        "{alice}"
    );
    assert_eq!(alice.matches("claimed: holds at 2026-11-24T02:00:00Z, evidence sha256:0[2J1<").count(), 2, "{alice}");
    assert!(bob.starts_with(r#"name="bob" tests="5" skipped="4" errors="1" failures="0""#), "{bob}");
    assert_eq!(carol.matches(r#"<skipped message="not tried"/>"#).count(), 5, "{carol}");
    assert!(!xml.contains('\u{1b}') && !xml.contains("dave"), "{xml}");
    assert_eq!(server.requests().len(), 2, "no exchange is looked at: {:?}", server.requests());

    Home::at(&server).run("status -o junit").could_not_run("--output junit is for all namespaces");
    Home::at(&server).run("status -A --watch -o junit").could_not_run("--watch shows tables only");
    assert_eq!(server.requests().len(), 2);
}

/// First alice is there alone; then she has an answer and bob has come; then he has gone; then she has a proof.
fn working() -> Server {
    let (world, sets, lessons) = (World::healthy(), AtomicUsize::new(0), AtomicUsize::new(0));
    Server::start(move |request| match request.path.as_str() {
        SETS => match sets.fetch_add(1, Ordering::Relaxed) {
            0 | 2 => list(&[set("alice")]),
            1 => list(&["alice", "bob"].map(set)),
            _ => {
                let mut alice = set("alice");
                alice["metadata"]["resourceVersion"] = "8".into();
                let proof = json!({ "holds": "yes", "at": "2026-11-24T02:00:00Z", "how": "delete" }).to_string();
                alice["metadata"]["annotations"] = json!({ "kubectl-kubecoin/last-proof": proof });
                list(&[alice])
            }
        },
        LESSONS if of_exercises(request) => list(&[]),
        LESSONS => match lessons.fetch_add(1, Ordering::Relaxed) {
            0 => list(&[]),
            _ => list(&[kept("alice", &[(5, "yes")])]),
        },
        _ => of_a_namespace(&world, request),
    })
}

#[test]
fn who_watches_the_board_sees_each_change() {
    let server = working();
    let home = Home::at(&server);
    let mut child = home.start("status -A --no-db --watch");
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for line in [
        "alice: objects in order; ready 1/1; lesson not begun\n",
        "alice: objects in order; ready 1/1; lesson 1/5\n",
        "bob: objects in order; ready 1/1; lesson not begun\n",
        "bob: deleted\n",
        "alice: objects in order; ready 1/1; lesson 1/5; last proof holds at 2026-11-24T02:00:00Z\n",
    ] {
        let mut shown = String::new();
        stdout.read_line(&mut shown).unwrap();
        assert_eq!(shown, line);
    }
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!((child.wait().unwrap().code(), rest.as_str()), (Some(130), ""));
    let requests = server.requests();
    let count = |path: &str| requests.iter().filter(|request| request.path == path).count();
    let (lists, looks) = (count(SETS), count(&format!("{APPS}/statefulsets/postgres")));
    assert!(looks < lists, "alice is looked at {looks} times, and all are listed {lists} times");
}
