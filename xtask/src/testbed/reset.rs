//! An empty cluster again, without a new one.

use std::thread::{self, ScopedJoinHandle};
use std::time::Instant;

use anyhow::{Result, anyhow};

use super::layout::Plan;
use super::lifecycle::PATIENCE;
use super::lock::Lock;
use super::wait::Deadline;
use super::{addons, control, kubectl, node};
use crate::process;

/// The namespaces of the cluster itself.
const SYSTEM: [&str; 4] = ["kube-node-lease", "kube-public", "kube-system", "local-path-storage"];

/// What Kubernetes keeps in each namespace by itself.
const KEPT: &str = "metadata.name!=default,metadata.name!=kubernetes,metadata.name!=kube-root-ca.crt";

/// Removes every namespace and volume that is not the cluster's own, empties `default` and the nodes' disks, and puts the DNS
/// back as it was.
pub fn reset() -> Result<()> {
    let plan = control::plan()?;
    let _lock = Lock::take()?;
    let begin = Instant::now();
    // At once: each waits for Kubernetes most of the time, and none touches what another does.
    thread::scope(|scope| {
        let parts = [
            scope.spawn(|| end_namespaces(&plan)),
            scope.spawn(|| empty_default(&plan)),
            scope.spawn(|| {
                addons::apply(&plan)?;
                addons::wait(&plan, Deadline::after(PATIENCE))
            }),
        ];
        // All are waited for, and then the first error counts.
        let done: Vec<_> = parts.into_iter().map(ScopedJoinHandle::join).collect();
        done.into_iter().try_for_each(|part| part.map_err(|_| anyhow!("a part of the reset panicked"))?)
    })?;
    // Only now is nothing left that holds a volume or writes to a disk.
    act(&plan, &["delete", "persistentvolumes", "--all", "--timeout=30s"])?;
    plan.node_numbers().try_for_each(node::empty)?;
    process::say(&format!("the cluster is empty, in {:.1} s", begin.elapsed().as_secs_f64()));
    Ok(())
}

/// Deletes the namespaces that are not the cluster's own.
fn end_namespaces(plan: &Plan) -> Result<()> {
    let namespaces = foreign_namespaces(plan)?;
    let names: Vec<&str> = namespaces.iter().map(String::as_str).collect();
    if names.is_empty() {
        return Ok(());
    }
    // First, as Kubernetes waits for five seconds before it looks at what is inside, and then for as long as pods may take
    // to end if there are any.
    act(plan, &[&["delete", "namespaces", "--wait=false", "--ignore-not-found"], &names[..]].concat())?;
    let foreign: Vec<String> =
        SYSTEM.iter().chain(&["default"]).map(|name| format!("metadata.namespace!={name}")).collect();
    end_pods(plan, &["--all-namespaces", "--field-selector", &foreign.join(",")])?;
    gone(plan, &[&["namespaces"], &names[..]].concat())
}

fn foreign_namespaces(plan: &Plan) -> Result<Vec<String>> {
    let all = act(plan, &["get", "namespaces", "--output=jsonpath={.items[*].metadata.name}"])?;
    Ok(all.split(' ').filter(|name| *name != "default" && !SYSTEM.contains(name)).map(str::to_owned).collect())
}

/// Deletes all that `default` holds, of whatever kind, and waits for what takes time to go.
fn empty_default(plan: &Plan) -> Result<()> {
    let kinds = act(plan, &["api-resources", "--namespaced", "--verbs=list,delete", "--output=name"])?;
    let (makers, others): (Vec<&str>, Vec<&str>) = kinds
        .lines()
        .filter(|kind| !kind.starts_with("events"))
        .partition(|kind| matches!(kind.split_once('.'), Some((_, "apps" | "batch"))));
    // What makes pods goes first, or it makes them again; and without them, or they are given all the time that they ask for.
    delete(plan, &makers, &["--cascade=orphan", "--timeout=30s"])?;
    delete(plan, &others, &["--grace-period=1", "--wait=false"])?;
    end_pods(plan, &["--all", "--namespace=default"])?;
    gone(plan, &["pods,persistentvolumeclaims", "--all", "--namespace=default"])?;
    // All at once, as there are many, and last: pods cause some as they end.
    act(plan, &["delete", "--raw", "/api/v1/namespaces/default/events"]).map(drop)
}

fn delete(plan: &Plan, kinds: &[&str], how: &[&str]) -> Result<()> {
    let kept = format!("--field-selector={KEPT}");
    let what = ["delete", &kinds.join(","), &kept, "--namespace=default", "--ignore-not-found"];
    act(plan, &[&what, how].concat()).map(drop)
}

/// Ends pods without the time that a database asks for: its data goes too.
fn end_pods(plan: &Plan, which: &[&str]) -> Result<()> {
    act(plan, &[&["delete", "pods", "--grace-period=1", "--wait=false"], which].concat()).map(drop)
}

fn gone(plan: &Plan, what: &[&str]) -> Result<()> {
    act(plan, &[&["wait", "--for=delete", "--timeout=60s"], what].concat()).map(drop)
}

fn act(plan: &Plan, arguments: &[&str]) -> Result<String> {
    process::output(kubectl(plan).args(arguments))
}
