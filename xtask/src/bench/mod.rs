//! `cargo xtask bench`: figures, each with the command that makes it.

mod app;

use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum;

use crate::testbed;

/// What to measure.
#[derive(clap::Args)]
pub struct Args {
    /// The subject
    subject: Subject,
}

#[derive(Clone, Copy, ValueEnum)]
enum Subject {
    /// The backend's requests a second and latencies, reads and trades
    App,
    /// The time from nothing to a cluster and back, and its memory
    Testbed,
}

/// Measures and prints a table.
pub fn run(args: &Args) -> Result<ExitCode> {
    match args.subject {
        Subject::App => app::run(),
        Subject::Testbed => testbed::bench::run(),
    }?;
    Ok(ExitCode::SUCCESS)
}
