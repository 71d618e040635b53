//! `cargo xtask demo`: from nothing to a running exchange, by the plugin, as a user would have it.

mod place;
mod steps;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::process::{self, cargo};
use crate::{caller, paths};
use place::Place;
use steps::Steps;

/// Where the demo takes place.
#[derive(clap::Args)]
pub struct Args {
    /// Use this context of your kubeconfig, instead of a cluster made for it; kind, k3d and minikube get the images loaded
    #[arg(long, value_name = "NAME")]
    context: Option<String>,

    /// Push the images to this registry, from which the context's cluster pulls them (registry.example.org/kubecoin)
    #[arg(long, value_name = "PREFIX", requires = "context")]
    registry: Option<String>,
}

/// A step of the lesson: what it shows, and the line that a user types.
type Lesson = (&'static str, &'static str);

/// The lesson as the plugin has it.
const LESSON: [Lesson; 3] = [
    ("the exchange: seconds if the cluster has the images", "kubectl kubecoin deploy --init-db"),
    ("what it is made of, and how it is", "kubectl kubecoin status"),
    ("its names in the cluster's DNS", "kubectl kubecoin dns-check --wait"),
];

/// What `init-db` has made. Its SQL is one argument.
const TABLE: Lesson = ("the table of the wallets, which the page fills", "kubectl kubecoin psql");
const SQL: &str = "SELECT * FROM wallets";

/// What it comes to, written down in a report.
const PROOF: Lesson = (
    "what outlives its pod, and what does not without a volume",
    "kubectl kubecoin persistence-demo --under-load --contrast --yes",
);

/// Gets a cluster ready, runs the lesson on it and leaves the exchange running.
pub fn run(args: Args) -> Result<ExitCode> {
    caller::not_by_sudo()?;
    let place = Place::find(args.context, args.registry)?;
    let mut steps = Steps::new(place.steps() + 1 + LESSON.len() + 2);
    place.before_building(&mut steps)?;
    // As the tests build it: in release, everything would be compiled twice.
    steps.next("the plugin: some minutes the first time, then seconds", || {
        steps::run(&mut cargo(&["build", "--locked"]), "cargo build --locked")
    })?;
    place.prepare(&mut steps)?;
    for (what, line) in LESSON {
        lesson(&mut steps, what, place.command(line)?)?;
    }
    let (what, line) = TABLE;
    let mut table = place.command(line)?;
    table.args(["-c", SQL]);
    lesson(&mut steps, what, table)?;
    let report = report()?;
    let (what, line) = PROOF;
    let mut proof = place.command(line)?;
    proof.arg("--report").arg(report.with_extension("html")).arg("--report").arg(&report);
    lesson(&mut steps, what, proof)?;
    steps.close(&place.afterwards(&report)?);
    Ok(ExitCode::SUCCESS)
}

fn lesson(steps: &mut Steps, what: &str, mut command: Command) -> Result<()> {
    let line = process::shown(&command);
    steps.next(what, || steps::run(&mut command, &line))
}

/// The report's file: beside what was built, which no clone shares. An earlier demo's is written again.
fn report() -> Result<PathBuf> {
    let folder = paths::target()?.join("demo");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    Ok(folder.join("persistence.json"))
}
