use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use serde_json::{Value, json};

use super::mistaken::distance;
use super::*;
use crate::dns::answer::{Answer, Expected, Kind, Record};
use crate::dns::caching::Caching;
use crate::dns::heard::Asker;
use crate::dns::names::{View, as_an_application, of_the_server};
use crate::exchange::names;
use crate::findings::Weight;
use crate::kubernetes::by_hand_tests::{assert_leads, hostile};
use crate::observe::dns::DnsServer;
use crate::observe::{Reason, Snapshot};

pub const DOMAIN: &str = "kube.test";
const POD: &str = "10.244.0.7";
pub const OLD: &str = "10.244.0.6";

/// The objects of a healthy exchange in the namespace `alice`, to be spoilt.
pub struct World {
    pub set: Value,
    pub pod: Value,
    pub services: BTreeMap<&'static str, Value>,
    pub slice: Value,
    pub backend: Value,
}

pub fn service(name: &str, address: &str) -> Value {
    json!({ "metadata": { "name": name, "creationTimestamp": "2026-11-23T10:00:00Z" },
            "spec": { "clusterIP": address, "clusterIPs": [address], "ipFamilies": ["IPv4"],
                      "selector": { "app": name.split('-').next() },
                      "ports": [{ "name": "postgres", "port": 5432, "protocol": "TCP" }] } })
}

fn behind_the_backend() -> EndpointSlice {
    let slice = json!({ "metadata": { "labels": { "kubernetes.io/service-name": "backend-service" } },
        "addressType": "IPv4",
        "endpoints": [{ "addresses": ["10.244.0.9"], "targetRef": { "kind": "Pod", "name": "backend-1" } }] });
    serde_json::from_value(slice).unwrap()
}

impl World {
    pub fn new() -> Self {
        Self {
            set: json!({ "metadata": { "name": "postgres", "generation": 1 },
                "status": { "observedGeneration": 1, "replicas": 1, "readyReplicas": 1 },
                "spec": { "replicas": 1, "serviceName": "postgres-headless", "selector": {}, "template": {} } }),
            pod: json!({ "metadata": { "name": "postgres-0", "labels": { "app": "postgres" } },
                "status": { "phase": "Running", "podIP": POD, "podIPs": [{ "ip": POD }], "conditions": [
                    { "type": "Ready", "status": "True", "lastTransitionTime": "2026-11-23T20:00:00Z" }] } }),
            services: [
                (names::POSTGRES_SERVICE, service(names::POSTGRES_SERVICE, "None")),
                (names::BACKEND_SERVICE, service(names::BACKEND_SERVICE, "10.96.0.20")),
                (names::FRONTEND_SERVICE, service(names::FRONTEND_SERVICE, "10.96.0.30")),
            ]
            .into(),
            slice: json!({ "metadata": { "name": "a", "labels": { "kubernetes.io/service-name": "postgres-headless" } },
                "addressType": "IPv4", "ports": [{ "name": "postgres", "port": 5432 }],
                "endpoints": [{ "addresses": [POD], "conditions": { "ready": true } }] }),
            backend: json!({ "metadata": { "name": "backend", "generation": 1 },
                "status": { "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1 }, "spec": { "selector": {}, "template": { "spec": {
                "containers": [{ "name": "backend", "env": [{ "name": "DB_HOST", "value": "postgres-headless" }] }] } } } }),
        }
    }

    pub fn facts(&self) -> Facts {
        Facts::new("alice", &self.snapshot())
    }

    pub fn snapshot(&self) -> Snapshot {
        let backend = json!({ "metadata": { "name": "backend-1", "labels": { "app": "backend" } },
            "status": { "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] } });
        let pods = [&self.pod, &backend].into_iter().filter(|pod| !pod.is_null()).cloned();
        let pods: Vec<Pod> = serde_json::from_value(pods.collect()).unwrap();
        let set: Option<StatefulSet> = serde_json::from_value(self.set.clone()).unwrap();
        let slice: EndpointSlice = serde_json::from_value(self.slice.clone()).unwrap();
        let backend: Deployment = serde_json::from_value(self.backend.clone()).unwrap();
        let services = names::SERVICES.map(|name| {
            let found: Option<Service> =
                self.services.get(name).map(|service| serde_json::from_value(service.clone()).unwrap());
            (name.to_owned(), found.map_or(Reading::Absent, Reading::Present))
        });
        Snapshot {
            statefulset: set.map_or(Reading::Absent, Reading::Present),
            pods: Reading::Present(pods),
            services: services.into(),
            endpoints: Reading::Present(vec![slice, behind_the_backend()]),
            deployments: [("backend".to_owned(), Reading::Present(backend))].into(),
            ..Snapshot::default()
        }
    }
}

/// A DNS server that says what it should, but for the names that `lie` has another answer for.
pub fn answers(facts: &Facts, typed: &[&str], lie: impl Fn(&str, Kind) -> Option<Answer>) -> Vec<Answered> {
    let typed: Vec<String> = typed.iter().map(|name| (*name).to_owned()).collect();
    let mut questions = as_an_application(facts, Some(DOMAIN), &typed);
    questions.extend(of_the_server(facts, DOMAIN));
    let truth = |expected: &Expected| match expected {
        Expected::Records(records) | Expected::With { records, .. } => Answer::Records(records.clone()),
        Expected::NoRecord => Answer::NoRecord,
        _ => Answer::NoSuchName,
    };
    questions
        .into_iter()
        .map(|question| {
            let got = lie(&question.name, question.kind).unwrap_or_else(|| truth(&question.expected));
            Answered::new(question, got, Some(Duration::from_secs(12)), None)
        })
        .collect()
}

pub fn truthful(_: &str, _: Kind) -> Option<Answer> {
    None
}

pub fn nothing_of_postgres(name: &str, _: Kind) -> Option<Answer> {
    name.contains("postgres").then_some(Answer::NoSuchName)
}

pub fn address(address: &str) -> Answer {
    Answer::Records([Record::Address(address.parse::<IpAddr>().unwrap())].into())
}

/// Judges with the usual evidence: a day after the pod became ready, at a server that keeps nothing.
pub fn judge(facts: &Facts, answers: &mut [Answered]) -> Vec<Finding> {
    judge_with(facts, answers, &Reading::NotAsked, Caching::No, "2026-11-24T20:00:00Z")
}

pub fn judge_with(
    facts: &Facts,
    answers: &mut [Answered],
    dns: &Reading<DnsServer>,
    caching: Caching,
    now: &str,
) -> Vec<Finding> {
    let asker =
        Asker { pod: "backend-x".to_owned(), policy: "ClusterFirst".to_owned(), server: Some("10.96.0.10".to_owned()) };
    let by_hand = &hostile();
    let found =
        explain(&DnsEvidence { facts, by_hand, asker: &asker, dns, caching, now: now.parse().unwrap() }, answers);
    for finding in &found {
        assert!(assert_leads(&finding.hint, by_hand) > 0, "{finding:?}");
    }
    found
}

/// Asserts that it does not hold, for this reason, and that every answer that is wrong has a reason.
pub fn is_explained(facts: &Facts, answers: &mut [Answered], code: &str) -> Finding {
    let findings = judge(facts, answers);
    assert!(!holds(answers, &findings), "{findings:?}");
    assert!(
        answers.iter().filter(|answered| answered.is_wrong()).all(|answered| answered.why.is_some()),
        "{answers:?}"
    );
    let found = findings.iter().find(|finding| finding.cause.slug == code);
    found.unwrap_or_else(|| panic!("no {code} in {findings:?}")).clone()
}

#[test]
fn a_healthy_exchange_is_asked_for_everything_and_holds() {
    let facts = World::new().facts();
    let mut all = answers(&facts, &[], truthful);
    let findings = judge(&facts, &mut all);
    assert!(findings.is_empty() && holds(&all, &findings), "{findings:?}");
    let asked: Vec<(View, &str, Kind)> = all
        .iter()
        .map(|answered| (answered.question.view, answered.question.name.as_str(), answered.question.kind))
        .collect();
    for asked_for in [
        (View::Application, "postgres-headless", Kind::Any),
        (View::Application, "postgres-headless.alice", Kind::Any),
        (View::Application, "postgres-headless.alice.svc", Kind::Any),
        (View::Application, "postgres-headless.alice.svc.kube.test", Kind::Any),
        (View::Application, "postgres-0.postgres-headless.alice.svc.kube.test", Kind::Any),
        (View::Application, "backend-service", Kind::Any),
        (View::Application, "no-such-name.alice.svc.kube.test.", Kind::Any),
        (View::Server, "postgres-headless.alice.svc.kube.test", Kind::A),
        (View::Server, "postgres-headless.alice.svc.kube.test", Kind::Aaaa),
        (View::Server, "postgres-0.postgres-headless.alice.svc.kube.test", Kind::A),
        (View::Server, "_postgres._tcp.postgres-headless.alice.svc.kube.test", Kind::Srv),
        (View::Server, "7.0.244.10.in-addr.arpa", Kind::Ptr),
        (View::Server, "backend-service.alice.svc.kube.test", Kind::A),
        (View::Server, "no-such-name.alice.svc.kube.test", Kind::A),
    ] {
        assert!(asked.contains(&asked_for), "no {asked_for:?} in {asked:?}");
    }
}

#[test]
fn only_addresses_of_the_services_families_have_names() {
    let mut world = World::new();
    world.pod["status"]["podIPs"] = json!([{ "ip": POD }, { "ip": "fd00::7" }]);
    let asked = |world: &World| -> Vec<String> {
        let back = of_the_server(&world.facts(), DOMAIN).into_iter().filter(|question| question.kind == Kind::Ptr);
        back.map(|question| question.name).collect()
    };
    assert_eq!(asked(&world), ["7.0.244.10.in-addr.arpa"]);
    world.services.get_mut(names::POSTGRES_SERVICE).unwrap()["spec"]["ipFamilies"] = json!(["IPv4", "IPv6"]);
    assert_eq!(asked(&world).len(), 2);
}

#[test]
fn every_replica_has_its_name() {
    let mut world = World::new();
    world.set["spec"]["replicas"] = 3.into();
    world.set["spec"]["ordinals"] = json!({ "start": 0 });
    let facts = world.facts();
    let questions = of_the_server(&facts, DOMAIN);
    let of_pods =
        questions.iter().filter(|question| question.name.starts_with("postgres-") && question.kind == Kind::A);
    assert_eq!(of_pods.count(), 4, "{questions:?}");
    is_explained(&facts, &mut answers(&facts, &[], truthful), "pod-missing");
    world.set["spec"]["replicas"] = 1_000_000_000.into();
    assert!(of_the_server(&world.facts(), DOMAIN).len() < 100);
}

#[test]
fn a_pod_that_is_not_ready_is_not_published() {
    let mut world = World::new();
    world.pod["status"]["conditions"][0]["status"] = "False".into();
    world.slice["endpoints"][0]["conditions"]["ready"] = false.into();
    let facts = world.facts();
    let finding = is_explained(&facts, &mut answers(&facts, &[], nothing_of_postgres), "pod-not-ready");
    assert!(finding.weight == Weight::NotYet && finding.object == "pod/postgres-0", "{finding:?}");
    // Where the Service publishes it all the same, nothing is wrong.
    let headless = world.services.get_mut(names::POSTGRES_SERVICE).unwrap();
    headless["spec"]["publishNotReadyAddresses"] = true.into();
    world.slice["endpoints"][0]["conditions"]["ready"] = true.into();
    let facts = world.facts();
    let mut all = answers(&facts, &[], truthful);
    assert!(judge(&facts, &mut all).is_empty());
}

#[test]
fn a_pod_that_is_not_there_is_missed() {
    let mut world = World::new();
    world.pod = Value::Null;
    world.slice["endpoints"] = json!([]);
    let facts = world.facts();
    is_explained(&facts, &mut answers(&facts, &[], nothing_of_postgres), "pod-missing");
    world.set["spec"]["replicas"] = 0.into();
    let facts = world.facts();
    is_explained(&facts, &mut answers(&facts, &[], nothing_of_postgres), "no-replicas");
    world.set = Value::Null;
    let facts = world.facts();
    let mut all = answers(&facts, &[], nothing_of_postgres);
    let finding = is_explained(&facts, &mut all, "set-missing");
    assert!(finding.object == "statefulset/postgres" && finding.hint.to_string().contains("deploy"), "{finding:?}");
    let wrong = || all.iter().filter(|answered| answered.is_wrong());
    assert!(wrong().count() > 4 && wrong().all(|answered| answered.why == Some("set-missing")), "{all:?}");
}

#[test]
fn a_service_that_is_missing_fails_even_while_its_name_is_remembered() {
    for name in names::SERVICES {
        let mut world = World::new();
        world.services.remove(name);
        let facts = world.facts();
        let finding = is_explained(&facts, &mut answers(&facts, &[], truthful), "service-missing");
        assert_eq!(finding.object, format!("service/{name}"));
    }
}

#[test]
fn a_headless_service_that_is_none() {
    let mut world = World::new();
    world.services.insert(names::POSTGRES_SERVICE, service(names::POSTGRES_SERVICE, "10.96.0.40"));
    let facts = world.facts();
    let lie = |name: &str, kind: Kind| {
        (name.starts_with("postgres-headless") && kind != Kind::Aaaa).then(|| address("10.96.0.40"))
    };
    let finding = is_explained(&facts, &mut answers(&facts, &[], lie), "not-headless");
    assert!(finding.says.contains("10.96.0.40"), "{finding:?}");
}

#[test]
fn a_selector_that_matches_nothing() {
    let mut world = World::new();
    let headless = world.services.get_mut(names::POSTGRES_SERVICE).unwrap();
    headless["spec"]["selector"] = json!({ "app": "postgers" });
    world.slice["endpoints"] = json!([]);
    let facts = world.facts();
    let finding = is_explained(&facts, &mut answers(&facts, &[], nothing_of_postgres), "selector-matches-nothing");
    assert!(finding.says.contains("app=postgers"), "{finding:?}");
}

#[test]
fn a_set_that_names_another_service() {
    let mut world = World::new();
    world.set["spec"]["serviceName"] = "postgres".into();
    let facts = world.facts();
    let lie = |name: &str, _| name.starts_with("postgres-0").then_some(Answer::NoSuchName);
    is_explained(&facts, &mut answers(&facts, &[], lie), "service-name");
}

#[test]
fn endpoints_that_lag_behind() {
    let mut world = World::new();
    world.slice["endpoints"] = json!([]);
    let facts = world.facts();
    is_explained(&facts, &mut answers(&facts, &[], nothing_of_postgres), "not-published");
}

#[test]
fn a_silent_server_is_explained_by_its_pods() {
    let facts = World::new().facts();
    let silence = |_: &str, _| Some(Answer::Silence("Connection refused".to_owned()));
    let server = |desired, pods, ready| Reading::Present(DnsServer { desired: Some(desired), pods, ready });
    for (dns, words) in [
        (server(0, 0, 0), "scaled to 0"),
        (server(1, 0, 0), "has no pods"),
        (server(2, 2, 0), "0 of its 2 pods"),
        (server(2, 2, 1), "does not reach it"),
        (Reading::Absent, "has no pods"),
        (Reading::Unknown(Reason::Forbidden(String::new())), "you may not see"),
        (Reading::Unknown(Reason::Failed(String::new())), "does not answer"),
    ] {
        let mut all = answers(&facts, &[], silence);
        let findings = judge_with(&facts, &mut all, &dns, Caching::Unknown, "2026-11-24T20:00:00Z");
        assert_eq!(findings[0].cause.slug, "dns-silent");
        assert!(findings[0].says.contains(words), "no {words:?} in {findings:?}");
        assert!(!holds(&all, &findings));
    }
}

#[test]
fn a_pod_that_asks_elsewhere() {
    let facts = World::new().facts();
    for (policy, is_why) in [("Default", true), ("None", true), ("ClusterFirst", false)] {
        let asker = Asker { pod: "x".to_owned(), policy: policy.to_owned(), server: Some("192.0.2.1".to_owned()) };
        let evidence = DnsEvidence {
            facts: &facts,
            by_hand: &hostile(),
            asker: &asker,
            dns: &Reading::NotAsked,
            caching: Caching::Unknown,
            now: Timestamp::now(),
        };
        let findings = explain(&evidence, &mut answers(&facts, &[], nothing_of_postgres));
        assert_eq!(findings.iter().any(|finding| finding.cause.slug == "dns-policy"), is_why, "{policy}: {findings:?}");
        // Where all is well, whom it asks is its own affair.
        assert!(explain(&evidence, &mut answers(&facts, &[], truthful)).is_empty());
    }
}

#[test]
fn an_answer_from_before_is_old_for_a_while_and_then_a_riddle() {
    let facts = World::new().facts();
    let lie = |name: &str, kind: Kind| (name.contains("postgres") && kind != Kind::Srv).then(|| address(OLD));
    let kept = Caching::For(Duration::from_secs(30));
    for (caching, now, code) in [
        (kept, "2026-11-23T20:00:20Z", "stale"),
        (kept, "2026-11-23T20:01:00Z", "unexplained"),
        (Caching::No, "2026-11-23T20:00:02Z", "stale"),
        (Caching::No, "2026-11-23T20:00:20Z", "unexplained"),
        (Caching::Unknown, "2026-11-23T20:00:20Z", "stale"),
        (Caching::Unknown, "2026-11-23T20:01:00Z", "unexplained"),
        // The cluster's clock may be ahead.
        (kept, "2026-11-23T19:59:00Z", "stale"),
    ] {
        let mut all = answers(&facts, &[], lie);
        let findings = judge_with(&facts, &mut all, &Reading::NotAsked, caching, now);
        assert_eq!(findings.iter().map(|finding| finding.cause.slug).collect::<Vec<_>>(), [code], "{caching:?} {now}");
        assert!(!holds(&all, &findings), "not yet");
        let wrong = || all.iter().filter(|answered| answered.is_wrong());
        assert!(wrong().count() > 4 && wrong().all(|answered| answered.why == Some(code)));
        assert_eq!(wrong().all(|answered| answered.verdict == Verdict::Stale), code == "stale");
        assert_eq!(findings[0].hint.to_string().contains("--wait"), code == "stale");
    }
    let mut all = answers(&facts, &[], lie);
    let findings = judge_with(&facts, &mut all, &Reading::NotAsked, kept, "2026-11-23T20:00:20Z");
    assert!(findings[0].says.contains("caches answers for up to 30 s"), "{findings:?}");
    assert!(findings[0].says.contains("12 s more") && findings[0].says.contains("nothing is wrong"), "{findings:?}");
}

#[test]
fn names_that_people_mistake() {
    let facts = World::new().facts();
    let typed = ["postgres-headles", "postgres-headless.bob", "whatever", "postgres-headless"];
    let mut all = answers(&facts, &typed, truthful);
    let findings = judge(&facts, &mut all);
    let said: Vec<(&str, &str)> =
        findings.iter().map(|finding| (finding.cause.slug, finding.object.as_str())).collect();
    assert_eq!(
        said,
        [
            ("no-such-name", "postgres-headles"),
            ("wrong-namespace", "postgres-headless.bob"),
            ("no-such-name", "whatever")
        ]
    );
    assert!(findings[0].says.contains("did you mean postgres-headless?"), "{findings:?}");
    assert!(findings[1].says.contains("it is in alice"), "{findings:?}");
    assert!(!findings[2].says.contains("did you mean"), "{findings:?}");
    // Another name that is there is fine.
    let mut all = answers(&facts, &["kubernetes.default"], |name, _| {
        (name == "kubernetes.default").then(|| address("10.96.0.1"))
    });
    assert!(judge(&facts, &mut all).is_empty());
}

/// With a dot at its end a name is complete as it is, whatever the search list of the pod has.
#[test]
fn a_name_that_ends_in_a_dot_is_absolute() {
    let full = "postgres-headless.alice.svc.kube.test.";
    let facts = World::new().facts();
    let typed = ["postgres-headless.", "backend-service.alice.", "postgres-headles.alice.svc.kube.test.", full];
    let mut all = answers(&facts, &typed, truthful);
    let findings = judge(&facts, &mut all);
    let said: Vec<(&str, &str)> =
        findings.iter().map(|finding| (finding.cause.slug, finding.object.as_str())).collect();
    assert_eq!(
        said,
        [("absolute-name", typed[0]), ("absolute-name", typed[1]), ("no-such-name", typed[2])],
        "{findings:?}"
    );
    assert!(findings[0].says.contains("a dot at its end"), "{findings:?}");
    let without = hostile().own(["dns-check", "postgres-headless"]);
    assert_eq!(findings[0].hint, without.to("ask without the dot"));
    let absolute = all.iter().find(|answered| answered.question.name == full).unwrap();
    assert_eq!((absolute.got.clone(), absolute.verdict), (address(POD), Verdict::Ok));
    // The same for what the backend is told.
    let mut world = World::new();
    *world.backend.pointer_mut("/spec/template/spec/containers/0/env/0/value").unwrap() = "postgres-headless.".into();
    let facts = world.facts();
    let lie = |name: &str, _| (name == "postgres-headless.").then_some(Answer::NoSuchName);
    let finding = is_explained(&facts, &mut answers(&facts, &[], lie), "database-host");
    assert!(finding.says.contains("postgres-headless., which is not a full name"), "{finding:?}");
}

#[test]
fn a_name_of_elsewhere_is_none_of_the_exchange() {
    let facts = World::new().facts();
    let mut all = answers(&facts, &["postgres-headless.alice.example"], |name, _| {
        (name == "postgres-headless.alice.example").then(|| address("192.0.2.1"))
    });
    assert_eq!(judge(&facts, &mut all), []);
}

#[test]
fn a_backend_that_is_told_a_wrong_name() {
    let mut world = World::new();
    let variable = "/spec/template/spec/containers/0/env/0/value";
    *world.backend.pointer_mut(variable).unwrap() = "postgres-headles".into();
    let facts = world.facts();
    let lie = |name: &str, _| (name == "postgres-headles").then_some(Answer::NoSuchName);
    let finding = is_explained(&facts, &mut answers(&facts, &[], lie), "database-host");
    assert!(finding.says.contains("did you mean postgres-headless?"), "{finding:?}");
    // One that leads somewhere is no lie of the DNS server.
    let found = |name: &str, _| (name == "postgres-headles").then(|| address("192.0.2.1"));
    assert_eq!(judge(&facts, &mut answers(&facts, &[], found)), []);
    // What could not be a name, or is an address, is not looked up.
    for other in ["$(reboot)", "-x", "10.0.0.1", "a b"] {
        *world.backend.pointer_mut(variable).unwrap() = other.into();
        let facts = world.facts();
        assert!(as_an_application(&facts, None, &[]).iter().all(|question| question.name != other), "{other}");
    }
}

#[test]
fn what_may_not_be_read_is_no_failure_and_no_proof() {
    let forbidden = || Reading::Unknown(Reason::Forbidden("no".to_owned()));
    let facts = Facts { replicas: forbidden(), ..World::new().facts() };
    let mut all = answers(&facts, &[], |name, _| name.starts_with("postgres").then(|| address(POD)));
    let findings = judge(&facts, &mut all);
    assert!(findings.is_empty() && all.iter().all(|answered| !answered.is_wrong()), "{findings:?} {all:?}");
    assert!(!holds(&all, &findings));
}

#[test]
fn misspelt_by_so_many_letters() {
    for (one, other, letters) in
        [("", "", 0), ("abc", "abc", 0), ("abc", "abd", 1), ("abc", "ab", 1), ("abc", "xabcy", 2)]
    {
        assert_eq!(distance(one, other), letters, "{one} {other}");
    }
}
