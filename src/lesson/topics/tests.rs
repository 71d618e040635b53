//! Every topic on the recorded example, on nothing, and on what could not be read.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Service;

use super::shown::Table;
use super::*;
use crate::exchange::names;
use crate::observe::{Member, Reading, Reason, Snapshot};

fn recorded() -> Live {
    Live::recorded().unwrap()
}

fn forbidden<T>() -> Reading<T> {
    Reading::Unknown(Reason::Forbidden("pods is forbidden: User \"alice\" cannot list".to_owned()))
}

fn failed<T>() -> Reading<T> {
    Reading::Unknown(Reason::Failed("the server timed out".to_owned()))
}

/// An exchange of which nothing is known but this.
macro_rules! all {
    ($reading:expr) => {
        Live {
            namespace: "alice".to_owned(),
            snapshot: Snapshot {
                statefulset: $reading,
                pods: $reading,
                endpoints: $reading,
                members: vec![Member {
                    claim: $reading,
                    volume: $reading,
                    ..Member::new((names::POSTGRES_POD, names::CLAIM))
                }],
                services: names::SERVICES.map(|name| (name.to_owned(), $reading)).into(),
                deployments: names::DEPLOYMENTS.map(|name| (name.to_owned(), $reading)).into(),
                ..Snapshot::default()
            },
            classes: $reading,
        }
    };
}

/// All facts of a topic, a line each.
fn facts(topic: &Topic, live: &Live) -> Vec<String> {
    let fact = |shown| match shown {
        Shown::Fact(Fact { object, says, because }) => Some(format!("{object} {says} {because:?}")),
        Shown::Table(_) => None,
    };
    (topic.shows)(live).into_iter().filter_map(fact).collect()
}

fn tables(topic: &Topic, live: &Live) -> Vec<Table> {
    let table = |shown| match shown {
        Shown::Table(table) => Some(table),
        Shown::Fact(_) => None,
    };
    (topic.shows)(live).into_iter().filter_map(table).collect()
}

#[test]
fn each_topic_has_a_name_of_its_own_and_three_sentences() {
    let names: BTreeSet<_> = ALL.iter().map(|topic| topic.name).collect();
    assert_eq!(names.len(), ALL.len());
    for topic in ALL {
        assert_eq!(find(&topic.name.to_uppercase()).map(|found| found.name), Some(topic.name));
        for sentence in topic.idea {
            let ends = sentence.matches(['.', '!', '?']).count() - sentence.matches("POD.SERVICE").count();
            assert!(ends == 1 && sentence.ends_with('.'), "{sentence}");
        }
        assert!(!topic.by_hand.is_empty(), "{topic:?}");
    }
    assert!(find("").is_none());
}

#[test]
fn the_recorded_example_shows_every_topic() {
    for topic in ALL {
        let live = recorded();
        assert!(!facts(topic, &live).is_empty(), "{topic:?}");
        for table in tables(topic, &live) {
            assert!(!table.rows.is_empty(), "{topic:?}");
            for row in &table.rows {
                assert_eq!(row.len(), table.columns.len(), "{topic:?}: {row:?}");
            }
        }
        let all = format!("{:?} {:?}", facts(topic, &live), tables(topic, &live));
        assert!(!all.contains("not known") && !all.contains("unknown"), "{all}");
    }
}

#[test]
fn what_is_not_there_is_not_invented() {
    for live in [Live::default(), all!(Reading::Absent)] {
        for topic in ALL {
            assert_eq!(tables(topic, &live), [], "{topic:?}");
            for fact in facts(topic, &live) {
                assert!(fact.contains("does not exist") || fact.contains("was not read"), "{fact}");
            }
        }
    }
}

#[test]
fn what_could_not_be_read_is_named_with_the_reason() {
    for (live, reason) in [(all!(forbidden()), "you may not read it"), (all!(failed()), "the server timed out")] {
        for topic in ALL {
            assert_eq!(tables(topic, &live), [], "{topic:?}");
            let facts = facts(topic, &live);
            assert!(!facts.is_empty(), "{topic:?}");
            for fact in facts {
                assert!(fact.contains(&format!("is not known: {reason}")), "{fact}");
            }
        }
    }
}

#[test]
fn a_student_is_told_what_is_behind_the_claim_cannot_be_read() {
    let mut live = recorded();
    live.snapshot.members[0].volume = forbidden();
    live.classes = forbidden();
    let [volumes, classes] = ["pv-pvc", "storage-class"].map(|name| find(name).unwrap());
    let all = facts(volumes, &live);
    assert!(all.iter().any(|fact| fact.starts_with("pv/postgres-pv-alice is not known: you may not")), "{all:?}");
    assert!(all.iter().any(|fact| fact.contains("is bound to the volume postgres-pv-alice")), "{all:?}");
    assert!((volumes.not_shown)(&live)[0].starts_with("what is behind the claim"));
    assert!((classes.not_shown)(&live)[0].starts_with("which classes there are"));
}

fn set_address(live: &mut Live, service: &str, address: &str) {
    let Some(Reading::Present(Service { spec: Some(spec), .. })) = live.snapshot.services.get_mut(service) else {
        panic!("{service} is there")
    };
    spec.cluster_ip = Some(address.to_owned());
}

#[test]
fn a_service_that_is_not_headless_changes_what_is_said_of_it() {
    let topic = find("headless").unwrap();
    let mut live = recorded();
    let gives = |live: &Live| tables(topic, live)[0].rows[0][2].clone();
    let pod = live.set_pods().next().unwrap().status.as_ref().unwrap().pod_ip.clone().unwrap();
    assert_eq!(gives(&live), pod);
    assert!(facts(topic, &live)[0].contains("is headless: its name gives the addresses"));
    assert!(!(topic.not_shown)(&live)[0].contains("a headless Service"));

    set_address(&mut live, names::POSTGRES_SERVICE, "10.96.0.7");
    assert_eq!(gives(&live), "10.96.0.7");
    assert!(facts(topic, &live)[0].contains("is not headless: its name gives one virtual address"));
    assert!((topic.not_shown)(&live)[0].contains("a headless Service: none"));
}

#[test]
fn the_sentences_of_the_lesson_that_are_not_quite_true_are_qualified() {
    let idea = |name| find(name).unwrap().idea.join(" ");
    assert!(idea("rollout").contains("scaled down, and in a rolling update") && idea("rollout").contains("no order"));
    assert!(idea("level-1").contains("survives a restart of the container, and is lost when the pod is deleted"));
    for part in ["comes from the StatefulSet", "serviceName makes this name resolvable", "Service's own name give"] {
        assert!(idea("dns").contains(part), "{part}");
    }
}
