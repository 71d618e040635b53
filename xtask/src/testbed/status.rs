//! How the components are, for people.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context, Result};

use super::components;
use super::layout::Plan;
use super::supervisor::{self, Process, Request, State};
use super::{cgroups, prerequisites, ready};

/// That there is no cluster.
pub const NONE: &str = "no cluster is up\nhint: cargo xtask testbed up";

/// Prints a line for each component, and for each that has ended the last lines of its log. The code is a failure unless all
/// are ready.
pub fn show() -> Result<ExitCode> {
    prerequisites::root()?;
    let Some(processes) = supervisor::ask(&Request::Status)? else {
        print(&format!("{NONE}\n"))?;
        return Ok(ExitCode::FAILURE);
    };
    let plan = Plan::read()?;
    let mut text = line("COMPONENT", "STATE", "READY", "MEMORY");
    let mut logs = String::new();
    let mut all_ready = true;
    for component in components::all(&plan) {
        let name = &component.program.name;
        let process = processes.get(name);
        let is_ready = match process {
            Some(Process { state: State::Running, .. }) => ready::check(&component.ready, &plan).is_ok(),
            _ => false,
        };
        all_ready &= is_ready;
        let (state, memory) = process.map_or(("never started".to_owned(), 0), |it| (it.state.to_string(), it.resident));
        text += &line(name, &state, if is_ready { "yes" } else { "no" }, &format!("{} MiB", memory / 1024));
        if let Some(Process { state: State::Ended(how), .. }) = process {
            let _ = write!(logs, "\n{name}: {how}; its last lines:\n{}", ready::last_lines(name));
        }
    }
    print(&text)?;
    print(&logs)?;
    print(&format!("\n{} MiB resident in all\n", resident()? / 1024))?;
    Ok(if all_ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The resident memory of all processes of the cluster, pods included, in KiB.
pub fn resident() -> Result<u64> {
    let of = |pid: i32| std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    Ok(cgroups::processes()?.into_iter().map(|pid| supervisor::parse_status(&of(pid)).1).sum())
}

fn line(name: &str, state: &str, ready: &str, memory: &str) -> String {
    format!("{name:<24} {state:<20} {ready:<6} {memory:>8}\n")
}

fn print(text: &str) -> Result<()> {
    std::io::stdout().write_all(text.as_bytes()).context("cannot print")
}
