//! `cargo xtask bench`: figures, each with the command that makes it.

mod app;
mod ha;
mod plugin;
pub mod statistics;
pub mod table;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Subcommand;

use crate::testbed;

/// What to measure.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Subcommand)]
enum Subject {
    /// The backend's requests a second and latencies, reads and trades
    App,
    /// The replicated database: rows that are lost, and how long a failover takes, while its parts fail
    Ha(ha::Args),
    /// The plugin against what one types without it, in turns on the test cluster
    Plugin(plugin::Args),
    /// The time from nothing to a cluster and back, and its memory
    Testbed,
}

/// Measures and prints a table. The code is a failure if a figure misses what it has to reach.
pub fn run(args: &Args) -> Result<ExitCode> {
    match &args.subject {
        Subject::App => app::run().map(|()| ExitCode::SUCCESS),
        Subject::Ha(args) => ha::run(args),
        Subject::Plugin(args) => closed(&plugin::run(args)?),
        Subject::Testbed => closed(&testbed::bench::run()?),
    }
}

fn closed(rows: &[table::Row]) -> Result<ExitCode> {
    std::io::stdout().write_all(table::of_rows(rows).as_bytes()).context("cannot print")?;
    Ok(if rows.iter().all(table::Row::is_reached) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
