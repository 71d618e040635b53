//! The same among many objects of other people, in the same namespace where there is one.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};
use ureq::Agent;

use super::Unit;
use super::reading::{DOCTOR, STATUS};
use super::rest::at_rest;
use super::scene::Scene;
use super::timed::{in_turns, whole};
use crate::bench::table::{Aim, Row};
use crate::{process, testbed};

/// How many of each kind.
const EACH: usize = 5_000;

/// How many requests are on their way at once.
const WORKERS: usize = 8;

/// How long the API server may take for one of them.
const PATIENCE: Duration = Duration::from_secs(30);

/// The rows about other people's objects.
pub fn rows(scene: &Scene, rounds: usize) -> Result<Vec<Row>> {
    let measure = || -> Result<_> {
        in_turns(
            Unit::Seconds,
            rounds,
            [Box::new(|| whole(scene.plugin(STATUS)?)), Box::new(|| whole(scene.plugin(DOCTOR)?))],
        )
    };
    // It would look at each claim and volume again and again, and whoever measures meets that or not.
    testbed::pause("kube-controller-manager")?;
    let quiet = measure()?;
    process::step(&format!("{EACH} pods, claims and volumes of other people"), || create(scene))?;
    process::step("waiting until the cluster is at rest", at_rest)?;
    let rows = [STATUS, DOCTOR].into_iter().zip(measure()?).zip(quiet).map(|((words, crowded), quiet)| Row {
        what: format!("`{words}` among {EACH} pods, {EACH} claims and {EACH} volumes of others"),
        measured: crowded,
        beside: Some(("without them".to_owned(), quiet)),
        aim: Aim::Times(1.2),
    });
    Ok(rows.collect())
}

/// Creates them, through a proxy of kubectl's: a process for each would take an hour.
fn create(scene: &Scene) -> Result<()> {
    let proxy = Proxy::start(scene)?;
    let agent: Agent = Agent::config_builder().proxy(None).timeout_global(Some(PATIENCE)).build().into();
    let next = AtomicUsize::new(0);
    let work = || -> Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= EACH {
                return Ok(());
            }
            for (path, object) in others(number) {
                let url = format!("{}{path}", proxy.url);
                agent.post(&url).content_type("application/json").send(object.to_string()).context(url)?;
            }
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow!("a worker panicked"))?)
    })
}

/// A pod that no scheduler takes, a claim that waits for a volume which will not come, and a volume that waits for a claim:
/// with them the cluster has nothing to do.
fn others(number: usize) -> [(&'static str, Value); 3] {
    let metadata = json!({ "name": format!("somebody-{number}"), "labels": { "app": "somebody" } });
    let storage = json!({ "storage": "1Gi" });
    [
        (
            "/api/v1/namespaces/default/pods",
            json!({
                "metadata": metadata,
                "spec": { "schedulerName": "nobody", "containers": [{ "name": "app", "image": "none.invalid/none:1" }] },
            }),
        ),
        (
            "/api/v1/namespaces/default/persistentvolumeclaims",
            json!({
                "metadata": metadata,
                "spec": {
                    "accessModes": ["ReadWriteOnce"], "storageClassName": "", "volumeName": format!("nothing-{number}"),
                    "resources": { "requests": storage },
                },
            }),
        ),
        (
            "/api/v1/persistentvolumes",
            json!({
                "metadata": metadata,
                "spec": {
                    "accessModes": ["ReadWriteOnce"], "capacity": storage, "hostPath": { "path": "/data/somebody" },
                    "claimRef": { "namespace": "elsewhere", "name": format!("somebody-{number}") },
                },
            }),
        ),
    ]
}

/// The API without TLS and credentials, on a port of this machine.
struct Proxy {
    child: Child,
    url: String,
}

impl Proxy {
    fn start(scene: &Scene) -> Result<Self> {
        let mut command = scene.kubectl("proxy --port=0")?;
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cannot start kubectl proxy")?;
        let mut proxy = Self { child, url: String::new() };
        let mut line = String::new();
        if let Some(stdout) = proxy.child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let address = line.trim().rsplit(' ').next().filter(|address| address.contains(':'));
        proxy.url = format!("http://{}", address.with_context(|| format!("kubectl proxy said {line:?}"))?);
        Ok(proxy)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
