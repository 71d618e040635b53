//! How long it takes from nothing to a cluster and back, and how much memory the cluster takes.

use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::{Options, down, is_up, status, up};
use crate::bench::statistics::{Spread, Unit};
use crate::bench::table::{Aim, Row};

/// How often each is measured.
const ROUNDS: usize = 3;

/// What bringing up may take, in seconds, by the number of nodes.
const UP: [(u8, f64); 2] = [(1, 8.0), (2, 10.0)];

/// What taking away may take, in seconds.
const DOWN: f64 = 2.0;

/// What a cluster may keep resident, in bytes.
const RESIDENT: f64 = 1.2 * 1024.0 * 1024.0 * 1024.0;

/// Measures with the caches filled.
pub fn run() -> Result<Vec<Row>> {
    if is_up()? {
        bail!("a cluster is up, and measuring would delete it\nhint: cargo xtask testbed down");
    }
    // Fills the caches.
    round(1)?;
    let mut rows = Vec::new();
    for (nodes, most) in UP {
        let rounds = (0..ROUNDS).map(|_| round(nodes)).collect::<Result<Vec<_>>>()?;
        let mut row = |what, unit, of: fn(&Round) -> f64, most| {
            let measured = Spread::of(unit, rounds.iter().map(of)).context("no rounds")?;
            let what = format!("{what}, nodes: {nodes}");
            rows.push(Row { what, measured, beside: None, aim: Aim::AtMost(most) });
            anyhow::Ok(())
        };
        row("up", Unit::Seconds, |round| round.up, most)?;
        row("down", Unit::Seconds, |round| round.down, DOWN)?;
        row("resident memory", Unit::Memory, |round| round.resident, RESIDENT)?;
    }
    Ok(rows)
}

struct Round {
    up: f64,
    down: f64,
    /// In bytes.
    resident: f64,
}

fn round(nodes: u8) -> Result<Round> {
    let begin = Instant::now();
    up(&Options { nodes, ..Options::default() })?;
    let up = begin.elapsed().as_secs_f64();
    let resident = f64::from(u32::try_from(status::resident()?)?) * 1024.0;
    let begin = Instant::now();
    down()?;
    Ok(Round { up, down: begin.elapsed().as_secs_f64(), resident })
}
