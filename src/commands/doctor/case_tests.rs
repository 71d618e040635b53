//! What holds of every case, whatever is missing in it.

use serde_json::{Value, json};

use super::*;
use crate::commands::doctor::report::{Asked, Doctor};
use crate::commands::doctor::view;
use crate::findings::{Depth, Health};

const HEALTHY: &str = include_str!("../../../tests/findings/healthy/case.json");

/// One with a cause, consequences and an event.
const CRASHING: &str = include_str!("../../../tests/findings/KC023/case.json");

fn of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// What comes of a case, after everything that is told of it was made up; none if it is refused.
fn look(case: &Value) -> Option<Look> {
    let (place, look) = judged(Case::parse(&case.to_string()).ok()?, Scope::from(Depth::Around));
    let doctor = Doctor::new(&place, &look, Asked { evidence: true, ..Asked::default() });
    assert!(!view::lines(&doctor, true).is_empty());
    Some(look)
}

fn health(case: &Value) -> Option<Health> {
    look(case).map(|look| look.health)
}

/// Where each value of a document stands, as JSON pointers.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    let parts: Vec<(String, &Value)> = match value {
        Value::Object(object) => {
            object.iter().map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value)).collect()
        }
        Value::Array(items) => items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect(),
        _ => Vec::new(),
    };
    for (key, value) in parts {
        let at = format!("{at}/{key}");
        pointers(value, &at, all);
        all.push(at);
    }
}

/// The same without the value that stands there.
fn without(mut document: Value, pointer: &str) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Object(object) => drop(object.remove(&key.replace("~1", "/").replace("~0", "~"))),
        Value::Array(items) => drop(items.remove(key.parse().unwrap())),
        other => panic!("{other} has no parts"),
    }
    document
}

#[test]
fn no_case_is_too_damaged_to_be_judged_or_refused() {
    for case in [HEALTHY, CRASHING].map(of) {
        let mut all = Vec::new();
        pointers(&case, "", &mut all);
        assert!(all.len() > 400, "only {} parts were found", all.len());
        for pointer in all {
            health(&without(case.clone(), &pointer));
            let mut null = case.clone();
            *null.pointer_mut(&pointer).unwrap() = Value::Null;
            health(&null);
        }
    }
}

#[test]
fn nothing_can_be_absent_in_what_is_healthy() {
    let healthy = of(HEALTHY);
    assert_eq!(health(&healthy), Some(Health::Healthy));
    let mut all = Vec::new();
    pointers(&healthy, "", &mut all);
    let part_of_a_list = |pointer: &str| {
        let list = pointer.rsplit_once('/').map(|(list, _)| list);
        matches!(list, Some("/snapshot/pods/value" | "/snapshot/endpoints/value" | "/snapshot/members"))
    };
    let mut count = 0;
    // A list of pods or endpoints is never absent, but empty.
    let is_of_the_exchange = |pointer: &String| {
        let is_list = ["/snapshot/pods", "/snapshot/endpoints"].contains(&pointer.as_str());
        !is_list && ["/snapshot/", "/details/configuration/"].iter().any(|it| pointer.starts_with(it))
    };
    for pointer in all.into_iter().filter(is_of_the_exchange) {
        let broken = if part_of_a_list(&pointer) {
            without(healthy.clone(), &pointer)
        } else if healthy.pointer(&format!("{pointer}/state")).is_some_and(|state| state == "present") {
            let mut absent = healthy.clone();
            *absent.pointer_mut(&pointer).unwrap() = json!({ "state": "absent" });
            absent
        } else {
            continue;
        };
        count += 1;
        // An endpoint that is missing while requests are answered is only news.
        let may_be_news = pointer.starts_with("/snapshot/endpoints/");
        let is_told = |look: Look| !look.health.holds() || may_be_news && !look.diagnoses.is_empty();
        assert!(look(&broken).is_none_or(is_told), "without {pointer}");
    }
    assert!(count >= 16, "only {count} objects were found");
}

#[test]
fn a_case_of_an_older_version_is_read_and_what_it_lacks_is_not_healthy() {
    let healthy = of(HEALTHY);
    for key in healthy["details"].as_object().unwrap().keys() {
        assert!(health(&without(healthy.clone(), &format!("/details/{key}"))).is_some(), "without {key}");
    }
    let mut oldest = without(healthy, "/snapshot/networkPolicy");
    oldest["details"] = json!({});
    assert_eq!(health(&oldest), Some(Health::Unknown));
}

#[test]
fn hints_of_a_case_lead_to_its_namespace_and_no_context() {
    let (_, look) = judged(Case::parse(CRASHING).unwrap(), Scope::from(Depth::Around));
    let hint = look.diagnoses[0].finding.hint.to_string();
    assert!(hint.ends_with("kubectl logs backend-1 --previous -n alice"), "{hint}");
}
