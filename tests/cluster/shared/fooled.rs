//! Faults after which pods still run and are ready: `status` says so, and names the cause alone.

use std::time::Duration;

use serde_json::Value;

use crate::support::deployed::{deployed, sql};
use crate::support::kubectl::{self, ok};
use crate::support::plugin::{ends, run};
use crate::support::wait::until;

const SOON: Duration = Duration::from_mins(3);

/// The exit code of `status`, its word for how the exchange is, and the codes that it finds.
fn status(namespace: &str) -> (i32, String, Vec<String>) {
    let ran = run(namespace, "status -o json");
    let status: Value = serde_json::from_str(&ran.stdout).unwrap();
    let codes = status["findings"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap().to_owned());
    (ran.code, status["health"].as_str().unwrap().to_owned(), codes.collect())
}

fn patch(namespace: &str, service: &str, at: &str, value: &str) {
    let patch = format!(r#"[{{"op":"replace","path":"{at}","value":{value}}}]"#);
    let object = format!("service/{service}");
    let done = kubectl::command(&["patch", &object, "-n", namespace, "--type", "json", "-p", &patch], "");
    assert!(done.succeeded, "{}", done.stderr);
}

fn in_server(namespace: &str, script: &str) {
    let done = kubectl::command(&["exec", "postgres-0", "-n", namespace, "--", "sh", "-ec", script], "");
    assert!(done.succeeded, "{}", done.stderr);
}

/// Restores what `deploy` applies.
fn deploy(namespace: &str) {
    ends(namespace, "deploy --force-conflicts --timeout 3m", 0);
}

type Step = fn(&str);

/// Each with the code that is to be found, and what mends it.
const FAULTS: [(&str, Step, &str, Step); 10] = [
    (
        "the backend's Service selects nobody",
        |namespace| patch(namespace, "backend-service", "/spec/selector/app", r#""nobody""#),
        "selector-matches-nothing",
        deploy,
    ),
    (
        "the page's Service selects the backend",
        |namespace| patch(namespace, "frontend-service", "/spec/selector/app", r#""backend""#),
        "selector-matches-nothing",
        deploy,
    ),
    (
        "the page's Service leads to a port of which nobody knows",
        |namespace| patch(namespace, "frontend-service", "/spec/ports/0/targetPort", "9999"),
        "port-leads-nowhere",
        deploy,
    ),
    (
        "the backend's Service leads to a port by a name that no pod has",
        |namespace| patch(namespace, "backend-service", "/spec/ports/0/targetPort", r#""web""#),
        "port-leads-nowhere",
        deploy,
    ),
    (
        "the backend is scaled away",
        |namespace| drop(ok(&format!("scale deployment/backend --replicas=0 -n {namespace}"))),
        "replicas",
        deploy,
    ),
    (
        "the headless Service is gone",
        |namespace| drop(ok(&format!("delete service/postgres-headless -n {namespace}"))),
        "missing",
        deploy,
    ),
    (
        "the database takes no writes",
        |namespace| drop(sql(namespace, "ALTER DATABASE kubecoin SET default_transaction_read_only = on;")),
        "read-only",
        |namespace| {
            let reset =
                "SET default_transaction_read_only = off; ALTER DATABASE kubecoin RESET default_transaction_read_only;";
            drop(sql(namespace, reset));
        },
    ),
    (
        "PostgreSQL takes no new connections from other pods",
        |namespace| {
            in_server(
                namespace,
                r#"cp "$PGDATA/pg_hba.conf" /tmp/ && sed -i 's/^host all all all .*/host all all all reject/' "$PGDATA/pg_hba.conf""#,
            );
            sql(namespace, "SELECT pg_reload_conf();");
        },
        "not-admitted",
        |namespace| {
            in_server(namespace, r#"cat /tmp/pg_hba.conf >"$PGDATA/pg_hba.conf""#);
            sql(namespace, "SELECT pg_reload_conf();");
        },
    ),
    (
        "the Secret is gone",
        |namespace| {
            let saved = format!("saved-{namespace}");
            let secret = ok(&format!("get secret/postgres-credentials -n {namespace} -o json"));
            let mut secret: Value = serde_json::from_str(&secret).unwrap();
            secret["metadata"] = serde_json::json!({ "name": saved, "namespace": namespace,
                                                     "labels": secret["metadata"]["labels"] });
            let kept = kubectl::command(&["create", "-f", "-"], &secret.to_string());
            assert!(kept.succeeded, "{}", kept.stderr);
            ok(&format!("delete secret/postgres-credentials -n {namespace}"));
        },
        "configuration-missing",
        |namespace| {
            let secret = ok(&format!("get secret/saved-{namespace} -n {namespace} -o json"));
            let mut secret: Value = serde_json::from_str(&secret).unwrap();
            secret["metadata"] = serde_json::json!({ "name": "postgres-credentials", "namespace": namespace,
                                                     "labels": secret["metadata"]["labels"] });
            let created = kubectl::command(&["create", "-f", "-"], &secret.to_string());
            assert!(created.succeeded, "{}", created.stderr);
            ok(&format!("delete secret/saved-{namespace} -n {namespace}"));
        },
    ),
    (
        "the backend is told of a database that does not exist",
        |namespace| drop(ok(&format!("set env deployment/backend DB_HOST=nowhere -n {namespace}"))),
        "database-unreachable",
        deploy,
    ),
];

#[test]
fn status_is_not_fooled_by_pods_that_are_ready() {
    let scene = deployed("kc-plugin-fooled");
    let namespace = scene.namespace();
    assert_eq!(status(namespace), (0, "healthy".to_owned(), vec![]));
    for (fault, make, code, mend) in FAULTS {
        make(namespace);
        until(fault, SOON, || match status(namespace) {
            (1, health, codes) if health == "notHealthy" && !codes.is_empty() && codes.iter().all(|it| it == code) => {
                Ok(())
            }
            other => Err(format!("{other:?}")),
        });
        mend(namespace);
        until(&format!("mended: {fault}"), SOON, || match status(namespace) {
            (0, health, codes) if health == "healthy" && codes.is_empty() => Ok(()),
            other => Err(format!("{other:?}")),
        });
    }
}
