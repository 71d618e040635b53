//! Faults in what pods are told and given.

use serde_json::json;

use super::fault::Expects::Cause;
use super::fault::Mend::{By, ByHint};
use super::fault::{Fault, Harm};
use super::place::DEPLOY;

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
        mend: By(|place| place.kubectl("rollout undo deployment/backend")),
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
        mend: By(DEPLOY),
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
