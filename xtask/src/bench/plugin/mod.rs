//! The plugin against what one types without it: whole processes, in turns, on the test cluster with its own kubectl.
//!
//! Each group is a list of rows; a new figure is one more row in the file of its subject.

mod board;
mod crowd;
mod database;
mod lifecycle;
mod members;
mod persistence;
mod reading;
mod rest;
mod scene;
mod timed;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::ValueEnum;

use super::statistics::{Spread, Unit};
use super::table::Row;
use crate::process::{self, say};
use scene::Scene;

/// How the plugin is measured.
#[derive(clap::Args)]
pub struct Args {
    /// What to measure; all of it if nothing is named
    groups: Vec<Group>,

    /// How often quick commands are measured
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,

    /// How often what changes the cluster is measured, side by side with the same by hand
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..))]
    pairs: u16,

    /// Measure this file, instead of building the plugin as people get it
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

/// A part of the table. In this order: the last one leaves a cluster that is of no more use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Group {
    /// deploy against `kubectl apply` and `kubectl wait`
    Lifecycle,
    /// The start, status and doctor against `kubectl get`
    Reading,
    /// psql against `kubectl exec`
    Psql,
    /// dns-check
    Dns,
    /// persistence-demo against deleting the pod by hand
    Persistence,
    /// A replicated database against one server
    Members,
    /// status of all namespaces, with 30 exchanges
    Board,
    /// status and doctor among 15,000 objects of other people
    Crowd,
}

impl Group {
    /// The command that it is about, if older plugins do not have it.
    fn command(self) -> Option<&'static str> {
        match self {
            Self::Psql => Some("psql"),
            Self::Dns => Some("dns-check"),
            Self::Persistence => Some("persistence-demo"),
            Self::Lifecycle | Self::Reading | Self::Members | Self::Board | Self::Crowd => None,
        }
    }
}

/// Measures, and takes the cluster away.
pub fn run(args: &Args) -> Result<Vec<Row>> {
    let scene = Scene::set(args.binary.as_deref())?;
    let mut groups = if args.groups.is_empty() { Group::value_variants().to_vec() } else { args.groups.clone() };
    groups.sort();
    groups.dedup();
    scene.deployed()?;
    let begin = Instant::now();
    let mut rows = Vec::new();
    for group in groups {
        if let Some(command) = group.command()
            && !scene.has(command)?
        {
            say(&format!("  not measured: the plugin has no {command}"));
            continue;
        }
        process::step("waiting until the cluster is at rest", rest::at_rest)?;
        rows.extend(process::step(&format!("measuring: {group:?}"), || match group {
            Group::Lifecycle => lifecycle::rows(&scene, args.pairs.into()),
            Group::Reading => reading::rows(&scene, args.rounds.into()),
            Group::Psql => database::psql(&scene, args.rounds.into()),
            Group::Dns => database::dns(&scene, args.rounds.into()),
            Group::Persistence => persistence::rows(&scene, args.pairs.into()),
            Group::Members => members::rows(&scene, args.pairs.into()),
            Group::Board => board::rows(&scene, args.rounds.into()),
            Group::Crowd => crowd::rows(&scene, args.rounds.into()),
        })?);
    }
    say(&format!("  measured in {:.0} s", begin.elapsed().as_secs_f64()));
    Ok(rows)
}
