//! What a replicated database costs beside one server.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use serde_json::Value;

use super::scene::Scene;
use super::timed::whole;
use super::{Spread, Unit};
use crate::bench::table::{Aim, Row};
use crate::process;
use crate::testbed::wait::{self, Deadline};

/// Where both are deployed.
const TRIO: &str = "kc-bench-trio";
const ONE: &str = "kc-bench-one";

/// How long a deployment may take.
const PATIENCE: Duration = Duration::from_mins(5);

/// The pause until a command that waits is begun again, since what it waits for is not there yet: each takes the processors from
/// what is measured.
const BETWEEN: Duration = Duration::from_millis(500);

/// Waits for a synchronous standby, then commits: that is answered only when the standby has it too. It is one session, and not a
/// command again and again.
const ON_TWO: &str = "SELECT 'no standby' WHERE current_setting('synchronous_standby_names') = '' \\watch i=0.1 m=1
                      CREATE TABLE on_two ();";

/// The rows about deploying: each pair begins with neither objects nor data, and each side is the first as often as the other.
pub fn rows(scene: &Scene, pairs: usize) -> Result<Vec<Row>> {
    let [mut on_two, mut ready, mut deployed, mut one, mut of_trio, mut of_one] = [const { Vec::new() }; 6];
    for pair in 1..=pairs {
        for turn in 0..2 {
            if (pair + turn) % 2 == 0 {
                for (all, seconds) in [&mut on_two, &mut ready, &mut deployed].into_iter().zip(trio(scene)?) {
                    all.push(seconds);
                }
                of_trio.push(working_set(scene, TRIO, 3)?);
                whole(scene.plugin(&format!("teardown --delete-data --yes --namespace {TRIO}"))?)?;
            } else {
                // On the same kind of storage, which the members need.
                let words = format!("deploy --init-db --storage dynamic --create-namespace --namespace {ONE}");
                one.push(whole(scene.plugin(&words)?)?);
                of_one.push(working_set(scene, ONE, 1)?);
                whole(scene.plugin(&format!("teardown --delete-data --yes --namespace {ONE}"))?)?;
            }
        }
        process::say(&format!("  pair {pair} of {pairs}"));
    }
    let spread = |unit, measured| Spread::of(unit, measured).context("no pairs");
    let one = spread(Unit::Seconds, one)?;
    let beside = || Some(("`deploy --init-db --storage dynamic`, one server".to_owned(), one));
    Ok(vec![
        Row {
            what: "`deploy --ha --init-db`, until a row is on two members".to_owned(),
            measured: spread(Unit::Seconds, on_two)?,
            beside: beside(),
            aim: Aim::Times(1.5),
        },
        Row {
            what: "`deploy --ha --init-db`, until all three are ready".to_owned(),
            measured: spread(Unit::Seconds, ready)?,
            beside: beside(),
            aim: Aim::Times(2.0),
        },
        Row {
            what: "`deploy --ha --init-db`, until it ends".to_owned(),
            measured: spread(Unit::Seconds, deployed)?,
            beside: beside(),
            aim: Aim::Times(2.0),
        },
        Row {
            what: "memory of the three members, idle".to_owned(),
            measured: spread(Unit::Memory, of_trio)?,
            beside: Some(("memory of one server, idle".to_owned(), spread(Unit::Memory, of_one)?)),
            aim: Aim::AtMost(600.0 * 1024.0 * 1024.0),
        },
    ])
}

/// How many seconds a deployment takes until a row is on two members, until all three are ready, and until it ends.
fn trio(scene: &Scene) -> Result<[f64; 3]> {
    let deploy = scene.plugin(&format!("deploy --ha --init-db --create-namespace --namespace {TRIO}"))?;
    let begin = Instant::now();
    thread::scope(|scope| {
        let deployed = scope.spawn(|| whole(deploy));
        let on_two = scope.spawn(|| {
            let psql = format!("psql --namespace {TRIO} -- -v ON_ERROR_STOP=1");
            since(begin, "no row is on two members", ON_TWO, || scene.plugin(&psql))
        });
        let ready = since(begin, "not all members are ready", "", || {
            let limit = PATIENCE.as_secs();
            scene.kubectl(&format!(
                "wait --for=jsonpath={{.status.readyReplicas}}=3 statefulset/postgres -n {TRIO} --timeout={limit}s"
            ))
        });
        let [deployed, on_two] = [deployed, on_two].map(|one| one.join().map_err(|_| anyhow!("measuring panicked")));
        Ok([on_two??, ready?, deployed??])
    })
}

/// How many seconds it takes until a command succeeds, which waits by itself for most of that.
fn since(begin: Instant, missing: &str, input: &str, command: impl Fn() -> Result<Command>) -> Result<f64> {
    wait::until_every(BETWEEN, Deadline::after(PATIENCE), || {
        let mut command = command()?;
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().context("cannot start it")?;
        // It may have failed before it read.
        let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input.as_bytes()));
        if child.wait()?.success() {
            return Ok(Ok(begin.elapsed().as_secs_f64()));
        }
        Ok(Err(missing.to_owned()))
    })
}

/// The working set of a database's pods as the kubelet says it, in bytes: what `kubectl top` shows. Each pod is looked at after
/// this is called: a kubelet does so every 10 s.
fn working_set(scene: &Scene, namespace: &str, pods: usize) -> Result<f64> {
    let node = process::output(&mut scene.kubectl("get nodes --output jsonpath={.items[0].metadata.name}")?)?;
    let words = format!("get --raw /api/v1/nodes/{node}/proxy/stats/summary");
    let look = || anyhow::Ok(looks(&serde_json::from_str(&process::output(&mut scene.kubectl(&words)?)?)?, namespace));
    let before = look()?;
    wait::until(Deadline::after(PATIENCE), || {
        let now = look()?;
        let is_new = |(pod, (when, _)): (&String, &(String, f64))| before.get(pod).is_none_or(|(then, _)| then != when);
        let all = now.len() == pods && now.iter().all(is_new);
        Ok(if all {
            Ok(now.values().map(|(_, bytes)| bytes).sum())
        } else {
            Err("the kubelet did not look".to_owned())
        })
    })
}

/// When a kubelet looked at each pod of a database, and the working set that it found, in bytes: out of its summary.
fn looks(summary: &Value, namespace: &str) -> BTreeMap<String, (String, f64)> {
    let look = |pod: &Value| {
        let (reference, memory) = (&pod["podRef"], &pod["memory"]);
        let name = reference["name"].as_str().filter(|name| name.starts_with("postgres-"))?;
        let is_here = reference["namespace"] == namespace;
        is_here.then_some(())?;
        Some((name.to_owned(), (memory["time"].as_str()?.to_owned(), memory["workingSetBytes"].as_f64()?)))
    };
    summary["pods"].as_array().into_iter().flatten().filter_map(look).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_databases_own_pods_count() {
        let pod = |namespace: &str, name: &str, memory: Value| json!({ "podRef": { "name": name, "namespace": namespace }, "memory": memory });
        let memory = || json!({ "time": "2026-01-01T00:00:00Z", "workingSetBytes": 1024 });
        let summary = json!({ "pods": [
            pod("a", "postgres-0", memory()),
            pod("b", "postgres-0", memory()),
            pod("a", "backend-1", memory()),
            // Not looked at yet.
            pod("a", "postgres-1", json!({})),
        ] });
        let found = looks(&summary, "a");
        assert_eq!(found, [("postgres-0".to_owned(), ("2026-01-01T00:00:00Z".to_owned(), 1024.0))].into());
    }
}
