//! A server that keeps what it is given, with controllers that are done at once: enough for whole runs of `deploy` and
//! `teardown`, of which some are stopped.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::server::{Reply, Request};
use crate::world::{APPS, NAMESPACED, World, pod, refusal};

/// Objects by their paths.
pub struct Store {
    objects: Mutex<BTreeMap<String, Value>>,
}

/// The workloads, and the pod of each.
const PODS: [(&str, &str); 3] = [
    ("statefulsets/postgres", "postgres-0"),
    ("deployments/backend", "backend-1"),
    ("deployments/frontend", "frontend-1"),
];

/// What is deployed, by the ends of its paths.
pub const DEPLOYED: [&str; 9] = [
    "persistentvolumes/postgres-pv-alice",
    "persistentvolumeclaims/postgres-pvc",
    "secrets/postgres-credentials",
    "services/postgres-headless",
    "services/backend-service",
    "services/frontend-service",
    PODS[0].0,
    PODS[1].0,
    PODS[2].0,
];

impl Store {
    /// With a healthy exchange.
    pub fn deployed() -> Self {
        let mut objects = World::healthy().objects;
        objects.retain(|_, object| object.get("items").is_none());
        for (workload, pod_name) in PODS {
            let app = workload.split_once('/').unwrap().1;
            objects.insert(format!("{NAMESPACED}/pods/{pod_name}"), pod(pod_name, app));
        }
        // It is in no namespace.
        merge(
            objects.get_mut("/api/v1/persistentvolumes/postgres-pv-alice").unwrap(),
            json!({ "metadata": { "namespace": null } }),
        );
        let node = json!({ "metadata": { "name": "node-1" } });
        objects.insert("/api/v1/nodes/node-1".to_owned(), node);
        Self { objects: Mutex::new(objects) }
    }

    /// The same, whose claim somebody has deleted: it goes when its pod does.
    pub fn with_ending_claim() -> Self {
        let store = Self::deployed();
        store.change("postgres-pvc", json!({ "metadata": { "deletionTimestamp": "2026-11-24T21:00:00Z" } }));
        store
    }

    /// The same, whose claim is gone too, and so is its pod.
    pub fn with_released_volume() -> Self {
        let store = Self::with_ending_claim();
        let mut objects = store.objects.lock().unwrap();
        objects.remove(&format!("{NAMESPACED}/pods/postgres-0"));
        end_claim(&mut objects);
        drop(objects);
        store
    }

    /// Whose set and Deployments were deleted with `--cascade=orphan`.
    pub fn orphaned() -> Self {
        let store = Self::deployed();
        let mut objects = store.objects.lock().unwrap();
        for (workload, _) in PODS {
            objects.remove(&format!("{APPS}/{workload}"));
        }
        let pod = objects.get_mut(&format!("{NAMESPACED}/pods/postgres-0")).unwrap();
        merge(pod, json!({ "metadata": { "ownerReferences": null } }));
        for app in ["backend", "frontend"] {
            let labels = json!({ "app": app, "app.kubernetes.io/part-of": "kubecoin" });
            let set = made(&format!("{app}-1"), json!({ "metadata": { "namespace": "alice", "labels": labels } }));
            let owner = json!({ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": format!("{app}-1"),
                                "uid": set["metadata"]["uid"], "controller": true });
            let pod = objects.get_mut(&format!("{NAMESPACED}/pods/{app}-1")).unwrap();
            merge(pod, json!({ "metadata": { "ownerReferences": [owner] } }));
            objects.insert(format!("{APPS}/replicasets/{app}-1"), set);
        }
        drop(objects);
        store
    }

    /// Changes the object whose path ends so.
    pub fn change(&self, end: &str, patch: Value) {
        let mut objects = self.objects.lock().unwrap();
        let (_, object) = objects.iter_mut().find(|(path, _)| path.ends_with(end)).unwrap();
        merge(object, patch);
    }

    /// Before anything was deployed.
    pub fn empty() -> Self {
        let store = Self::deployed();
        let is_deployed = |path: &str| path.contains("/pods/") || DEPLOYED.iter().any(|end| path.ends_with(end));
        store.objects.lock().unwrap().retain(|path, _| !is_deployed(path));
        store
    }

    /// The objects whose paths end so, by their UIDs.
    pub fn uid(&self, end: &str) -> Option<String> {
        let objects = self.objects.lock().unwrap();
        let (_, object) = objects.iter().find(|(path, _)| path.ends_with(end))?;
        Some(object["metadata"]["uid"].as_str().unwrap_or_default().to_owned())
    }

    /// The paths of all that a person or this program has put into the namespace, and of volumes.
    pub fn paths(&self) -> Vec<String> {
        let objects = self.objects.lock().unwrap();
        let paths = objects.keys().filter(|path| path.starts_with(&format!("{NAMESPACED}/")) || path.contains(APPS));
        paths.chain(objects.keys().filter(|path| path.contains("/persistentvolumes/"))).cloned().collect()
    }

    /// The answer to a request, after what it asks for is done.
    pub fn reply(&self, request: &Request) -> Reply {
        let mut objects = self.objects.lock().unwrap();
        let path = request.path.as_str();
        let there = objects.get(path).cloned();
        let is_trial = request.query.contains("dryRun=All");
        let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
        match (request.method.as_str(), there) {
            ("GET", _) if request.query.contains("watch=true") => Reply::Watch(vec![]),
            ("GET", Some(object)) => Reply::Json(200, object),
            ("GET", None) if is_list(path) => Reply::Json(200, list(&objects, path, &request.query)),
            ("POST", _) if path.contains("/selfsubject") => {
                Reply::Json(201, json!({ "metadata": {}, "spec": {}, "status": { "allowed": true } }))
            }
            ("POST", _) => {
                let at = format!("{path}/{}", body["metadata"]["name"].as_str().unwrap_or_default());
                if objects.contains_key(&at) {
                    return refusal(409, "AlreadyExists", &format!("{at} already exists"));
                }
                let made = made(&at, body);
                if !is_trial {
                    objects.insert(at, made.clone());
                }
                Reply::Json(201, made)
            }
            // What is applied names its kind, and may be new; any other patch is of something that is there.
            ("PATCH", there) if there.is_some() || body["kind"].is_string() => {
                let mut object = there.unwrap_or_else(|| made(path, json!({})));
                merge(&mut object, body);
                if !is_trial {
                    follow(&mut objects, path);
                    objects.insert(path.to_owned(), object.clone());
                }
                Reply::Json(200, object)
            }
            ("DELETE", Some(object)) => {
                objects.remove(path);
                for (workload, pod) in PODS {
                    let of_deployment = workload.replace("deployments", "replicasets") + "-1";
                    if path.ends_with(workload) || path.ends_with(&of_deployment) {
                        objects.remove(&format!("{NAMESPACED}/pods/{pod}"));
                    }
                }
                end_claim(&mut objects);
                Reply::Json(200, object)
            }
            _ => refusal(404, "NotFound", &format!("{path} not found")),
        }
    }
}

fn is_list(path: &str) -> bool {
    let plurals = [
        "pods",
        "secrets",
        "nodes",
        "events",
        "statefulsets",
        "deployments",
        "replicasets",
        "persistentvolumeclaims",
        "resourcequotas",
        "endpointslices",
        "storageclasses",
        "limitranges",
    ];
    path.rsplit('/').next().is_some_and(|last| plurals.contains(&last))
}

/// The objects below a path that have the labels which are asked for, or the name.
fn list(objects: &BTreeMap<String, Value>, path: &str, query: &str) -> Value {
    let query = query.replace("%3D", "=").replace("%2C", ",").replace("%2F", "/").replace('+', " ");
    let asked = |name: &str| query.split('&').find_map(|part| part.strip_prefix(&format!("{name}="))).unwrap_or("");
    let (labels, fields) = (asked("labelSelector").to_owned(), asked("fieldSelector").to_owned());
    let has = |object: &Value| {
        let label = |name: &str| object["metadata"]["labels"][name].as_str();
        let of_labels = labels.split(',').filter(|one| !one.is_empty()).all(|one| match one.split_once('=') {
            Some((name, value)) => label(name) == Some(value),
            // What is one of several values is of the exchange anyway.
            None => !one.contains('/') || label(one).is_some(),
        });
        of_labels && fields.strip_prefix("metadata.name=").is_none_or(|name| object["metadata"]["name"] == name)
    };
    let below = format!("{path}/");
    let items: Vec<_> = objects.iter().filter(|(at, it)| at.starts_with(&below) && has(it)).map(|(_, it)| it).collect();
    json!({ "metadata": { "resourceVersion": "7" }, "items": items })
}

/// An object as a server makes it, with what a controller says of it.
fn made(path: &str, mut object: Value) -> Value {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let name = path.rsplit('/').next().unwrap_or_default();
    let uid = format!("uid-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    merge(
        &mut object,
        json!({ "metadata": { "name": name, "uid": uid, "resourceVersion": "7", "generation": 1,
                                             "creationTimestamp": "2026-11-24T20:00:00Z" } }),
    );
    if path.contains("/pods/") {
        // A helper has done what it is for.
        merge(&mut object, json!({ "status": { "phase": "Succeeded" } }));
    }
    if path.contains("/persistentvolumeclaims/") {
        merge(&mut object, json!({ "status": { "phase": "Bound" } }));
    }
    if let Some(data) = object.get("stringData").cloned() {
        let data: Value = data.as_object().unwrap().keys().map(|key| (key.clone(), json!("eA=="))).collect();
        merge(&mut object, json!({ "data": data }));
    }
    object
}

/// A claim that was deleted goes with its pod, and leaves its volume behind unless that was deleted too.
fn end_claim(objects: &mut BTreeMap<String, Value>) {
    let claim = format!("{NAMESPACED}/persistentvolumeclaims/postgres-pvc");
    let ends = objects.get(&claim).is_some_and(|claim| claim["metadata"]["deletionTimestamp"].is_string());
    if ends && !objects.contains_key(&format!("{NAMESPACED}/pods/postgres-0")) {
        objects.remove(&claim);
        let reserved = json!({ "namespace": "alice", "name": "postgres-pvc", "uid": "uid-postgres-pvc" });
        let path = "/api/v1/persistentvolumes/postgres-pv-alice";
        if objects[path]["metadata"]["deletionTimestamp"].is_string() {
            objects.remove(path);
        } else if let Some(volume) = objects.get_mut(path) {
            merge(volume, json!({ "spec": { "claimRef": reserved }, "status": { "phase": "Released" } }));
        }
    }
}

/// What controllers do once a workload, or a claim, is there.
fn follow(objects: &mut BTreeMap<String, Value>, path: &str) {
    for (workload, name) in PODS.iter().filter(|(workload, _)| path.ends_with(workload)) {
        let app = workload.split_once('/').unwrap().1;
        objects.insert(format!("{NAMESPACED}/pods/{name}"), pod(name, app));
    }
}

/// RFC 7396: what is null goes, and all else is as it is given.
fn merge(object: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *object = patch;
        return;
    };
    if !object.is_object() {
        *object = json!({});
    }
    for (name, value) in patch {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(&name);
        } else {
            merge(&mut object[&name], value);
        }
    }
}
