//! What a server has: the exchange in the namespace `alice`, all of it healthy.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::server::{Reply, Request};

/// Objects by their paths, and lists by theirs.
#[derive(Clone)]
pub struct World {
    pub objects: BTreeMap<String, Value>,
}

pub const NAMESPACED: &str = "/api/v1/namespaces/alice";
pub const APPS: &str = "/apis/apps/v1/namespaces/alice";
pub const POLICY: &str = "/apis/networking.k8s.io/v1/namespaces/alice/networkpolicies/postgres";
pub const SLICES: &str = "/apis/discovery.k8s.io/v1/namespaces/alice/endpointslices";

/// A request by the page's own way.
pub const PATH: &str = "/api/v1/namespaces/alice/services/frontend-service:8080/proxy/api/connection";

fn named(name: &str, app: &str) -> Value {
    json!({ "name": name, "namespace": "alice", "uid": format!("uid-{name}"), "resourceVersion": "7", "generation": 1,
            "creationTimestamp": "2026-11-23T20:00:00Z",
            "labels": { "app": app, "app.kubernetes.io/part-of": "kubecoin" } })
}

fn deployment(name: &str) -> Value {
    json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": named(name, name),
            "spec": { "replicas": 1, "selector": {}, "template": {} },
            "status": { "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1,
                        "readyReplicas": 1 } })
}

fn service(name: &str, app: &str, cluster_ip: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Service", "metadata": named(name, app),
            "spec": { "type": "ClusterIP", "clusterIP": cluster_ip, "selector": { "app": app },
                      "ports": [{ "name": "http", "port": 8080, "targetPort": "http" }] } })
}

/// The address of a pod behind a Service.
fn slice(service: &str, app: &str, pod: &str) -> Value {
    let mut metadata = named(&format!("{service}-1"), app);
    metadata["labels"]["kubernetes.io/service-name"] = service.into();
    json!({ "metadata": metadata, "addressType": "IPv4", "ports": [{ "name": "http", "port": 8080 }],
            "endpoints": [{ "addresses": ["10.0.0.1"], "targetRef": { "kind": "Pod", "name": pod } }] })
}

/// The whole way of a request was gone.
pub fn connection() -> Value {
    json!({ "backend": { "pod": "backend-1" },
            "database": { "host": "postgres-headless", "pod": "postgres-0", "started_at": "2026-11-23T20:00:00Z",
                          "system_identifier": "7", "role": "postgres", "read_only": false, "in_recovery": false,
                          "wallets_table": true, "missing_privileges": [] } })
}

/// A pod of a workload.
pub fn pod(name: &str, app: &str) -> Value {
    let mut metadata = named(name, app);
    metadata["labels"]["controller-revision-hash"] = "r1".into();
    if app == "postgres" {
        let set = json!({ "apiVersion": "apps/v1", "kind": "StatefulSet", "name": app, "uid": "uid-postgres", "controller": true });
        metadata["ownerReferences"] = json!([set]);
    }
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata,
            "spec": { "nodeName": "node-1", "containers": [{ "name": app, "image": "image:1",
                                                              "ports": [{ "name": "http", "containerPort": 8080 }] }] },
            "status": { "phase": "Running", "podIP": "10.0.0.1",
                        "conditions": [{ "type": "Ready", "status": "True" }],
                        "containerStatuses": [{ "name": app, "ready": true, "restartCount": 0, "image": "", "imageID": "",
                                                "state": { "running": {} } }] } })
}

impl World {
    pub fn healthy() -> Self {
        let password = json!({ "secretKeyRef": { "name": "postgres-credentials", "key": "password" } });
        let env = json!([{ "name": "POSTGRES_PASSWORD", "valueFrom": password }]);
        let template = json!({ "spec": { "containers": [{ "name": "postgres", "image": "image:1", "env": env }] } });
        let set = json!({ "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": named("postgres", "postgres"),
            "spec": { "replicas": 1, "serviceName": "postgres-headless", "selector": {}, "template": template },
            "status": { "observedGeneration": 1, "replicas": 1, "readyReplicas": 1, "updatedReplicas": 1,
                        "currentRevision": "r1", "updateRevision": "r1" } });
        let claim = json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": named("postgres-pvc", "postgres"),
            "spec": { "storageClassName": "", "volumeName": "postgres-pv-alice",
                      "resources": { "requests": { "storage": "1Gi" } } },
            "status": { "phase": "Bound", "capacity": { "storage": "1Gi" } } });
        let volume = json!({ "apiVersion": "v1", "kind": "PersistentVolume",
            "metadata": named("postgres-pv-alice", "postgres"),
            "spec": { "capacity": { "storage": "1Gi" }, "hostPath": { "path": "/data/kubecoin/alice" },
                      "persistentVolumeReclaimPolicy": "Retain" },
            "status": { "phase": "Bound" } });
        let list = |items: Value| json!({ "metadata": { "resourceVersion": "7" }, "items": items });
        let pods = json!([pod("postgres-0", "postgres"), pod("backend-1", "backend"), pod("frontend-1", "frontend")]);
        let slices = json!([
            slice("postgres-headless", "postgres", "postgres-0"),
            slice("backend-service", "backend", "backend-1"),
            slice("frontend-service", "frontend", "frontend-1")
        ]);
        let node = json!({ "metadata": { "name": "node-1" } });
        let objects = [
            (
                "/version",
                json!({ "major": "1", "minor": "34", "gitVersion": "v1.34.0", "gitCommit": "", "gitTreeState": "",
                                 "buildDate": "", "goVersion": "", "compiler": "", "platform": "" }),
            ),
            ("/api/v1/namespaces/alice", json!({ "metadata": { "name": "alice" } })),
            ("/api/v1/nodes", list(json!([node]))),
            ("/api/v1/persistentvolumes/postgres-pv-alice", volume),
            ("/apis/apps/v1/namespaces/alice/statefulsets/postgres", set),
            ("/apis/apps/v1/namespaces/alice/deployments/backend", deployment("backend")),
            ("/apis/apps/v1/namespaces/alice/deployments/frontend", deployment("frontend")),
            ("/api/v1/namespaces/alice/persistentvolumeclaims/postgres-pvc", claim),
            ("/api/v1/namespaces/alice/services/postgres-headless", service("postgres-headless", "postgres", "None")),
            ("/api/v1/namespaces/alice/services/backend-service", service("backend-service", "backend", "10.0.0.2")),
            ("/api/v1/namespaces/alice/services/frontend-service", service("frontend-service", "frontend", "10.0.0.3")),
            (
                "/api/v1/namespaces/alice/secrets/postgres-credentials",
                json!({ "metadata": named("postgres-credentials", "postgres"),
                        "data": { "username": "cG9zdGdyZXM=", "password": "cGFzc3dvcmQ=" } }),
            ),
            ("/api/v1/namespaces/alice/pods", list(pods)),
            ("/api/v1/namespaces/alice/events", list(json!([]))),
            (SLICES, list(slices)),
        ];
        Self { objects: objects.map(|(path, object)| (path.to_owned(), object)).into() }
    }

    /// The same, with the policy that `deploy --network-policy` creates.
    pub fn guarded() -> Self {
        let policy = json!({ "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": named("postgres", "postgres"), "spec": { "podSelector": {} } });
        let mut world = Self::healthy();
        world.objects.insert(POLICY.to_owned(), policy);
        world
    }

    /// The object at a path, to be changed.
    pub fn at(&mut self, path: &str) -> &mut Value {
        self.objects.get_mut(path).unwrap_or_else(|| panic!("no {path}"))
    }

    /// The answer of a server without faults. What is applied is as what was there.
    pub fn reply(&self, request: &Request) -> Reply {
        let there = self.objects.get(&request.path);
        match (request.method.as_str(), there) {
            ("GET", _) if request.query.contains("watch=true") => Reply::Watch(vec![]),
            ("GET", _) if request.path == PATH => Reply::Json(200, connection()),
            ("GET" | "PATCH", Some(object)) => Reply::Json(200, object.clone()),
            ("GET", None) if is_list(&request.path) => Reply::Json(200, self.list(&request.path)),
            ("POST", _) if request.path.ends_with("selfsubjectaccessreviews") => {
                Reply::Json(201, json!({ "metadata": {}, "spec": {}, "status": { "allowed": true } }))
            }
            ("POST", _) => Reply::Json(201, serde_json::from_str(&request.body).unwrap()),
            _ => refusal(404, "NotFound", &format!("{} not found", request.path)),
        }
    }

    /// The list of a kind of which objects are known.
    fn list(&self, path: &str) -> Value {
        let below = format!("{path}/");
        let items: Vec<_> = self.objects.iter().filter(|(at, _)| at.starts_with(&below)).map(|(_, it)| it).collect();
        json!({ "metadata": { "resourceVersion": "7" }, "items": items })
    }
}

fn is_list(path: &str) -> bool {
    ["statefulsets", "deployments", "replicasets", "persistentvolumeclaims", "resourcequotas", "storageclasses"]
        .iter()
        .any(|plural| path.ends_with(plural))
}

/// A refusal as the API has it.
pub fn refusal(code: u16, reason: &str, message: &str) -> Reply {
    Reply::Json(
        code,
        json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
                              "message": message }),
    )
}
