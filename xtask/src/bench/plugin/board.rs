//! The board of a class: one command over the exchanges of 30 namespaces, all of them real and healthy.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::Unit;
use super::reading::STATUS;
use super::rest::busy_at_most;
use super::scene::Scene;
use super::timed::{in_turns, whole};
use crate::bench::table::{Aim, Row};
use crate::process;

/// How many exchanges are on the board: the scene's own one, and the learners'.
const ALL: usize = 30;

const BOARD: &str = "status --all-namespaces";

/// The namespace of the first learner; those of the others end with other numbers.
const FIRST: &str = "learner-01";

/// The label of what is deleted afterwards.
const LABEL: (&str, &str) = ("bench", "board");

/// The part of two processors that a node with 90 pods is busy with at most when nobody asks anything: looking after them takes
/// more than a quarter.
const AT_REST: f64 = 0.4;

/// How long it may take until all are healthy: three containers of each start on the same two processors.
const PATIENCE: Duration = Duration::from_mins(5);

/// The rows about it.
pub fn rows(scene: &Scene, rounds: usize) -> Result<Vec<Row>> {
    process::step(&format!("{} more exchanges", ALL - 1), || create(scene))?;
    process::step("waiting until all are healthy", || until_healthy(scene))?;
    process::step("waiting until the cluster is at rest", || busy_at_most(AT_REST))?;
    // Each board is one of exchanges that hold: else the command fails, and so does what times it.
    let [board, one, objects, one_of_objects] = in_turns(
        Unit::Seconds,
        rounds,
        [
            Box::new(|| whole(scene.plugin(BOARD)?)),
            Box::new(|| whole(scene.plugin("status")?)),
            Box::new(|| whole(scene.plugin(&format!("{BOARD} --no-db"))?)),
            Box::new(|| whole(scene.plugin(STATUS)?)),
        ],
    )?;
    until_healthy(scene)?;
    process::step("deleting them", || {
        scene.run_kubectl(&format!("delete namespaces,persistentvolumes --selector {}={}", LABEL.0, LABEL.1))
    })?;
    let row = |flag: &str, measured, one| Row {
        what: format!("`{BOARD}{flag}`, {ALL} healthy exchanges"),
        measured,
        beside: Some((format!("`status{flag}` of one"), one)),
        aim: Aim::AtMost(1.5),
    };
    Ok(vec![row("", board, one), row(" --no-db", objects, one_of_objects)])
}

/// Creates them all at once, each with its table.
fn create(scene: &Scene) -> Result<()> {
    let manifests = format!("manifests --client --include-secrets --namespace {FIRST}");
    let manifests = process::output(&mut scene.plugin(&manifests)?)?;
    let first = of_learner(serde_saphyr::from_multiple(&manifests).context("the manifests are no YAML")?);
    let text = Value::from(first).to_string();
    let mut items: Vec<Value> = Vec::new();
    for namespace in namespaces() {
        items.extend(serde_json::from_str::<Vec<Value>>(&text.replace(FIRST, &namespace))?);
    }
    let file = tempfile::NamedTempFile::with_suffix(".json")?;
    std::fs::write(&file, json!({ "apiVersion": "v1", "kind": "List", "items": items }).to_string())?;
    process::output(scene.kubectl("create --filename")?.arg(file.path()))?;
    namespaces().try_for_each(|namespace| scene.run_plugin(&format!("init-db --timeout 5m --namespace {namespace}")))
}

fn namespaces() -> impl Iterator<Item = String> {
    (1..ALL).map(|number| format!("learner-{number:02}"))
}

/// What a learner's namespace has, out of the exchange's manifests: that exchange, and what came of the lesson.
fn of_learner(mut exchange: Vec<Value>) -> Vec<Value> {
    let at = "2026-11-24T02:00:00Z";
    for object in &mut exchange {
        object["metadata"]["labels"][LABEL.0] = LABEL.1.into();
        if object["kind"] == "StatefulSet" {
            let proof = json!({ "holds": "yes", "at": at, "how": "delete" });
            object["metadata"]["annotations"]["kubectl-kubecoin/last-proof"] = proof.to_string().into();
        }
        let containers = object.pointer_mut("/spec/template/spec/containers").and_then(Value::as_array_mut);
        containers.into_iter().flatten().for_each(be_modest);
    }
    let answer = json!({ "holds": "yes", "at": at, "evidence": "sha256:00" }).to_string();
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": FIRST, "labels": { LABEL.0: LABEL.1 } } });
    let lesson = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "kubecoin-lesson", "namespace": FIRST },
        "data": { "question-1": answer, "question-2": answer, "exercise-1": answer },
    });
    [vec![namespace], exchange, vec![lesson]].concat()
}

/// Lets many containers run on one small node: none asks for more than nothing of it, and none is probed once it has started.
/// Probes start a program in every database every two seconds; a class has more than two processors for that.
fn be_modest(container: &mut Value) {
    container["resources"]["requests"] = json!({ "cpu": "1m", "memory": "1Mi" });
    if let Some(container) = container.as_object_mut() {
        container.remove("readinessProbe");
        container.remove("livenessProbe");
    }
}

/// Waits until the board says that all are healthy.
fn until_healthy(scene: &Scene) -> Result<()> {
    let begin = Instant::now();
    loop {
        let text = process::output(scene.plugin(BOARD)?.args(["--output", "json"]));
        match text.and_then(|text| are_healthy(&text)) {
            Err(error) if begin.elapsed() > PATIENCE => return Err(error.context("the exchanges are not healthy")),
            Err(_) => thread::sleep(Duration::from_secs(1)),
            Ok(()) => return Ok(()),
        }
    }
}

/// Makes sure that the board has them all, that each is healthy, and that something came of the lesson.
fn are_healthy(board: &str) -> Result<()> {
    let board: Value = serde_json::from_str(board).context("the board is no JSON")?;
    let items = board["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    ensure!(items.len() == ALL, "the board has {} exchanges, not {ALL}", items.len());
    if let Some(other) = items.iter().find(|item| item["health"] != "healthy") {
        bail!("not healthy: {other}");
    }
    let learners = items.iter().filter(|item| item["lesson"]["value"].get("2").is_some()).count();
    ensure!(learners == ALL - 1, "{learners} have answered a question, not {}", ALL - 1);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_board_is_healthy_only_as_a_whole() -> Result<()> {
        let learner = json!({ "health": "healthy", "lesson": { "value": { "2": {} } } });
        let mut items = vec![learner; ALL - 1];
        let board = |items: &[Value]| are_healthy(&json!({ "items": items }).to_string());
        assert!(board(&items).is_err(), "one is missing");
        items.push(json!({ "health": "healthy", "lesson": { "value": {} } }));
        board(&items)?;
        items[3]["health"] = "worksAsSeen".into();
        assert!(board(&items).is_err());
        Ok(())
    }

    #[test]
    fn a_learner_has_an_exchange_that_asks_for_little_and_is_not_probed() {
        let container = json!({ "name": "app", "startupProbe": {}, "readinessProbe": {}, "livenessProbe": {},
                                "resources": { "requests": { "cpu": "100m" }, "limits": { "cpu": "1" } } });
        let set = json!({ "kind": "StatefulSet", "metadata": { "name": "postgres" },
                          "spec": { "template": { "spec": { "containers": [container] } } } });
        let all = of_learner(vec![set, json!({ "kind": "Service", "metadata": { "name": "backend-service" } })]);
        let kinds: Vec<&str> = all.iter().filter_map(|object| object["kind"].as_str()).collect();
        assert_eq!(kinds, ["Namespace", "StatefulSet", "Service", "ConfigMap"]);
        let modest = json!({ "name": "app", "startupProbe": {},
                             "resources": { "requests": { "cpu": "1m", "memory": "1Mi" }, "limits": { "cpu": "1" } } });
        assert_eq!(all[1]["spec"]["template"]["spec"]["containers"], json!([modest]));
        assert_eq!(all[2].get("spec"), None);
    }
}
