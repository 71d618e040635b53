//! Faults in what pods are told and given.

use serde_json::json;

use super::fault::Expects::{Cause, Names};
use super::fault::Mend::{By, ByHint};
use super::fault::{DEPLOY, Fault, Harm, UNDO};
use crate::support::kubectl;

const SECRET: &str = "secret/postgres-credentials";

pub const FAULTS: &[Fault] = &[
    Fault {
        what: "the Secret is deleted",
        make: |place| place.kubectl(&format!("delete {SECRET}")),
        holds: |place| place.lacks(SECRET),
        expects: Cause("configuration-missing"),
        harm: Harm::Later,
        mend: ByHint,
    },
    Fault {
        what: "the Secret lacks a key",
        make: |place| {
            let mut secret = place.copy(SECRET);
            place.kubectl(&format!("delete {SECRET}"));
            let data = secret["data"].as_object_mut().expect("data");
            let password = data.remove("password").expect("a password");
            data.insert("passwort".to_owned(), password);
            place.create(&secret);
        },
        holds: |place| place.has(SECRET, "/data/password", ""),
        expects: Cause("configuration-missing"),
        harm: Harm::Later,
        mend: ByHint,
    },
    Fault {
        what: "a new pod of the backend needs a ConfigMap that is not there",
        make: |place| {
            let source = json!({ "configMapKeyRef": { "name": "nowhere", "key": "any" } });
            let variable = json!({ "name": "EXTRA", "valueFrom": source });
            place.patch_container("deployment/backend", &json!({ "name": "backend", "env": [variable] }));
        },
        holds: |place| place.waits_for("backend", &["CreateContainerConfigError"]),
        expects: Cause("configuration-missing"),
        harm: Harm::Later,
        mend: UNDO,
    },
    Fault {
        what: "the backend is told of a server that does not exist",
        make: |place| place.kubectl("set env deployment/backend DB_HOST=nowhere"),
        holds: |place| place.has_rolled_out("backend"),
        expects: Cause("database-host"),
        harm: Harm::Now,
        mend: ByHint,
    },
    Fault {
        what: "the backend is told of a database that does not exist",
        make: |place| place.kubectl("set env deployment/backend DB_NAME=nowhere"),
        holds: |place| place.has_rolled_out("backend"),
        expects: Cause("database-unreachable"),
        harm: Harm::Now,
        mend: DEPLOY,
    },
    Fault {
        what: "the backend is told of a role that does not exist",
        make: |place| {
            let user = json!({ "name": "DB_USER", "value": "nobody", "valueFrom": null });
            place.patch_container("deployment/backend", &json!({ "name": "backend", "env": [user] }));
        },
        holds: |place| place.has_rolled_out("backend"),
        expects: Cause("role-refused"),
        harm: Harm::Now,
        mend: ByHint,
    },
    Fault {
        what: "the backend is told of the server of somebody else",
        make: |place| {
            let server = "run another --image=docker.io/library/postgres:17 --image-pull-policy=IfNotPresent \
                          --port=5432 --expose --env=POSTGRES_DB=kubecoin --env=POSTGRES_HOST_AUTH_METHOD=trust";
            place.kubectl(server);
            place.kubectl("set env deployment/backend DB_HOST=another");
        },
        holds: |place| {
            place.has_rolled_out("backend")?;
            let asked = "exec another -- psql -h 127.0.0.1 -U postgres -d kubecoin -c ";
            let done = kubectl::run(&format!("-n {} {asked} SELECT", place.namespace));
            if done.succeeded { Ok(()) } else { Err(done.stderr) }
        },
        expects: Cause("wrong-database"),
        harm: Harm::Now,
        mend: By("its hint", |place| place.kubectl("delete pod/another service/another --now")),
    },
    Fault {
        what: "the backend's pods ask the DNS server of their node",
        make: |place| {
            place.patch(
                "deployment/backend",
                &json!({ "spec": { "template": { "spec": { "dnsPolicy": "Default" } } } }),
            );
        },
        holds: |place| place.has_rolled_out("backend"),
        expects: Names("dns-policy", "dns-policy"),
        harm: Harm::Now,
        mend: UNDO,
    },
    Fault {
        what: "the page is told of a backend that does not exist",
        make: |place| place.kubectl("set env deployment/frontend BACKEND_URL=http://nowhere:5000"),
        holds: |place| place.has_rolled_out("frontend"),
        expects: Cause("backend-unreachable"),
        harm: Harm::Now,
        mend: ByHint,
    },
];
