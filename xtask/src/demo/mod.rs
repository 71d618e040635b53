//! `cargo xtask demo`: from nothing to a running exchange, by the plugin, as a user would have it.

mod place;
mod steps;

use std::process::ExitCode;

use anyhow::Result;

use crate::caller;
use crate::process::{self, cargo};
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
const LESSON: [Lesson; 4] = [
    ("the exchange: seconds if the cluster has the images", "kubectl kubecoin deploy --init-db"),
    ("what it is made of, and how it is", "kubectl kubecoin status"),
    ("its names in the cluster's DNS", "kubectl kubecoin dns-check --wait"),
    ("what outlives its pod", "kubectl kubecoin persistence-demo --under-load --report persistence-demo.html --yes"),
];

/// Gets a cluster ready, runs the lesson on it and leaves the exchange running.
pub fn run(args: Args) -> Result<ExitCode> {
    caller::not_by_sudo()?;
    let place = Place::find(args.context, args.registry)?;
    let mut steps = Steps::new(place.steps() + 1 + LESSON.len());
    place.before_building(&mut steps)?;
    // As the tests build it: in release, everything would be compiled twice.
    steps.next("the plugin: some minutes the first time, then seconds", || {
        steps::run(&mut cargo(&["build", "--locked"]), "cargo build --locked")
    })?;
    place.prepare(&mut steps)?;
    for (what, line) in LESSON {
        let mut command = place.command(line)?;
        let line = process::shown(&command);
        steps.next(what, || steps::run(&mut command, &line))?;
    }
    steps.close(&place.afterwards()?);
    Ok(ExitCode::SUCCESS)
}
