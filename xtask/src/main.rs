//! The workspace's own tasks: `cargo xtask --help`.

mod apt;
mod bench;
mod cache;
mod caller;
mod crates;
mod delivery;
mod demo;
mod dist;
mod generate;
mod hash;
mod images;
mod npm;
mod paths;
mod plugin;
mod process;
mod python;
mod record;
mod test;
mod testbed;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// The tasks of the kubectl-kubecoin workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Create a test cluster, deploy the exchange on it, and run the lesson
    Demo(demo::Args),
    /// Build the exchange's images, and load or push them for a cluster
    Images(delivery::Args),
    /// Run the tests: all groups, or those named
    Test(test::Args),
    /// Measure the speed, side by side with what it is compared with
    Bench(bench::Args),
    /// Make what people install: the plugin's archive, its checksum, and krew's manifest
    Dist(dist::Args),
    /// Write the files of this repository that the plugin makes: completions/ and docs/commands/
    Generate(generate::Args),
    /// Run each command once on the test cluster, and record for docs/ what it shows
    Record,
    /// Start, use and delete a real Kubernetes on this machine
    Testbed(testbed::Args),
}

impl Task {
    fn run(self) -> Result<ExitCode> {
        match self {
            Self::Demo(args) => demo::run(args),
            Self::Images(args) => delivery::run(args),
            Self::Test(args) => test::run(&args),
            Self::Bench(args) => bench::run(&args),
            Self::Dist(args) => dist::run(&args),
            Self::Generate(args) => generate::run(&args),
            Self::Record => {
                record::run()?;
                generate::write()?;
                Ok(ExitCode::SUCCESS)
            }
            Self::Testbed(args) => testbed::run(args),
        }
    }
}

fn main() -> ExitCode {
    let task = Cli::parse().task;
    match paths::program().and_then(|_| task.run()) {
        Ok(code) => code,
        Err(error) => {
            process::say(&format!("error: {error:#}"));
            ExitCode::from(2)
        }
    }
}
