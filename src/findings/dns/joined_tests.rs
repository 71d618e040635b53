//! What names show beside the objects, and each thing said once.

use std::time::Duration;

use serde_json::{Value, json};

use super::tests::{OLD, World, address, answers, nothing_of_postgres, service, truthful};
use super::*;
use crate::dns::answer::{Answer, Kind};
use crate::dns::caching::Caching;
use crate::dns::heard::{Asker, Hello};
use crate::exchange::names;
use crate::findings::{ALL, Diagnosis, EVERY, Weight, diagnose, found};
use crate::kubernetes::by_hand_tests::{assert_leads, hostile};
use crate::observe::details::Details;
use crate::observe::dns::DnsServer;
use crate::observe::path::{Connection, Path, Served};
use crate::observe::{Reason, Snapshot};
use crate::text::Command;

/// A day after the pod became ready.
const LATER: &str = "2026-11-24T20:00:00Z";

fn heard(facts: &Facts, lie: impl Fn(&str, Kind) -> Option<Answer>) -> Reading<Heard> {
    let asker = Asker { pod: "backend-1".to_owned(), policy: "ClusterFirst".to_owned(), server: None };
    let answers = answers(facts, &[], lie);
    let caching = Caching::For(Duration::from_secs(30));
    Reading::Present(Heard { asker, hello: Hello::default(), domain: None, answers, walks: Vec::new(), caching })
}

fn names_of(heard: Reading<Heard>) -> Names {
    Names { pod: Some("backend-1".to_owned()), heard, server: Reading::NotAsked }
}

fn diagnosed(snapshot: &Snapshot, details: &Details, names: &Names, now: &str) -> Vec<Diagnosis> {
    let by_hand = &hostile();
    let observed = Observed { snapshot, details, namespace: "alice", by_hand, now: now.parse().unwrap() };
    let all = with_names(&observed, names, &EVERY, found(&observed, ALL));
    for finding in &all {
        assert!(assert_leads(&finding.hint, by_hand) > 0, "{finding:?}");
    }
    diagnose(&all)
}

/// The codes of what is found in this world by this lie, each with what it brings about.
fn codes(world: &World, lie: impl Fn(&str, Kind) -> Option<Answer>) -> Vec<(&'static str, Vec<&'static str>)> {
    let names = names_of(heard(&world.facts(), lie));
    let all = diagnosed(&world.snapshot(), &Details::default(), &names, LATER);
    let of = |it: &Diagnosis| (it.finding.cause.id, it.consequences.iter().map(|it| it.cause.id).collect());
    all.iter().map(of).collect()
}

#[test]
fn nothing_is_found_where_names_are_right() {
    assert_eq!(codes(&World::new(), truthful), []);
}

#[test]
fn what_names_show_is_below_what_brings_it_about() {
    let mut world = World::new();
    world.set["spec"]["replicas"] = 0.into();
    world.set["status"] = json!({ "replicas": 0 });
    world.slice["endpoints"] = json!([]);
    world.pod = Value::Null;
    let found = codes(&world, nothing_of_postgres);
    assert!(found.len() == 1 && found[0].0 == "KC040" && found[0].1.contains(&"KC065"), "{found:?}");

    let mut world = World::new();
    world.services.remove(names::BACKEND_SERVICE);
    assert_eq!(codes(&world, truthful), [("KC001", vec!["KC062"])]);

    let mut world = World::new();
    world.pod["status"]["conditions"][0]["status"] = "False".into();
    world.slice["endpoints"][0]["conditions"]["ready"] = false.into();
    world.set["status"]["readyReplicas"] = 0.into();
    let found = codes(&world, nothing_of_postgres);
    assert!(found.len() == 1 && found[0].1.contains(&"KC068"), "{found:?}");
}

#[test]
fn what_objects_and_names_both_show_is_said_once() {
    let mut world = World::new();
    let headless = world.services.get_mut(names::POSTGRES_SERVICE).unwrap();
    headless["spec"]["selector"] = json!({ "app": "postgers" });
    world.slice["endpoints"] = json!([]);
    let found = codes(&world, nothing_of_postgres);
    assert!(found.len() == 1 && found[0].0 == "KC050" && !found[0].1.contains(&"KC050"), "{found:?}");
}

/// What the objects alone say.
fn by_objects(snapshot: &Snapshot) -> Vec<Diagnosis> {
    diagnosed(snapshot, &Details::default(), &Names::default(), LATER)
}

#[test]
fn a_service_with_an_address_is_found_without_dns() {
    let mut world = World::new();
    world.services.insert(names::POSTGRES_SERVICE, service(names::POSTGRES_SERVICE, "10.96.0.40"));
    let found = by_objects(&world.snapshot());
    assert!(found.len() == 1 && found[0].finding.cause.id == "KC066", "{found:?}");
    assert!(by_objects(&World::new().snapshot()).is_empty());
    let unread = Reading::Unknown(Reason::Failed("no".to_owned()));
    let mut snapshot = world.snapshot();
    snapshot.services.insert(names::POSTGRES_SERVICE.to_owned(), unread);
    assert!(by_objects(&snapshot).iter().all(|it| it.finding.cause.id != "KC066"));
}

#[test]
fn a_set_that_names_no_service_that_exists_is_found_without_dns() {
    let mut world = World::new();
    world.set["spec"]["serviceName"] = "postgres".into();
    let with = |reading: Option<Reading<_>>| {
        let mut snapshot = world.snapshot();
        snapshot.services.extend(reading.map(|reading| ("postgres".to_owned(), reading)));
        by_objects(&snapshot)
    };
    let found = with(Some(Reading::Absent));
    assert!(found.len() == 1 && found[0].finding.cause.id == "KC063", "{found:?}");
    assert!(found[0].finding.says.contains("postgres as its Service, which does not exist"), "{found:?}");
    let commands: Vec<String> = found[0].finding.hint.commands().map(Command::line).collect();
    assert!(
        commands[0].starts_with("kubectl delete statefulset/postgres '--cascade=foreground' -n alice"),
        "{commands:?}"
    );
    assert!(commands[1].contains("deploy"), "{commands:?}");
    let other = serde_json::from_value(service("postgres", "None")).unwrap();
    assert!(with(Some(Reading::Present(other))).is_empty());
    assert!(with(None).is_empty());
    let unread = with(Some(Reading::Unknown(Reason::Forbidden("no".to_owned()))));
    assert!(unread.iter().all(|it| it.finding.weight == Weight::Unknown), "{unread:?}");
}

#[test]
fn a_set_without_a_service_name_has_no_names_of_pods_to_miss() {
    for name in [Value::Null, "".into()] {
        let mut world = World::new();
        world.set["spec"]["serviceName"] = name;
        let lie = |name: &str, kind: Kind| {
            (name.starts_with("postgres-0") || matches!(kind, Kind::Srv | Kind::Ptr)).then_some(Answer::NoSuchName)
        };
        assert_eq!(codes(&world, lie), []);
    }
}

fn answered() -> Details {
    let database = Served {
        host: String::new(),
        started_at: jiff::Timestamp::UNIX_EPOCH,
        role: "postgres".to_owned(),
        read_only: false,
        in_recovery: false,
        wallets_table: true,
        missing_privileges: Vec::new(),
    };
    let connection = Connection { backend: "backend-1".to_owned(), database };
    Details { path: Reading::Present(Path::Answered(connection)), ..Details::default() }
}

#[test]
fn an_older_answer_is_only_news_while_requests_are_answered() {
    let world = World::new();
    let lie = |name: &str, kind: Kind| (name.contains("postgres") && kind != Kind::Srv).then(|| address(OLD));
    let names = names_of(heard(&world.facts(), lie));
    let soon = "2026-11-23T20:00:20Z";
    for (details, weight) in [(Details::default(), Weight::NotYet), (answered(), Weight::Ongoing)] {
        let found = diagnosed(&world.snapshot(), &details, &names, soon);
        assert_eq!((found.len(), found[0].finding.cause.id, found[0].finding.weight), (1, "KC093", weight));
    }
    // What does not pass is told whatever else works.
    let found = diagnosed(&world.snapshot(), &answered(), &names, LATER);
    assert_eq!((found[0].finding.cause.id, found[0].finding.weight), ("KC094", Weight::Problem));
}

#[test]
fn that_dns_was_not_asked_is_said_unless_something_is_wrong_with_the_pod() {
    let forbidden = || Reading::Unknown(Reason::Forbidden("no exec".to_owned()));
    let failed = || Reading::Unknown(Reason::Failed("it has no nc, bash or python3".to_owned()));
    for (reading, words) in [
        (forbidden(), "you may not run a program in pod/backend-1"),
        (failed(), "pod/backend-1: it has no nc, bash or python3"),
        (Reading::Absent, "no pod of backend is running"),
    ] {
        let found = diagnosed(&World::new().snapshot(), &Details::default(), &names_of(reading), LATER);
        let [it] = &found[..] else { panic!("{found:?}") };
        assert_eq!((it.finding.cause.id, it.finding.weight), ("KC003", Weight::Unknown), "{it:?}");
        assert!(it.finding.says.contains(words), "{it:?}");
    }
    assert!(by_objects(&World::new().snapshot()).is_empty());
    let mut world = World::new();
    world.backend["spec"]["replicas"] = 0.into();
    let found = diagnosed(&world.snapshot(), &Details::default(), &names_of(Reading::Absent), LATER);
    assert!(found.len() == 1 && found[0].finding.cause.id == "KC040", "{found:?}");
}

#[test]
fn a_dns_server_without_a_ready_pod() {
    let world = World::new();
    let silence = |_: &str, _| Some(Answer::Silence("connection refused".to_owned()));
    let silent = || heard(&world.facts(), silence);
    let right = || heard(&world.facts(), truthful);
    let server = |desired, pods, ready| Reading::Present(DnsServer { desired, pods, ready });
    for (server, heard, wanted) in [
        (server(Some(0), 0, 0), silent(), Some(Weight::Problem)),
        (server(Some(2), 2, 0), silent(), Some(Weight::Problem)),
        (server(None, 1, 0), silent(), Some(Weight::Problem)),
        (server(Some(2), 2, 0), right(), Some(Weight::Warning)),
        (server(Some(2), 0, 0), Reading::Absent, Some(Weight::Warning)),
        // One that nobody asks: names resolve without it.
        (server(Some(0), 0, 0), right(), None),
        (server(Some(0), 0, 0), Reading::NotAsked, None),
        (server(Some(2), 2, 1), silent(), None),
        (server(Some(2), 2, 2), right(), None),
        // Another server, and one that may not be seen.
        (Reading::Absent, silent(), None),
        (Reading::Unknown(Reason::Forbidden("no".to_owned())), silent(), None),
        (Reading::NotAsked, right(), None),
    ] {
        let names = Names { server, ..names_of(heard) };
        let found = diagnosed(&world.snapshot(), &Details::default(), &names, LATER);
        let away = found.iter().find(|it| it.finding.cause.id == "KC095");
        assert_eq!(away.map(|it| it.finding.weight), wanted, "{names:?}");
        if let Some(it) = away.filter(|_| wanted == Some(Weight::Problem)) {
            assert_eq!(it.consequences.iter().map(|it| it.cause.id).collect::<Vec<_>>(), ["KC061"]);
            assert_eq!(found.len(), 1, "{found:?}");
        }
    }
}

#[test]
fn a_finding_shows_the_answers_that_it_was_judged_by() {
    let world = World::new();
    let names = names_of(heard(&world.facts(), |_, _| Some(Answer::Silence("refused".to_owned()))));
    let found = diagnosed(&world.snapshot(), &Details::default(), &names, LATER);
    let facts = heard::of(&names, &found[0].finding);
    assert!(facts.len() == 5 && facts[0] == "asked from pod/backend-1, which asks nobody", "{facts:?}");
    assert!(facts[1].contains("no answer (refused); it should be 10.244.0.7"), "{facts:?}");
    let other = Finding { cause: ALL[0], ..found[0].finding.clone() };
    assert!(heard::of(&names, &other).is_empty());
}
