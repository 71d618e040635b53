//! A node without power: its network is silent, and none of its processes runs. What it has on its disks stays. Unlike a real
//! one it keeps what its kernel had not written to them yet.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use anyhow::{Context, Result, bail};

use super::components::{self, Component};
use super::layout::{Plan, node_name};
use super::lifecycle::PATIENCE;
use super::network::{self, Place};
use super::supervisor::{self, Request, State};
use super::wait::Deadline;
use super::{cgroups, control, node};

/// Takes the power away, as when a plug is pulled: those who talked to it get no answer, not even that a connection is closed.
pub fn off(number: u8) -> Result<()> {
    let components = of_node(&control::plan()?, number)?;
    plug(number, false)?;
    // First those that would start something.
    for name in names(&components, true)? {
        control::stop(&name, true)?;
    }
    let mounts = supervisor::path(supervisor_pid()?, &node::mounts(number));
    let mounts = fs::metadata(&mounts).with_context(|| format!("cannot look at {}", mounts.display()))?.ino();
    let is_on_it = |pid: i32| fs::metadata(format!("/proc/{pid}/ns/mnt")).is_ok_and(|its| its.ino() == mounts);
    cgroups::kill(Deadline::after(PATIENCE), || {
        // The containers' processes are in the group of the node, those that watch over them in its file system.
        let mut all = cgroups::processes_of(&node_name(number))?;
        all.extend(cgroups::processes()?.into_iter().filter(|pid| is_on_it(*pid)));
        Ok(all)
    })
}

/// Gives it back: the node starts its components, and the kubelet its pods.
pub fn on(number: u8) -> Result<()> {
    let components = of_node(&control::plan()?, number)?;
    plug(number, true)?;
    names(&components, false)?.iter().try_for_each(|name| control::start(name))
}

/// Pulls the plug of a node's network, or puts it in again. What runs on it goes on.
pub fn plug(number: u8, plugged: bool) -> Result<()> {
    network::plug(&supervisor::path(supervisor_pid()?, &Place::ControlPlane.network()), number, plugged)
}

fn of_node(plan: &Plan, number: u8) -> Result<Vec<Component>> {
    let mut all = components::all(plan);
    all.retain(|component| component.program.place == Place::Node(number));
    if all.is_empty() {
        bail!("there is no node {number}: the cluster has {}", plan.nodes);
    }
    Ok(all)
}

/// The names of the components that run, or of those that do not, in the order in which they are started.
fn names(components: &[Component], running: bool) -> Result<Vec<String>> {
    let all = supervisor::ask(&Request::Status)?.context("the supervisor is gone")?;
    let runs = |name: &String| all.get(name).is_some_and(|process| !matches!(process.state, State::Ended(_)));
    let names = components.iter().map(|component| component.program.name.clone());
    Ok(names.filter(|name| runs(name) == running).collect())
}

fn supervisor_pid() -> Result<i32> {
    supervisor::pid()?.context("the supervisor is gone")
}
