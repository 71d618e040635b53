//! What `deploy` applies of the workloads, and where one that is there differs from it.

use std::sync::LazyLock;

use k8s_openapi::api::core::v1::Pod;
use serde_json::{Map, Value, json};

use crate::exchange::names;
use crate::exchange::objects::Objects;
use crate::exchange::settings::{Settings, Storage};
use crate::observe::saved::REMOVED;

/// What people change on purpose, and what nothing depends on: the ends of paths.
const FREE: [&str; 18] = [
    // Flags of `deploy`, and `kubectl set image`.
    ".image",
    ".imagePullPolicy",
    // `kubectl scale`: another cause judges the number.
    ".replicas",
    // `kubectl set resources`: what is too little shows itself.
    ".resources",
    // Who updates pods: another cause judges it, and `rotate-password` sets it for a while.
    ".updateStrategy.type",
    // How patient a probe is, and not what it asks.
    ".periodSeconds",
    ".timeoutSeconds",
    ".failureThreshold",
    // How long an end may take.
    ".terminationGracePeriodSeconds",
    ".lifecycle",
    // How fast a volume is given to its group.
    ".fsGroupChangePolicy",
    // For people: nothing selects by it.
    ".app.kubernetes.io/name",
    // `rotate-password` gives the backend and the members other Secrets. Whether they are there is judged by another cause.
    "[DB_USER].valueFrom.secretKeyRef.name",
    "[DB_PASSWORD].valueFrom.secretKeyRef.name",
    "[PATRONI_RESTAPI_PASSWORD].valueFrom.secretKeyRef.name",
    "[PATRONI_SUPERUSER_PASSWORD].valueFrom.secretKeyRef.name",
    "[PATRONI_REPLICATION_PASSWORD].valueFrom.secretKeyRef.name",
    "[PATRONI_REWIND_PASSWORD].valueFrom.secretKeyRef.name",
];

/// What pods start and keep their data without: the ends of paths.
const MILD: [&str; 10] = [
    // What protects others from a program that was broken into.
    ".automountServiceAccountToken",
    ".allowPrivilegeEscalation",
    ".readOnlyRootFilesystem",
    ".runAsNonRoot",
    ".seccompProfile.type",
    ".capabilities.drop",
    // More variables, which nothing reads.
    ".enableServiceLinks",
    // Read when the data directory is created, and never again.
    "[POSTGRES_DB].value",
    "[POSTGRES_INITDB_ARGS].value",
    // `status` and `doctor` find pods by it, and requests do not.
    ".app.kubernetes.io/part-of",
];

/// Where the data is: parts of paths.
const OF_DATA: [&str; 3] = ["[PGDATA]", ".volumes[data]", ".volumeMounts[data]"];

/// Lists in which more may stand between what was applied: settings of the server.
const MORE: [&str; 1] = [".args"];

/// A value that is not as it was applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where: `spec.template.spec.containers[postgres].env[PGDATA].value`.
    pub path: String,
    pub applied: Value,
    /// None if there is nothing.
    pub there: Option<Value>,
}

impl Difference {
    /// Whether pods start and keep their data all the same.
    pub fn is_mild(&self) -> bool {
        ends_with_one(&self.path, &MILD)
    }

    /// Whether the data would be somewhere else.
    pub fn is_of_data(&self) -> bool {
        OF_DATA.iter().any(|part| self.path.contains(part))
    }
}

fn ends_with_one(path: &str, ends: &[&str]) -> bool {
    ends.iter().any(|end| path.ends_with(end))
}

/// The `spec` of each workload by its name, as `deploy` applies it with each kind of storage. Those that the cluster makes come
/// first: what they have beside the lesson's decides which of the two it is.
static APPLIED: LazyLock<Vec<Map<String, Value>>> = LazyLock::new(|| {
    let settings = |storage| Settings::of("", storage);
    // That a manifest is not what it should be is found by tests.
    let Ok(lessons) = Objects::new(&settings(Storage::Static { host_path: None, hostname: None })) else {
        return Vec::new();
    };
    // To read the manifests takes longer than all that is done with them.
    let mut made = lessons.clone();
    made.set_storage(&settings(Storage::Dynamic { class: None }));
    [made, lessons].iter().map(specs).collect()
});

/// The same of a replicated database. It is read only where there is one, or something was changed.
static REPLICATED: LazyLock<Map<String, Value>> = LazyLock::new(|| {
    let settings = Settings { members: Some(1), ..Settings::of("", Storage::Dynamic { class: None }) };
    Objects::new(&settings).map(|objects| specs(&objects)).unwrap_or_default()
});

fn specs(objects: &Objects) -> Map<String, Value> {
    let spec = |name: &str, value: serde_json::Result<Value>| Some((name.to_owned(), value.ok()?));
    let workloads = [
        spec(names::POSTGRES, serde_json::to_value(&objects.postgres.spec)),
        spec(names::BACKEND, serde_json::to_value(&objects.backend.spec)),
        spec(names::FRONTEND, serde_json::to_value(&objects.frontend.spec)),
    ];
    workloads.into_iter().flatten().collect()
}

/// Where the `spec` of a workload differs from what was applied. What it has beside that, such as what the API server fills
/// in, is no difference.
pub fn differences(workload: &str, spec: &Value, namespace: &str) -> Vec<Difference> {
    let with = |applied: &Map<String, Value>| {
        let mut found = Vec::new();
        compare(applied.get(workload)?, Some(spec), "spec", namespace, &mut found);
        Some(found)
    };
    let of_one = APPLIED.iter().filter_map(with).min_by_key(Vec::len).unwrap_or_default();
    if of_one.is_empty() {
        return of_one;
    }
    let of_members = with(&REPLICATED).filter(|found| found.len() < of_one.len());
    of_members.unwrap_or(of_one)
}

/// Where a pod differs from what was applied for the pods of its workload: of the template alone.
pub fn differences_of_pod(workload: &str, pod: &Pod, namespace: &str) -> Vec<Difference> {
    let template = json!({ "metadata": pod.metadata, "spec": pod.spec });
    differences(workload, &json!({ "template": template }), namespace)
}

fn compare(applied: &Value, there: Option<&Value>, path: &str, namespace: &str, found: &mut Vec<Difference>) {
    if ends_with_one(path, &FREE) {
        return;
    }
    match (applied, there) {
        (Value::Object(fields), Some(Value::Object(there))) => {
            for (key, value) in fields {
                compare(value, there.get(key), &format!("{path}.{key}"), namespace, found);
            }
        }
        (Value::Array(items), Some(Value::Array(there))) if items.iter().any(Value::is_object) => {
            for item in items {
                let name = item["name"].as_str().unwrap_or_default();
                let same = there.iter().find(|other| other["name"] == item["name"]);
                compare(item, same, &format!("{path}[{name}]"), namespace, found);
            }
        }
        (applied, Some(there)) if is_same(applied, there, path, namespace) => {}
        _ => found.push(Difference { path: path.to_owned(), applied: applied.clone(), there: there.cloned() }),
    }
}

/// Whether two values mean the same. What a saved case leaves out may be the same.
fn is_same(applied: &Value, there: &Value, path: &str, namespace: &str) -> bool {
    match (applied, there) {
        (Value::Array(words), Value::Array(there)) if ends_with_one(path, &MORE) => {
            let mut there = there.iter();
            words.iter().all(|word| there.any(|other| other == word))
        }
        (Value::String(applied), Value::String(there)) => {
            applied == there || there == REMOVED || *applied == short(there, namespace)
        }
        _ => applied == there,
    }
}

/// A value in which the names of the exchange's Services are as short as they are applied, and the pod of the database is
/// named by its Service. It may be a list of names.
fn short(value: &str, namespace: &str) -> String {
    value.split(',').map(|name| short_name(name, namespace)).collect::<Vec<_>>().join(",")
}

fn short_name(value: &str, namespace: &str) -> String {
    let value = value.replace(&format!("{}.{}", names::POSTGRES_POD, names::POSTGRES_SERVICE), names::POSTGRES_SERVICE);
    let mut services = names::SERVICES.iter().chain(&names::REPLICATED_SERVICES);
    let full = services.find_map(|service| value.split_once(&format!("{service}.{namespace}")));
    let Some((before, after)) = full else { return value };
    let service = &value[before.len()..value.len() - after.len() - namespace.len() - 1];
    // The rest of the name, up to a port.
    let rest = after.strip_prefix(".svc").unwrap_or(after);
    let rest = if rest.starts_with('.') { rest.trim_start_matches(is_of_a_name) } else { rest };
    format!("{before}{service}{rest}")
}

fn is_of_a_name(letter: char) -> bool {
    letter == '.' || letter == '-' || letter.is_ascii_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_of_a_list_may_be_a_full_one() {
        let applied = "postgres-primary,postgres-headless";
        for same in [
            applied,
            "postgres-primary.alice,postgres-headless",
            "postgres-primary,postgres-headless.alice.svc",
            "postgres-primary.alice.svc.cluster.local,postgres-headless.alice.svc.cluster.local.",
        ] {
            assert_eq!(short(same, "alice"), applied);
        }
        for other in [
            "postgres-primary",
            "postgres-headless,postgres-primary",
            "postgres-primary.bob,postgres-headless",
            "postgres-primary.alice.postgres-headless",
        ] {
            assert_ne!(short(other, "alice"), applied);
        }
        assert_eq!(short("http://backend-service.alice.svc:5000", "alice"), "http://backend-service:5000");
    }
}
