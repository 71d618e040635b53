//! Faults of the workloads themselves: what is to run, how many of it, and from which image.

use serde_json::json;

use super::fault::Expects::{Cause, Names, Note};
use super::fault::Mend::{By, ByHint, ByHintAfter};
use super::fault::{DEPLOY, Fault, Harm, UNDO};
use super::place::{Place, Seen, on_node};
use crate::support::scene::testbed;

const NO_IMAGE: [&str; 2] = ["ErrImagePull", "ImagePullBackOff"];

/// Whether a container of an app has ended by itself.
fn has_crashed(place: Place, app: &str) -> Seen {
    place.any_pod(app, |pod| {
        let status = &pod["status"]["containerStatuses"][0];
        [&status["state"], &status["lastState"]].iter().any(|state| state["terminated"]["exitCode"] != json!(null))
    })
}

fn set_image(place: Place, tag: &str) {
    place.kubectl(&format!("set image statefulset/postgres postgres=docker.io/library/postgres:{tag}"));
}

pub const FAULTS: &[Fault] = &[
    Fault {
        what: "the database's image does not exist",
        make: |place| set_image(place, "17-mistyped"),
        holds: |place| place.waits_for("postgres", &NO_IMAGE),
        expects: Cause("image-pull"),
        harm: Harm::Now,
        mend: ByHint,
    },
    Fault {
        what: "the database's image is corrected, but its pod is of the revision before",
        make: |place| {
            set_image(place, "17-mistyped");
            place.kubectl("wait pod/postgres-0 --for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=ImagePullBackOff --timeout=3m");
            set_image(place, "17");
        },
        holds: |place| {
            let of_pod = place.field("pod/postgres-0", "/metadata/labels/controller-revision-hash");
            let newest = place.field("statefulset/postgres", "/status/updateRevision");
            if of_pod == newest { Err(format!("both are {newest}")) } else { Ok(()) }
        },
        expects: Cause("stuck-revision"),
        harm: Harm::Now,
        mend: ByHint,
    },
    Fault {
        what: "the database's server is given a setting that it does not take",
        make: |place| {
            let arguments = json!(["postgres", "-c", "shared_buffers=much"]);
            place.replace("statefulset/postgres", "/spec/template/spec/containers/0/args", &arguments);
        },
        holds: |place| has_crashed(place, "postgres"),
        expects: Cause("crash-loop"),
        harm: Harm::Now,
        mend: DEPLOY,
    },
    Fault {
        what: "the database's readiness probe asks a wrong port",
        make: |place| {
            let command = json!(["pg_isready", "-h", "127.0.0.1", "-p", "5433"]);
            let pointer = "/spec/template/spec/containers/0/readinessProbe/exec/command";
            place.replace("statefulset/postgres", pointer, &command);
        },
        holds: |place| place.has_event("pod/postgres-0", "Unhealthy"),
        expects: Names("probe-failing", "pod-not-ready"),
        harm: Harm::Now,
        mend: DEPLOY,
    },
    Fault {
        what: "the backend's new image does not exist",
        make: |place| place.kubectl("set image deployment/backend backend=ghcr.io/kubecoin/kubecoin-backend:mistyped"),
        holds: |place| place.waits_for("backend", &NO_IMAGE),
        expects: Cause("image-pull"),
        harm: Harm::Later,
        mend: ByHint,
    },
    Fault {
        what: "the backend's new command crashes",
        make: |place| {
            let command = json!({ "name": "backend", "command": ["sh", "-c", "exit 3"] });
            place.patch_container("deployment/backend", &command);
        },
        holds: |place| has_crashed(place, "backend"),
        expects: Cause("crash-loop"),
        harm: Harm::Later,
        mend: UNDO,
    },
    Fault {
        what: "the backend's new readiness probe asks a wrong port",
        make: |place| {
            let probe = json!({ "name": "backend", "readinessProbe": { "httpGet": { "port": 5001 } } });
            place.patch_container("deployment/backend", &probe);
        },
        holds: |place| {
            place.any_pod("backend", |pod| {
                let status = &pod["status"]["containerStatuses"][0];
                status["ready"] == json!(false) && status["state"]["running"].is_object()
            })
        },
        expects: Note("probe-failing"),
        harm: Harm::Later,
        mend: DEPLOY,
    },
    Fault {
        what: "the backend's liveness probe asks a wrong port",
        make: |place| {
            let probe = json!({ "httpGet": { "port": 5001 }, "periodSeconds": 1 });
            place.patch_container("deployment/backend", &json!({ "name": "backend", "livenessProbe": probe }));
        },
        holds: |place| {
            place.any_pod("backend", |pod| {
                let status = &pod["status"]["containerStatuses"][0];
                let count = status["restartCount"].as_u64().unwrap_or_default();
                count > 1 && status["state"]["waiting"]["reason"] == "CrashLoopBackOff"
            })
        },
        expects: Cause("probe-failing"),
        harm: Harm::Now,
        mend: ByHint,
    },
    Fault {
        what: "the backend's rollout is paused, with a change in it",
        make: |place| {
            place.kubectl("rollout pause deployment/backend");
            place.kubectl("set env deployment/backend EXTRA=any");
        },
        holds: |place| place.has("deployment/backend", "/status/updatedReplicas", ""),
        expects: Note("not-ready"),
        harm: Harm::Later,
        mend: By("`kubectl rollout resume deployment/backend`", |place| {
            place.kubectl("rollout resume deployment/backend");
            place.kubectl("set env deployment/backend EXTRA-");
        }),
    },
    Fault {
        what: "the database's container may not write as root",
        make: |place| {
            let few = json!(["SETGID", "SETUID"]);
            let pointer = "/spec/template/spec/containers/0/securityContext/capabilities/add";
            place.replace("statefulset/postgres", pointer, &few);
        },
        holds: |place| has_crashed(place, "postgres"),
        expects: Cause("data-not-writable"),
        harm: Harm::Now,
        mend: ByHint,
    },
    Fault {
        what: "the database is to be created in the root of its volume",
        make: |place| place.kubectl("set env statefulset/postgres PGDATA=/var/lib/postgresql/data"),
        holds: |place| has_crashed(place, "postgres"),
        expects: Cause("data-directory-not-empty"),
        harm: Harm::Now,
        mend: ByHint,
    },
    Fault {
        what: "the data says that PostgreSQL 16 has written it",
        make: |place| {
            place.in_server(r#"cp "$PGDATA/PG_VERSION" "$PGDATA/../PG_VERSION"; echo 16 >"$PGDATA/PG_VERSION""#);
            place.kubectl("delete pod/postgres-0");
        },
        holds: |place| has_crashed(place, "postgres"),
        expects: Cause("postgres-version"),
        harm: Harm::Now,
        mend: ByHintAfter(
            "the true version is written back, and the only image that there is stands for 16",
            |place| {
                on_node(&format!("cd {}; mv PG_VERSION pgdata/PG_VERSION", place.directory()));
            },
        ),
    },
    Fault {
        what: "the backend's new program is built for another CPU",
        make: |place| {
            // The head of a program for s390x.
            let program = json!({ "program": "f0VMRgICAQAAAAAAAAAAAAACABYAAAAB" });
            place.create(&json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": { "name": "foreign", "namespace": place.namespace }, "binaryData": program,
            }));
            let container = json!({
                "name": "backend", "command": ["/foreign/program"],
                "volumeMounts": [{ "name": "foreign", "mountPath": "/foreign" }],
            });
            let volume = json!({ "name": "foreign", "configMap": { "name": "foreign", "defaultMode": 0o755 } });
            let spec = json!({ "containers": [container], "volumes": [volume] });
            place.patch("deployment/backend", &json!({ "spec": { "template": { "spec": spec } } }));
        },
        holds: |place| has_crashed(place, "backend"),
        expects: Cause("image-architecture"),
        harm: Harm::Later,
        mend: ByHintAfter("the program, which is no image, is taken away", |place| {
            place.kubectl("rollout undo deployment/backend");
            place.kubectl("delete configmap/foreign");
        }),
    },
    Fault {
        what: "the page is of an older release than the backend",
        make: |place| {
            let image = "ghcr.io/kubecoin/kubecoin-frontend:0.0.1";
            testbed(&["load", "frontend", "--as", image]);
            place.kubectl(&format!("set image deployment/frontend frontend={image}"));
        },
        holds: |place| place.has_rolled_out("frontend"),
        expects: Note("images-differ"),
        harm: Harm::Later,
        mend: ByHint,
    },
    Fault {
        what: "the page's pod has another program, and no probe asks it",
        make: |place| {
            let container = json!({
                "name": "frontend", "command": ["sleep", "3600"], "readinessProbe": null, "livenessProbe": null,
            });
            place.patch_container("deployment/frontend", &container);
        },
        holds: |place| place.has_rolled_out("frontend"),
        expects: Cause("page-unreachable"),
        harm: Harm::Now,
        mend: By("`kubectl rollout undo deployment/frontend`", |place| {
            place.kubectl("rollout undo deployment/frontend");
        }),
    },
    Fault {
        what: "the set names a Service that does not exist",
        make: |place| {
            let mut set = place.copy("statefulset/postgres");
            set["spec"]["serviceName"] = json!("postgres");
            place.kubectl("delete statefulset/postgres --cascade=orphan");
            place.create(&set);
        },
        holds: |place| place.has("statefulset/postgres", "/spec/serviceName", "postgres"),
        expects: Cause("service-name"),
        harm: Harm::Later,
        mend: ByHint,
    },
    Fault {
        what: "the set is scaled to 0",
        make: |place| place.kubectl("scale statefulset/postgres --replicas=0"),
        holds: |place| place.lacks("pod/postgres-0"),
        expects: Names("replicas", "no-replicas"),
        harm: Harm::Now,
        mend: ByHint,
    },
    Fault {
        what: "the set is scaled to 2",
        make: |place| place.kubectl("scale statefulset/postgres --replicas=2"),
        holds: |place| place.has("pod/postgres-1", "/status/phase", "Pending"),
        expects: Cause("replicas"),
        harm: Harm::Later,
        mend: ByHint,
    },
    Fault {
        what: "the backend is scaled to 0",
        make: |place| place.kubectl("scale deployment/backend --replicas=0"),
        holds: |place| place.leads_nowhere("backend-service"),
        expects: Cause("replicas"),
        harm: Harm::Now,
        mend: ByHint,
    },
    Fault {
        what: "the set is deleted, and its pod runs on",
        make: |place| place.kubectl("delete statefulset/postgres --cascade=orphan"),
        holds: |place| place.lacks("statefulset/postgres"),
        expects: Names("missing", "set-missing"),
        harm: Harm::Later,
        mend: ByHint,
    },
    Fault {
        what: "the backend's Deployment is deleted",
        make: |place| place.kubectl("delete deployment/backend"),
        holds: |place| place.leads_nowhere("backend-service"),
        expects: Cause("missing"),
        harm: Harm::Now,
        mend: ByHint,
    },
    Fault {
        what: "the page's Deployment is deleted",
        make: |place| place.kubectl("delete deployment/frontend"),
        holds: |place| place.leads_nowhere("frontend-service"),
        expects: Cause("missing"),
        harm: Harm::Now,
        mend: ByHint,
    },
    Fault {
        what: "the set does not update its pod by itself",
        make: |place| {
            place.patch(
                "statefulset/postgres",
                &json!({ "spec": { "updateStrategy": { "type": "OnDelete", "rollingUpdate": null } } }),
            );
            place.kubectl("set env statefulset/postgres EXTRA=any");
        },
        holds: |place| {
            let [now, newest] = ["currentRevision", "updateRevision"]
                .map(|name| place.field("statefulset/postgres", &format!("/status/{name}")));
            if now == newest { Err(format!("both are {now}")) } else { Ok(()) }
        },
        expects: Note("update-held-back"),
        harm: Harm::Later,
        mend: By("`kubectl patch` back to RollingUpdate", |place| {
            place.patch("statefulset/postgres", &json!({ "spec": { "updateStrategy": { "type": "RollingUpdate" } } }));
            place.kubectl("set env statefulset/postgres EXTRA-");
        }),
    },
    Fault {
        what: "the database's next pod would look for its data elsewhere",
        make: |place| {
            place.patch(
                "statefulset/postgres",
                &json!({ "spec": { "updateStrategy": { "type": "OnDelete", "rollingUpdate": null } } }),
            );
            place.kubectl("set env statefulset/postgres PGDATA=/tmp/pgdata");
        },
        holds: |place| {
            let [now, newest] = ["currentRevision", "updateRevision"]
                .map(|name| place.field("statefulset/postgres", &format!("/status/{name}")));
            if now == newest { Err(format!("both are {now}")) } else { Ok(()) }
        },
        expects: Cause("changed-by-hand"),
        harm: Harm::Later,
        mend: By("`deploy --force-conflicts`, and `kubectl patch` back to RollingUpdate", |place| {
            place.deploy();
            place.patch("statefulset/postgres", &json!({ "spec": { "updateStrategy": { "type": "RollingUpdate" } } }));
        }),
    },
];
