//! `cargo xtask demo`: from nothing to a running exchange, by the plugin, as a user would have it.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::process::{self, cargo, say};
use crate::{paths, testbed};

/// The lesson as the plugin has it. Each is a line that a user types.
const LESSON: [&str; 2] = ["kubectl kubecoin deploy --init-db", "kubectl kubecoin status"];

/// Brings the cluster up, runs the lesson on it and leaves the exchange running.
pub fn run() -> Result<ExitCode> {
    testbed::up(&testbed::Options::default())?;
    // As the tests build it: in release, everything would be compiled twice.
    process::step("building the plugin", || process::run(&mut cargo(&["build", "--locked"])))?;
    for line in LESSON {
        say(&format!("\n$ {line}"));
        process::run(&mut on_the_cluster(line)?)?;
    }
    let node = testbed::node_address(1);
    let port = process::output(&mut on_the_cluster(
        "kubectl get service frontend-service --output jsonpath={.spec.ports[0].nodePort}",
    )?)?;
    say(&format!("\nthe page:       http://{node}:{port}"));
    let plugin = paths::target()?.join("debug");
    say(&format!("your own turn:  eval \"$(cargo xtask testbed env)\"; export PATH={}:$PATH", plugin.display()));
    say("                kubectl delete pod postgres-0, and watch the page");
    say("take it away:   cargo xtask testbed down");
    Ok(ExitCode::SUCCESS)
}

/// A line without quotes, with the cluster's kubectl and the plugin where they are found first.
fn on_the_cluster(line: &str) -> Result<Command> {
    let mut words = line.split(' ');
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words);
    testbed::environment(&mut command, &testbed::plugin_folder()?)?;
    Ok(command)
}
