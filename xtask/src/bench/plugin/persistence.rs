//! From the deletion of the database's pod to the first query that is answered again.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::scene::Scene;
use super::{Spread, Unit};
use crate::bench::table::{Aim, Row};
use crate::process;

/// How often a person's loop asks.
const POLL: Duration = Duration::from_millis(100);

/// As long as a pod may take to come back.
const PATIENCE: Duration = Duration::from_mins(2);

/// The rows about it, of so many pairs.
pub fn rows(scene: &Scene, pairs: usize) -> Result<Vec<Row>> {
    let (mut in_pod, mut by_name, mut around, mut hand) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for pair in 1..=pairs {
        for turn in 0..2 {
            if (pair + turn) % 2 == 0 {
                let begin = Instant::now();
                let said = process::output(&mut scene.plugin("persistence-demo --yes")?)?;
                let took = begin.elapsed().as_secs_f64();
                let down = Downtime::of(&said).with_context(|| format!("no downtime in what it said:\n{said}"))?;
                in_pod.push(down.in_pod);
                by_name.push(down.by_name);
                around.push(took - down.by_name);
            } else {
                hand.push(by_hand(scene)?);
            }
        }
    }
    let seconds = |measured| Spread::of(Unit::Seconds, measured).context("no pairs");
    let hand = seconds(hand)?;
    let against_hand = |what: &str, measured| -> Result<Row> {
        Ok(Row {
            what: format!("`persistence-demo`, from the deletion to the first answer {what}"),
            measured: seconds(measured)?,
            beside: Some(("`kubectl delete pod`, `kubectl wait` and psql every 100 ms".to_owned(), hand)),
            aim: Aim::Times(1.05),
        })
    };
    Ok(vec![
        against_hand("in the pod", in_pod)?,
        against_hand("by the name", by_name)?,
        Row {
            what: "`persistence-demo`, what it adds before the deletion and after the answer by the name".to_owned(),
            measured: seconds(around)?,
            beside: None,
            aim: Aim::AtMost(0.7),
        },
    ])
}

/// The same by hand. What is not there yet is asked for again.
fn by_hand(scene: &Scene) -> Result<f64> {
    let begin = Instant::now();
    scene.run_kubectl("delete pod postgres-0")?;
    for words in [
        "wait --for=condition=Ready --timeout=60s pod/postgres-0",
        "exec postgres-0 -- psql -U postgres -d kubecoin -c VALUES(1)",
    ] {
        while let Err(error) = scene.run_kubectl(words) {
            if begin.elapsed() > PATIENCE {
                return Err(error);
            }
            thread::sleep(POLL);
        }
    }
    Ok(begin.elapsed().as_secs_f64())
}

/// How many seconds the database was down, as its pod and as its name tell it.
#[derive(Debug, PartialEq)]
struct Downtime {
    in_pod: f64,
    by_name: f64,
}

impl Downtime {
    /// From `downtime: 1.234 s in the pod, 1.301 s by the name, …`.
    fn of(said: &str) -> Option<Self> {
        let line = said.lines().find_map(|line| line.strip_prefix("downtime: "))?;
        let (in_pod, rest) = line.split_once(" s in the pod, ")?;
        let (by_name, _) = rest.split_once(" s by the name")?;
        Some(Self { in_pod: in_pod.parse().ok()?, by_name: by_name.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_downtime_is_read_where_both_are_known() {
        let said = "ok\ndowntime: 1.234 s in the pod, 1.301 s by the name, since the deletion\n";
        assert_eq!(Downtime::of(said), Some(Downtime { in_pod: 1.234, by_name: 1.301 }));
        assert_eq!(Downtime::of("downtime: 1.234 s in the pod, not known by the name\n"), None);
        assert_eq!(Downtime::of("downtime: not known in the pod, not known by the name\n"), None);
        assert_eq!(Downtime::of(""), None);
    }
}
