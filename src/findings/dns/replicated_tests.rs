//! The names of a replicated database: several members, and Services that lead to some of them.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::Service;
use serde_json::{Value, json};

use super::tests::{DOMAIN, World, address, answers, is_explained, judge, judge_with, service, truthful};
use super::*;
use crate::dns::answer::{Answer, Expected, Kind, Record};
use crate::dns::caching::Caching;
use crate::dns::names::{as_an_application, of_the_server};
use crate::exchange::names;
use crate::observe::{Member, Snapshot};

const MEMBERS: [&str; 3] = ["10.244.0.10", "10.244.0.11", "10.244.0.12"];

/// A healthy replicated database, to be spoilt. The first member is the primary.
struct Replicated {
    set: Value,
    pods: Vec<Value>,
    services: Vec<(&'static str, Value)>,
    slices: Vec<Value>,
    hosts: &'static str,
}

fn pod(number: usize, address: &str) -> Value {
    json!({ "metadata": { "name": format!("postgres-{number}"), "labels": { "app": "postgres" } },
            "status": { "phase": "Running", "podIP": address, "podIPs": [{ "ip": address }], "conditions": [
                { "type": "Ready", "status": "True", "lastTransitionTime": "2026-11-23T20:00:00Z" }] } })
}

fn slice(service: &str, addresses: &[&str]) -> Value {
    let endpoint = |address: &&str| json!({ "addresses": [address], "conditions": { "ready": true } });
    json!({ "metadata": { "name": service, "labels": { "kubernetes.io/service-name": service },
                "managedFields": [{ "manager": "kube-controller-manager", "time": "2026-11-23T20:00:00Z" }] },
            "addressType": "IPv4", "ports": [{ "name": "postgres", "port": 5432 }],
            "endpoints": addresses.iter().map(endpoint).collect::<Vec<_>>() })
}

impl Replicated {
    fn new() -> Self {
        let mut headless = service(names::POSTGRES_SERVICE, "None");
        headless["spec"]["publishNotReadyAddresses"] = true.into();
        Self {
            set: json!({ "metadata": { "name": "postgres" },
                "spec": { "replicas": 3, "serviceName": "postgres-headless", "selector": {}, "template": {} } }),
            pods: MEMBERS.iter().enumerate().map(|(number, address)| pod(number, address)).collect(),
            services: vec![
                (names::POSTGRES_SERVICE, headless),
                (names::PRIMARY_SERVICE, service(names::PRIMARY_SERVICE, "10.96.0.40")),
                (names::REPLICAS_SERVICE, service(names::REPLICAS_SERVICE, "10.96.0.50")),
            ],
            slices: vec![
                slice(names::POSTGRES_SERVICE, &MEMBERS),
                slice(names::PRIMARY_SERVICE, &MEMBERS[..1]),
                slice(names::REPLICAS_SERVICE, &MEMBERS[1..]),
            ],
            hosts: "postgres-primary,postgres-headless",
        }
    }

    fn snapshot(&self) -> Snapshot {
        let mut world = World::new();
        *world.backend.pointer_mut("/spec/template/spec/containers/0/env/0/value").unwrap() = self.hosts.into();
        let mut snapshot = world.snapshot();
        snapshot.statefulset = Reading::Present(serde_json::from_value::<StatefulSet>(self.set.clone()).unwrap());
        snapshot.pods = Reading::Present(serde_json::from_value(self.pods.clone().into()).unwrap());
        snapshot.endpoints = Reading::Present(serde_json::from_value(self.slices.clone().into()).unwrap());
        snapshot.members =
            (0..3).map(names::member).map(|(pod, claim)| Member::new((pod.as_str(), claim.as_str()))).collect();
        snapshot.services.extend([names::POSTGRES_SERVICE, names::PRIMARY_SERVICE, names::REPLICAS_SERVICE].map(
            |name| {
                let found = self.services.iter().find(|(own, _)| *own == name);
                let found = found.map(|(_, service)| serde_json::from_value::<Service>(service.clone()).unwrap());
                (name.to_owned(), found.map_or(Reading::Absent, Reading::Present))
            },
        ));
        let backend = serde_json::from_value::<Deployment>(world.backend).unwrap();
        snapshot.deployments = [(names::BACKEND.to_owned(), Reading::Present(backend))].into();
        snapshot
    }

    fn facts(&self) -> Facts {
        Facts::new("alice", &self.snapshot())
    }

    /// Makes a pod one that has just started.
    fn starts(&mut self, number: usize, has_address: bool) {
        let status = &mut self.pods[number]["status"];
        status["conditions"][0]["status"] = "False".into();
        if !has_address {
            status["podIP"] = Value::Null;
            status["podIPs"] = Value::Null;
        }
    }
}

fn all_names(of: &[&str]) -> Answer {
    Answer::Records(of.iter().map(|name| Record::Name(format!("{name}.alice.svc.{DOMAIN}"))).collect())
}

fn all_addresses(of: &[&str]) -> Answer {
    Answer::Records(of.iter().map(|one| Record::from(*one)).collect())
}

const BACK: &str = "10.0.244.10.in-addr.arpa";

/// The DNS server as it is: with the names that it has for the address of the first member.
fn back<'a>(names: &'a [&'a str]) -> impl Fn(&str, Kind) -> Option<Answer> + 'a {
    move |name, _| (name == BACK).then(|| all_names(names))
}

#[test]
fn every_service_of_a_replicated_database_is_asked_for() {
    let facts = Replicated::new().facts();
    let mut all = answers(&facts, &[], truthful);
    let findings = judge(&facts, &mut all);
    assert!(findings.is_empty() && holds(&all, &findings), "{findings:?}");
    let expected = |questions: Vec<crate::dns::names::Question>, name: &str| {
        let found: Vec<_> = questions.into_iter().filter(|question| question.name == name).collect();
        assert_eq!(found.len(), usize::from(!found.is_empty()), "{found:?}");
        found.into_iter().next().map(|question| question.expected.to_string())
    };
    for (service, own) in [(names::PRIMARY_SERVICE, "10.96.0.40"), (names::REPLICAS_SERVICE, "10.96.0.50")] {
        // Also the one in DB_HOST: once.
        assert_eq!(expected(as_an_application(&facts, Some(DOMAIN), &[]), service).as_deref(), Some(own));
        let full = format!("{service}.alice.svc.{DOMAIN}");
        assert_eq!(expected(of_the_server(&facts, DOMAIN), &full).as_deref(), Some(own));
        let single = World::new().facts();
        assert_eq!(expected(as_an_application(&single, Some(DOMAIN), &[]), service), None);
        assert_eq!(expected(of_the_server(&single, DOMAIN), &full), None);
    }
}

#[test]
fn an_address_has_a_name_below_each_service_that_leads_to_it() {
    let facts = Replicated::new().facts();
    let own = "postgres-0.postgres-headless";
    for right in [
        &[own][..],
        &[own, "10-244-0-10.postgres-primary"],
        // As CoreDNS has it with `endpoint_pod_names`.
        &["postgres-0.postgres-primary", own],
    ] {
        let mut all = answers(&facts, &[], back(right));
        let findings = judge(&facts, &mut all);
        assert!(findings.is_empty() && holds(&all, &findings), "{right:?}: {findings:?}");
    }
    for wrong in [
        // Without its own name.
        &["10-244-0-10.postgres-primary"][..],
        // Below a Service that is there, and does not lead to it.
        &[own, "10-244-0-10.postgres-replicas"],
        &[own, "10-244-0-10.backend-service"],
        // Below none.
        &[own, "10-244-0-10.other"],
        &[own, "postgres-primary"],
        &[own, "postgres-1.postgres-headless"],
    ] {
        is_explained(&facts, &mut answers(&facts, &[], back(wrong)), "unexplained");
    }
}

#[test]
fn of_one_server_an_address_has_one_name() {
    let mut world = World::new();
    world.slice["metadata"]["labels"]["kubernetes.io/service-name"] = "other".into();
    let questions = of_the_server(&world.facts(), DOMAIN);
    let back = questions.iter().find(|question| question.kind == Kind::Ptr).unwrap();
    assert!(matches!(&back.expected, Expected::Records(records) if records.len() == 1), "{back:?}");
}

#[test]
fn a_change_of_the_primary_makes_answers_old_while_pods_stay_ready() {
    let mut world = Replicated::new();
    world.slices[1] = slice(names::PRIMARY_SERVICE, &MEMBERS[1..2]);
    world.slices[2] = slice(names::REPLICAS_SERVICE, &[MEMBERS[0], MEMBERS[2]]);
    world.slices[1]["metadata"]["managedFields"][0]["time"] = "2026-11-24T10:00:00Z".into();
    let facts = world.facts();
    let old = || back(&["postgres-0.postgres-headless", "10-244-0-10.postgres-primary"]);
    // What is kept of the cluster's names says nothing of addresses.
    for (now, code) in
        [("2026-11-24T10:00:20Z", "stale"), ("2026-11-24T10:01:00Z", "unexplained"), ("2026-11-23T20:00:20Z", "stale")]
    {
        let mut all = answers(&facts, &[], old());
        let findings = judge_with(&facts, &mut all, &Reading::NotAsked, Caching::No, now);
        assert_eq!(findings.iter().map(|finding| finding.cause.slug).collect::<Vec<_>>(), [code], "{now}");
    }
    // The address of a name is not kept then.
    let lie = |name: &str, _| name.starts_with("postgres-primary").then(|| address("10.96.0.41"));
    let mut all = answers(&facts, &[], lie);
    let findings = judge_with(&facts, &mut all, &Reading::NotAsked, Caching::No, "2026-11-24T10:00:20Z");
    assert_eq!(findings[0].cause.slug, "unexplained");
}

#[test]
fn a_member_that_starts_has_its_name_as_soon_as_it_has_an_address() {
    let mut world = Replicated::new();
    world.starts(1, true);
    let facts = world.facts();
    let mut all = answers(&facts, &[], truthful);
    let findings = judge(&facts, &mut all);
    assert!(findings.is_empty() && holds(&all, &findings), "{findings:?}");
    // Before that, and before its endpoint is written, it is only late.
    let others = [MEMBERS[0], MEMBERS[2]];
    let lie = move |name: &str, kind: Kind| match kind {
        _ if name.starts_with("postgres-1") => Some(Answer::NoSuchName),
        Kind::A | Kind::Any if name.starts_with("postgres-headless") => Some(all_addresses(&others)),
        _ => None,
    };
    world.slices[0] = slice(names::POSTGRES_SERVICE, &others);
    let facts = world.facts();
    let finding = is_explained(&facts, &mut answers(&facts, &[], lie), "not-published");
    assert_eq!(finding.says, "is not among the endpoints of postgres-headless yet");
    world.starts(1, false);
    let facts = world.facts();
    let finding = is_explained(&facts, &mut answers(&facts, &[], lie), "pod-not-ready");
    assert!(finding.object == "pod/postgres-1" && finding.says.contains("has no address yet"), "{finding:?}");
    world.pods.remove(1);
    let facts = world.facts();
    let mut all = answers(&facts, &[], lie);
    let findings = judge(&facts, &mut all);
    assert_eq!(
        findings.iter().map(|it| (it.cause.slug, it.object.as_str())).collect::<Vec<_>>(),
        [("pod-missing", "pod/postgres-1")]
    );
}

#[test]
fn members_that_leave_are_published_until_they_have_ended() {
    let mut world = Replicated::new();
    world.set["spec"]["replicas"] = 1.into();
    world.slices[0] = slice(names::POSTGRES_SERVICE, &MEMBERS[..2]);
    let facts = world.facts();
    assert_eq!(facts.leaving.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["postgres-1"]);
    let questions = of_the_server(&facts, DOMAIN);
    let expected = |kind: Kind| questions.iter().find(|it| it.kind == kind).unwrap().expected.to_string();
    assert_eq!(expected(Kind::A), MEMBERS[..2].join(","));
    assert!(expected(Kind::Srv).contains("postgres-1.") && !expected(Kind::Srv).contains("postgres-2."));
    assert!(judge(&facts, &mut answers(&facts, &[], truthful)).is_empty());
}

#[test]
fn a_replicated_database_that_is_scaled_to_0_is_started_with_all_its_members() {
    let mut world = Replicated::new();
    world.set["spec"]["replicas"] = 0.into();
    world.pods.clear();
    world.slices.iter_mut().for_each(|slice| slice["endpoints"] = json!([]));
    let facts = world.facts();
    let mut all = answers(&facts, &[], truthful);
    let finding = is_explained(&facts, &mut all, "no-replicas");
    assert!(finding.hint.to_string().contains("--replicas=3"), "{finding:?}");
    // The Services have their addresses all the same.
    let of_primary = |it: &&Answered| it.question.service.as_deref() == Some(names::PRIMARY_SERVICE);
    assert!(all.iter().filter(of_primary).count() > 1);
    assert!(all.iter().filter(of_primary).all(|it| it.verdict == Verdict::Ok), "{all:?}");
}

#[test]
fn a_headless_service_of_several_members_that_is_none() {
    let mut world = Replicated::new();
    world.services[0].1 = service(names::POSTGRES_SERVICE, "10.96.0.60");
    let facts = world.facts();
    let lie = |name: &str, kind: Kind| {
        (name.starts_with("postgres-headless") && kind != Kind::Aaaa).then(|| address("10.96.0.60"))
    };
    is_explained(&facts, &mut answers(&facts, &[], lie), "not-headless");
}

#[test]
fn a_service_of_a_replicated_database_is_missed() {
    for name in names::REPLICATED_SERVICES {
        let mut world = Replicated::new();
        world.services.retain(|(own, _)| *own != name);
        let facts = world.facts();
        let finding = is_explained(&facts, &mut answers(&facts, &[], truthful), "service-missing");
        assert_eq!((finding.app, finding.object), (names::POSTGRES, format!("service/{name}")));
        assert!(finding.hint.to_string().contains("deploy --ha"), "{}", finding.hint);
    }
    let facts = World::new().facts();
    assert!(judge(&facts, &mut answers(&facts, &[], truthful)).is_empty());
}

#[test]
fn names_of_a_replicated_database_that_people_mistake() {
    let facts = Replicated::new().facts();
    let mut all = answers(&facts, &["postgres-primry", "postgres-primary.bob", "postgres-replicas.alice"], truthful);
    let findings = judge(&facts, &mut all);
    let said: Vec<_> = findings.iter().map(|finding| (finding.cause.slug, finding.object.as_str())).collect();
    assert_eq!(said, [("no-such-name", "postgres-primry"), ("wrong-namespace", "postgres-primary.bob")]);
    assert!(findings[0].says.contains("did you mean postgres-primary?"), "{findings:?}");
    // Of one server they are names like any other.
    let facts = World::new().facts();
    let mut all = answers(&facts, &["postgres-primary.bob"], truthful);
    assert_eq!(judge(&facts, &mut all)[0].cause.slug, "no-such-name");
}

#[test]
fn each_name_that_the_backend_is_told_is_looked_up() {
    let mut world = Replicated::new();
    world.hosts = "postgres-primary.alice,postgres-headles";
    let facts = world.facts();
    let asked = as_an_application(&facts, Some(DOMAIN), &[]);
    let of = |name: &str| asked.iter().find(|question| question.name == name).unwrap();
    assert_eq!(of("postgres-primary.alice").expected.to_string(), "10.96.0.40");
    let lie = |name: &str, _| (name == "postgres-headles").then_some(Answer::NoSuchName);
    let finding = is_explained(&facts, &mut answers(&facts, &[], lie), "database-host");
    assert!(finding.says.contains("did you mean postgres-headless?"), "{finding:?}");
}
