//! The workspace's own tasks: `cargo xtask --help`.

// What people install is made on each platform that it is for.
mod cache;
mod dist;
mod hash;
mod paths;
mod plugin;
mod process;

// The test cluster, and all that stands on it, needs a Linux.
#[cfg(target_os = "linux")]
mod apt;
#[cfg(target_os = "linux")]
mod bench;
#[cfg(target_os = "linux")]
mod caller;
#[cfg(target_os = "linux")]
mod crates;
#[cfg(target_os = "linux")]
mod delivery;
#[cfg(target_os = "linux")]
mod demo;
#[cfg(target_os = "linux")]
mod generate;
#[cfg(target_os = "linux")]
mod images;
#[cfg(target_os = "linux")]
mod npm;
#[cfg(target_os = "linux")]
mod python;
#[cfg(target_os = "linux")]
mod record;
#[cfg(target_os = "linux")]
mod release;
#[cfg(target_os = "linux")]
mod test;
#[cfg(target_os = "linux")]
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
    #[cfg(target_os = "linux")]
    Demo(demo::Args),
    /// Build the exchange's images, and load or push them for a cluster
    #[cfg(target_os = "linux")]
    Images(delivery::Args),
    /// Run the tests: all groups, or those named
    #[cfg(target_os = "linux")]
    Test(test::Args),
    /// Measure the speed, side by side with what it is compared with
    #[cfg(target_os = "linux")]
    Bench(bench::Args),
    /// Make what people install: the plugin's archive, its checksum, and krew's manifest
    Dist(dist::Args),
    /// Make and check the parts of a release, step by step
    #[cfg(target_os = "linux")]
    Release(release::Args),
    /// Write the files of this repository that the plugin makes: completions/ and docs/commands/
    #[cfg(target_os = "linux")]
    Generate(generate::Args),
    /// Run each command once on the test cluster, and record for docs/ what it shows
    #[cfg(target_os = "linux")]
    Record,
    /// Start, use and delete a real Kubernetes on this machine
    #[cfg(target_os = "linux")]
    Testbed(testbed::Args),
}

impl Task {
    fn run(self) -> Result<ExitCode> {
        #[cfg(target_os = "linux")]
        testbed::choose()?;
        match self {
            #[cfg(target_os = "linux")]
            Self::Demo(args) => demo::run(args),
            #[cfg(target_os = "linux")]
            Self::Images(args) => delivery::run(args),
            #[cfg(target_os = "linux")]
            Self::Test(args) => test::run(&args),
            #[cfg(target_os = "linux")]
            Self::Bench(args) => bench::run(&args),
            Self::Dist(args) => dist::run(&args),
            #[cfg(target_os = "linux")]
            Self::Release(args) => release::run(args),
            #[cfg(target_os = "linux")]
            Self::Generate(args) => generate::run(&args),
            #[cfg(target_os = "linux")]
            Self::Record => {
                record::run()?;
                generate::write()?;
                Ok(ExitCode::SUCCESS)
            }
            #[cfg(target_os = "linux")]
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
