//! Values that aim at a terminal, at a parser or at patience, wherever the cluster or the database takes them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::deployed::{deployed, field, sql};
use crate::support::kubectl::{self, ok};
use crate::support::plugin::{Ran, command, ends, run};
use crate::support::wait::until;

/// Sets a title, clears the screen with C1 too, starts a line over, and reorders; then quotes, and 10 KB.
fn hostile() -> String {
    format!("\u{1b}]0;owned\u{7}\u{9b}2J\r\u{202e}'\"$(id)`\\ {}", "x".repeat(10_000))
}

/// What people are shown: nothing that a terminal acts on, and nothing that fills it.
fn is_harmless(ran: &Ran) {
    for text in [&ran.stdout, &ran.stderr] {
        let control = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(control), "{:?}", text.chars().filter(|c| control(*c)).collect::<String>());
        let longest = text.lines().map(|line| line.chars().count()).max().unwrap_or_default();
        assert!(longest < 1000, "a line of {longest} characters: {text}");
    }
}

/// The status, in all its forms, each without what does harm.
fn status(namespace: &str) -> Value {
    for format in ["table", "wide"] {
        is_harmless(&run(namespace, &format!("status --color never -o {format}")));
    }
    let json = run(namespace, "status -o json").stdout;
    assert!(!json.contains(|c: char| c.is_control() && c != '\n'), "{json}");
    let yaml = run(namespace, "status -o yaml").stdout;
    assert!(!yaml.contains(|c: char| c.is_control() && c != '\n'), "{yaml}");
    let json: Value = serde_json::from_str(&json).unwrap();
    let yaml: Value = serde_saphyr::from_str(&yaml).unwrap();
    assert_eq!(yaml["findings"].as_array().map(Vec::len), json["findings"].as_array().map(Vec::len));
    json
}

/// What a status says of a cause.
fn says<'a>(status: &'a Value, code: &str) -> Option<&'a str> {
    let findings = status["findings"].as_array()?;
    findings.iter().find(|finding| finding["code"] == code)?["says"].as_str()
}

fn patch(namespace: &str, object: &str, patch: &Value) {
    let patch = patch.to_string();
    let ended = kubectl::command(&["patch", object, "-n", namespace, "--type=strategic", "-p", &patch], "");
    assert!(ended.succeeded, "{}", ended.stderr);
}

#[test]
fn hostile_values_reach_nobody() {
    let scene = deployed("kc-plugin-hostile");
    let namespace = scene.namespace();

    // Annotations of everything, and rows.
    for object in ["statefulset/postgres", "pod/postgres-0", "pvc/postgres-pvc", "service/backend-service"] {
        patch(namespace, object, &json!({ "metadata": { "annotations": { "example.com/hostile": hostile() } } }));
    }
    sql(namespace, "INSERT INTO wallets(id) VALUES (E'\\x1b[2J''\"\\r'), (repeat('x', 255));");
    assert_eq!(status(namespace)["healthy"], true);
    let again = ends(namespace, "deploy", 0);
    is_harmless(&again);
    assert!(again.stdout.lines().all(|line| line.ends_with(" unchanged")), "{}", again.stdout);

    // A column's name and its default.
    let text = hostile().replace('\'', "''");
    sql(namespace, &format!("ALTER TABLE wallets ADD COLUMN \"\u{1b}[2J\n\"\"hue\" text DEFAULT '{text}';"));
    let table = ends(namespace, "init-db", 1);
    is_harmless(&table);
    assert!(table.stdout.contains("is not the lesson's") && table.stdout.contains("hue"), "{}", table.stdout);
    let found = status(namespace);
    assert!(says(&found, "table-different").unwrap().len() > 10_000, "programs get all of it");
    sql(namespace, "ALTER TABLE wallets DROP COLUMN \"\u{1b}[2J\n\"\"hue\";");

    // An event, on a pod whose probe fails.
    let probe = json!({ "name": "backend", "readinessProbe": { "httpGet": { "path": "/nowhere" } } });
    patch(namespace, "deployment/backend", &json!({ "spec": { "template": { "spec": { "containers": [probe] } } } }));
    let failing = until("a probe fails", Duration::from_mins(1), || {
        let status: Value = serde_json::from_str(&run(namespace, "status --no-db -o json").stdout).unwrap();
        let findings = status["findings"].as_array().unwrap();
        let failing = findings.iter().find(|finding| finding["code"] == "probe-failing");
        failing.map(|finding| finding["object"].as_str().unwrap().to_owned()).ok_or_else(|| status.to_string())
    });
    let pod = failing.trim_start_matches("pod/");
    let uid = field(namespace, &failing, "/metadata/uid");
    let involved = json!({ "kind": "Pod", "name": pod, "namespace": namespace, "uid": uid });
    let event = json!({ "apiVersion": "v1", "kind": "Event", "metadata": { "name": "hostile", "namespace": namespace },
        "involvedObject": involved, "reason": "Unhealthy", "message": hostile(), "type": "Warning",
        "lastTimestamp": "2100-01-01T00:00:00Z" });
    kubectl::apply(&event.to_string());
    assert!(says(&status(namespace), "probe-failing").unwrap().contains("owned"));
    let waited = run(namespace, "status --wait --no-db --timeout 10s");
    assert_eq!(waited.code, 1);
    is_harmless(&waited);
    assert!(waited.stderr.contains("owned"), "{}", waited.stderr);

    // An image's name, which the kubelet repeats; the server itself refuses C1 there.
    let deploy = |image: &str, code: i32| {
        let mut deploy = command(namespace, "deploy --force-conflicts --timeout 30s");
        let deployed: Ran = deploy.arg("--backend-image").arg(image).output().unwrap().into();
        assert_eq!(deployed.code, code, "{}", deployed.stderr);
        is_harmless(&deployed);
        deployed
    };
    deploy(&hostile(), 2);
    let deployed = deploy(&hostile().replace('\u{9b}', ""), 1);
    assert!(
        deployed.stderr.contains("cannot pull its image") && deployed.stderr.contains("owned"),
        "{}",
        deployed.stderr
    );
    assert!(says(&status(namespace), "image-pull").is_some());
    ok(&format!("delete event hostile -n {namespace}"));
    ends(namespace, "deploy --timeout 2m", 0);
}
