//! Faults of the workloads themselves: what is to run, how many of it, and from which image.

use serde_json::json;

use super::fault::Expects::{Cause, Note};
use super::fault::Mend::{By, ByHint};
use super::fault::{Fault, Harm};
use super::place::{DEPLOY, Place, Seen};

/// Back to the revision before.
const UNDO: fn(Place) = |place| place.kubectl("rollout undo deployment/backend");

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
        mend: By(DEPLOY),
    },
    Fault {
        what: "the database's readiness probe asks a wrong port",
        make: |place| {
            let command = json!(["pg_isready", "-h", "127.0.0.1", "-p", "5433"]);
            let pointer = "/spec/template/spec/containers/0/readinessProbe/exec/command";
            place.replace("statefulset/postgres", pointer, &command);
        },
        holds: |place| place.has_event("pod/postgres-0", "Unhealthy"),
        expects: Cause("probe-failing"),
        harm: Harm::Now,
        mend: By(DEPLOY),
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
        mend: By(UNDO),
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
        mend: By(DEPLOY),
    },
    Fault {
        what: "the set is scaled to 0",
        make: |place| place.kubectl("scale statefulset/postgres --replicas=0"),
        holds: |place| place.lacks("pod/postgres-0"),
        expects: Cause("replicas"),
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
        expects: Cause("missing"),
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
        mend: By(|place| {
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
        mend: By(|place| {
            place.deploy();
            place.patch("statefulset/postgres", &json!({ "spec": { "updateStrategy": { "type": "RollingUpdate" } } }));
        }),
    },
];
