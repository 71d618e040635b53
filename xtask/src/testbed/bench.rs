//! How long it takes from nothing to a cluster and back, and how much memory the cluster takes.

use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::{Options, down, is_up, status, up};

/// How often each is measured; the median is printed.
const ROUNDS: usize = 3;

/// Measures with the caches filled, and prints each figure with what it may be at most.
pub fn run() -> Result<()> {
    if is_up()? {
        bail!("a cluster is up, and measuring would take it away\nhint: cargo xtask testbed down");
    }
    // Fills the caches.
    round(1)?;
    let mut lines = format!("{:<32} {:>10} {:>10}\n", "", "measured", "at most");
    for (nodes, most) in [(1, 8), (2, 10)] {
        let mut rounds = (0..ROUNDS).map(|_| round(nodes)).collect::<Result<Vec<_>>>()?;
        let up = median(&mut rounds, |round| round.up);
        let down = median(&mut rounds, |round| round.down);
        let resident = median(&mut rounds, |round| round.resident) / 1024;
        lines += &line(&format!("up, nodes: {nodes}"), &seconds(up), &format!("{most} s"));
        lines += &line(&format!("down, nodes: {nodes}"), &seconds(down), "2 s");
        lines += &line(&format!("resident memory, nodes: {nodes}"), &format!("{resident} MiB"), "1228 MiB");
    }
    std::io::stdout().write_all(lines.as_bytes()).context("cannot print")
}

struct Round {
    up: Duration,
    down: Duration,
    /// In KiB.
    resident: u64,
}

fn round(nodes: u8) -> Result<Round> {
    let begin = Instant::now();
    up(&Options { nodes, ..Options::default() })?;
    let up = begin.elapsed();
    let resident = status::resident()?;
    let begin = Instant::now();
    down()?;
    Ok(Round { up, down: begin.elapsed(), resident })
}

fn median<T: Ord + Copy>(rounds: &mut [Round], of: impl Fn(&Round) -> T) -> T {
    rounds.sort_by_key(&of);
    of(&rounds[rounds.len() / 2])
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

fn line(what: &str, measured: &str, most: &str) -> String {
    format!("{what:<32} {measured:>10} {most:>10}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one() {
        let mut rounds = [3, 1, 2].map(|resident| Round { up: Duration::ZERO, down: Duration::ZERO, resident });
        assert_eq!(median(&mut rounds, |round| round.resident), 2);
    }
}
