//! The manifests under somebody else's rules: those of kube-score.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::paths;
use crate::process::shown;
use crate::testbed::programs;

/// The oldest Kubernetes that the workflows test.
const KUBERNETES: &str = "v1.33";

/// What it finds that stays so, and why: the object, the rule, the reason.
const ACCEPTED: [(&str, &str, &str); 13] = [
    ("Deployment/backend", PULL, PULL_REASON),
    ("Deployment/frontend", PULL, PULL_REASON),
    ("StatefulSet/postgres", PULL, PULL_REASON),
    ("Deployment/backend", REPLICAS, REPLICAS_REASON),
    ("Deployment/frontend", REPLICAS, REPLICAS_REASON),
    ("Deployment/backend", POLICY, "anybody may ask the API: what is worth guarding is the database"),
    ("Deployment/frontend", POLICY, "the page is for everybody"),
    (
        "StatefulSet/postgres",
        POLICY,
        "it is about traffic that leaves: PostgreSQL calls nobody, and an egress rule would need the DNS too",
    ),
    (
        "StatefulSet/postgres",
        "container-security-context-user-group-id",
        "the official image starts as root to own the volume's folder; with dynamic storage it runs as its own user, 999",
    ),
    ("Service/postgres-primary", TARGETS, TARGETS_REASON),
    ("Service/postgres-replicas", TARGETS, TARGETS_REASON),
    (
        "StatefulSet/postgres",
        "statefulset-has-host-podantiaffinity",
        "of several members, topologySpreadConstraints spread them; of one server there is none to keep apart",
    ),
    (
        "Service/frontend-service",
        "service-type",
        "a learner's cluster rarely has an Ingress; --service-type ClusterIP is there",
    ),
];

const PULL: &str = "container-image-pull-policy";
const PULL_REASON: &str = "a laptop may be offline, and Always makes a pod wait for a registry that it does not need";
const REPLICAS: &str = "deployment-replicas";
const REPLICAS_REASON: &str = "the lesson is about the one pod that has the data; on a laptop each pod counts";
const POLICY: &str = "pod-networkpolicy";

const TARGETS: &str = "service-targets-pod";
const TARGETS_REASON: &str = "no template has the label `role`: Patroni gives it to each pod";

/// The grade of a rule that is kept.
const KEPT: u8 = 10;

/// An object as kube-score judges it.
#[derive(Deserialize)]
struct Scored {
    type_meta: Type,
    object_meta: Meta,
    checks: Vec<Check>,
}

#[derive(Deserialize)]
struct Type {
    kind: String,
}

#[derive(Deserialize)]
struct Meta {
    name: String,
}

#[derive(Deserialize)]
struct Check {
    #[serde(rename = "check")]
    rule: Rule,
    grade: u8,
    skipped: bool,
}

#[derive(Deserialize)]
struct Rule {
    id: String,
}

/// Fails for a rule that is broken and not accepted, and for an accepted one that is kept now.
pub fn check() -> Result<()> {
    let k8s = paths::workspace().join("k8s");
    let mut score = Command::new(programs::LINT.build()?.join("kube-score"));
    score.args(["score", "--kubernetes-version", KUBERNETES, "--output-format", "json"]);
    for folder in paths::entries(&k8s)? {
        score.args(paths::entries(&folder)?);
    }
    // Its exit code is 1 for whatever it finds.
    let ended = score.output().with_context(|| format!("cannot start `{}`", shown(&score)))?;
    let scored = serde_json::from_slice(&ended.stdout)
        .with_context(|| format!("`{}`: {}", shown(&score), String::from_utf8_lossy(&ended.stderr)))?;
    judge(&broken(scored))
}

/// The rules that are broken: the object, and the rule.
fn broken(scored: Vec<Scored>) -> BTreeSet<(String, String)> {
    let of = |object: Scored| {
        let name = format!("{}/{}", object.type_meta.kind, object.object_meta.name);
        let checks = object.checks.into_iter().filter(|check| check.grade < KEPT && !check.skipped);
        checks.map(move |check| (name.clone(), check.rule.id))
    };
    scored.into_iter().flat_map(of).collect()
}

fn judge(broken: &BTreeSet<(String, String)>) -> Result<()> {
    let accepted: BTreeSet<_> = ACCEPTED.map(|(object, rule, _)| (object.to_owned(), rule.to_owned())).into();
    let named = |all: Vec<&(String, String)>| -> String {
        all.into_iter().flat_map(|(object, rule)| ["\n  ", object, ": ", rule]).collect()
    };
    let (new, old) = (named(broken.difference(&accepted).collect()), named(accepted.difference(broken).collect()));
    ensure!(new.is_empty(), "kube-score finds something new; mend it, or accept it with a reason:{new}");
    ensure!(old.is_empty(), "kube-score does not find this any more, so it is not to be accepted:{old}");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scored(grade: u8, skipped: bool) -> BTreeSet<(String, String)> {
        let json = serde_json::json!([{
            "type_meta": { "kind": "Deployment" },
            "object_meta": { "name": "backend" },
            "checks": [{ "check": { "id": "pod-probes" }, "grade": grade, "skipped": skipped }],
        }]);
        broken(serde_json::from_value(json).unwrap_or_default())
    }

    #[test]
    fn a_rule_is_broken_below_its_best_grade() {
        assert_eq!(scored(5, false), BTreeSet::from([("Deployment/backend".to_owned(), "pod-probes".to_owned())]));
        assert_eq!(scored(10, false), BTreeSet::new());
        assert_eq!(scored(0, true), BTreeSet::new());
    }

    #[test]
    fn what_is_new_and_what_is_old_is_named() {
        let accepted: BTreeSet<_> = ACCEPTED.map(|(object, rule, _)| (object.to_owned(), rule.to_owned())).into();
        assert!(judge(&accepted).is_ok());
        let new = accepted.union(&scored(5, false)).cloned().collect();
        assert!(
            judge(&new)
                .is_err_and(|error| error.to_string().contains("new") && error.to_string().contains("pod-probes"))
        );
        let fewer = accepted.iter().skip(1).cloned().collect();
        assert!(judge(&fewer).is_err_and(|error| error.to_string().contains("any more")));
    }
}
