//! What one does with a cluster that is up: look, break, mend.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::Signal;

use super::components::{self, Component};
use super::layout::{self, Plan};
use super::lifecycle::PATIENCE;
use super::network::Place;
use super::supervisor::{self, Request, State};
use super::wait::{self, Deadline};
use super::{node, prerequisites, ready, status};

/// How long a component has to end after SIGTERM: the API server waits for its connections for longer than anybody likes to.
const GRACE: Duration = Duration::from_secs(5);

/// The plan of the cluster that is up.
pub fn plan() -> Result<Plan> {
    prerequisites::root()?;
    if supervisor::ask(&Request::Status)?.is_none() {
        bail!(status::NONE);
    }
    Plan::read()
}

/// Ends a component.
pub fn stop(name: &str, kill: bool) -> Result<()> {
    component(name)?;
    signal(name, if kill { Signal::KILL } else { Signal::TERM })?;
    if !kill && ended(name, GRACE).is_err() {
        signal(name, Signal::KILL)?;
    }
    ended(name, PATIENCE)
}

/// Starts a component that has ended.
pub fn start(name: &str) -> Result<()> {
    let (plan, component) = component(name)?;
    supervisor::ask(&Request::Start(component.program.clone()))?;
    ready::wait(&component, &plan, Deadline::after(PATIENCE))
}

/// Halts a component.
pub fn pause(name: &str) -> Result<()> {
    component(name)?;
    signal(name, Signal::STOP)?;
    reaches(name, PATIENCE, |state| *state == State::Paused)
}

/// Lets a paused component go on.
pub fn resume(name: &str) -> Result<()> {
    component(name)?;
    signal(name, Signal::CONT)?;
    reaches(name, PATIENCE, |state| *state == State::Running)
}

/// The command that prints a component's log.
pub fn logs(name: &str, follow: bool) -> Result<Command> {
    let log = layout::log(name);
    if name != "supervisor" {
        component(name)?;
    } else if !log.exists() {
        // Its log outlives it, and is looked at then above all.
        bail!(status::NONE);
    }
    let mut tail = Command::new("tail");
    tail.arg("--lines=+1");
    if follow {
        tail.arg("--follow");
    }
    tail.arg(log);
    Ok(tail)
}

/// Prints shell code for the use of the cluster.
pub fn env() -> Result<()> {
    plan()?;
    let code = format!(
        "export KUBECONFIG={}\nexport PATH={}:$PATH\nexport NO_PROXY={}${{NO_PROXY:+,$NO_PROXY}}\nexport {}={}\n",
        layout::kubeconfig().display(),
        layout::state("bin").display(),
        layout::network(),
        layout::CHOICE,
        layout::number(),
    );
    std::io::stdout().write_all(code.as_bytes()).context("cannot print")
}

/// The command that runs another one on a node.
pub fn on_node(number: u8, command: &[OsString]) -> Result<Command> {
    let plan = plan()?;
    if !plan.node_numbers().any(|there| there == number) {
        bail!("there is no node {number}: the cluster has {}", plan.nodes);
    }
    let supervisor = supervisor::pid()?.context("the supervisor is gone")?;
    let network = supervisor::path(supervisor, &Place::Node(number).network());
    let mounts = supervisor::path(supervisor, &node::mounts(number));
    let mut nsenter = Command::new("nsenter");
    nsenter.arg(format!("--target={supervisor}")).arg("--pid");
    nsenter.arg(format!("--net={}", network.display())).arg(format!("--mount={}", mounts.display()));
    nsenter.arg("--").args(command);
    Ok(nsenter)
}

/// A component by its name, and the cluster that it is of.
fn component(name: &str) -> Result<(Plan, Component)> {
    let plan = plan()?;
    let mut all = components::all(&plan);
    let Some(at) = all.iter().position(|component| component.program.name == name) else {
        let names: Vec<String> = all.into_iter().map(|component| component.program.name).collect();
        bail!("there is no component {name}\nhint: one of {}", names.join(", "));
    };
    Ok((plan, all.swap_remove(at)))
}

fn signal(name: &str, signal: Signal) -> Result<()> {
    supervisor::ask(&Request::Signal(name.to_owned(), signal.as_raw())).map(drop)
}

fn ended(name: &str, limit: Duration) -> Result<()> {
    reaches(name, limit, |state| matches!(state, State::Ended(_)))
}

fn reaches(name: &str, limit: Duration, wanted: impl Fn(&State) -> bool) -> Result<()> {
    wait::until(Deadline::after(limit), || {
        let all = supervisor::ask(&Request::Status)?.context("the supervisor is gone")?;
        Ok(match all.get(name) {
            Some(process) if wanted(&process.state) => Ok(()),
            Some(process) => Err(format!("{name} is {:?}", process.state)),
            None => Err(format!("{name} was never started")),
        })
    })
}
