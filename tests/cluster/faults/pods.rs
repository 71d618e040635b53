//! Faults by which a pod is not made, not placed, or does not go.

use serde_json::json;

use super::fault::Expects::{Cause, Names, Note};
use super::fault::Mend::{By, ByHint};
use super::fault::{DEPLOY, Fault, Harm, UNDO};
use super::place::{Place, Seen};

/// Whether the scheduler has said that no node takes the database's pod.
fn is_unscheduled(place: Place) -> Seen {
    place.any_pod("postgres", |pod| {
        let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
        conditions.into_iter().any(|it| it["type"] == "PodScheduled" && it["status"] == "False")
    })
}

/// A controller that was refused tries again after a pause that grows; a change of its object makes it try at once.
fn nudge(place: Place, workload: &str) {
    place.kubectl(&format!("annotate {workload} example.com/nudged=yes --overwrite"));
}

pub const FAULTS: &[Fault] = &[
    Fault {
        what: "the database's pod may run on no node",
        make: |place| {
            let nodes = json!({ "spec": { "template": { "spec": { "nodeSelector": { "disk": "none" } } } } });
            place.patch("statefulset/postgres", &nodes);
        },
        holds: is_unscheduled,
        expects: Cause("unschedulable"),
        harm: Harm::Now,
        mend: By("`kubectl patch` without the node selector, and `deploy --force-conflicts`", |place| {
            let any = json!({ "spec": { "template": { "spec": { "nodeSelector": null } } } });
            place.patch("statefulset/postgres", &any);
            place.deploy();
        }),
    },
    Fault {
        what: "the database's pod asks for more than a node has",
        make: |place| {
            let resources = json!({ "requests": { "cpu": "64" }, "limits": { "cpu": "64" } });
            place.patch_container("statefulset/postgres", &json!({ "name": "postgres", "resources": resources }));
        },
        holds: is_unscheduled,
        expects: Cause("unschedulable"),
        harm: Harm::Now,
        mend: DEPLOY,
    },
    Fault {
        what: "the quota has no room for the backend's next pod",
        make: |place| {
            place.kubectl("create quota few --hard=pods=2");
            place.kubectl("wait quota/few --for=jsonpath={.status.used.pods}=3 --timeout=1m");
            place.kubectl("delete pod -l app=backend");
        },
        holds: |place| {
            let conditions = place.field("deployment/backend", "/status/conditions");
            if conditions.contains("exceeded quota") { Ok(()) } else { Err(conditions) }
        },
        expects: Cause("quota-exceeded"),
        harm: Harm::Now,
        mend: By("`kubectl delete quota few`", |place| {
            place.kubectl("delete quota/few");
            nudge(place, "deployment/backend");
        }),
    },
    Fault {
        what: "Pod Security refuses the database's next pod",
        make: |place| {
            let namespace = place.namespace;
            place.kubectl(&format!("label namespace/{namespace} pod-security.kubernetes.io/enforce=restricted"));
            place.kubectl("delete pod/postgres-0");
        },
        holds: |place| place.has_event("statefulset/postgres", "FailedCreate"),
        expects: Names("pod-security", "pod-missing"),
        harm: Harm::Now,
        mend: By("`kubectl label namespace NAME pod-security.kubernetes.io/enforce-`", |place| {
            let namespace = place.namespace;
            place.kubectl(&format!("label namespace/{namespace} pod-security.kubernetes.io/enforce-"));
            nudge(place, "statefulset/postgres");
        }),
    },
    Fault {
        what: "a LimitRange allows less memory than the database's next pod may use",
        make: |place| {
            let most = json!({ "type": "Container", "max": { "memory": "300Mi" } });
            place.create(&json!({
                "apiVersion": "v1", "kind": "LimitRange",
                "metadata": { "name": "little", "namespace": place.namespace }, "spec": { "limits": [most] },
            }));
            place.kubectl("delete pod/postgres-0");
        },
        holds: |place| place.has_event("statefulset/postgres", "FailedCreate"),
        expects: Cause("pod-refused"),
        harm: Harm::Now,
        mend: By("`kubectl delete limitrange little`", |place| {
            place.kubectl("delete limitrange/little");
            nudge(place, "statefulset/postgres");
        }),
    },
    Fault {
        what: "the backend's new pod waits for a directory that its node does not have",
        make: |place| {
            let volume = json!({ "name": "extra", "hostPath": { "path": "/data/nowhere", "type": "Directory" } });
            // A volume that no container mounts is not waited for.
            let mount = json!({ "name": "extra", "mountPath": "/extra" });
            let pod = json!({ "volumes": [volume], "containers": [{ "name": "backend", "volumeMounts": [mount] }] });
            place.patch("deployment/backend", &json!({ "spec": { "template": { "spec": pod } } }));
        },
        holds: |place| place.waits_for("backend", &["ContainerCreating"]),
        expects: Note("starting"),
        harm: Harm::Later,
        mend: UNDO,
    },
    Fault {
        what: "a finalizer holds the database's deleted pod",
        make: |place| {
            place.patch("pod/postgres-0", &json!({ "metadata": { "finalizers": ["example.com/hold"] } }));
            place.kubectl("delete pod/postgres-0 --wait=false");
        },
        holds: |place| {
            place.any_pod("postgres", |pod| {
                pod["metadata"]["deletionTimestamp"].is_string()
                    && pod["status"]["containerStatuses"][0]["state"]["terminated"].is_object()
            })
        },
        expects: Cause("stopping"),
        harm: Harm::Now,
        mend: By("`kubectl patch pod postgres-0` without the finalizer", |place| {
            place.patch("pod/postgres-0", &json!({ "metadata": { "finalizers": null } }));
        }),
    },
    Fault {
        what: "the database's pod lost the label by which its set finds it",
        make: |place| place.kubectl("label pod/postgres-0 app=apart --overwrite"),
        holds: |place| place.has("pod/postgres-0", "/metadata/ownerReferences", ""),
        expects: Cause("orphaned-pod"),
        harm: Harm::ByChance,
        mend: ByHint,
    },
    Fault {
        what: "the backend's new pod may use less memory than it needs",
        make: |place| {
            place.kubectl("set resources deployment/backend --requests=memory=16Mi --limits=memory=16Mi");
        },
        holds: |place| {
            place.any_pod("backend", |pod| pod["status"]["containerStatuses"].to_string().contains("OOMKilled"))
        },
        expects: Cause("out-of-memory"),
        harm: Harm::Later,
        mend: DEPLOY,
    },
    Fault {
        what: "a budget forbids every eviction of the backend's two pods",
        make: |place| {
            place.kubectl("scale deployment/backend --replicas=2");
            place.kubectl("rollout status deployment/backend --timeout=2m");
            place.kubectl("create pdb backend --selector=app=backend --min-available=2");
        },
        holds: |place| {
            place.has("pdb/backend", "/status/currentHealthy", "2")?;
            // A pod that still ends counts too.
            place.has("pdb/backend", "/status/expectedPods", "2")
        },
        expects: Note("disruption-budget"),
        harm: Harm::Later,
        mend: By("`kubectl delete pdb backend`", |place| {
            place.kubectl("delete pdb/backend");
            place.kubectl("scale deployment/backend --replicas=1");
        }),
    },
];
