//! Commands that go into a pod: psql, and questions to the cluster's DNS.

use std::io::{Seek as _, Write as _};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::Unit;
use super::scene::Scene;
use super::timed::{in_turns, whole, whole_with};
use crate::bench::table::{Aim, Row};

/// psql by hand.
const BY_HAND: &str = "exec postgres-0 -- psql -U postgres -d kubecoin -c";

const LITTLE: &str = "select 1";

/// 256 MiB of text.
const MUCH: &str = "COPY (SELECT repeat('x', 1048575) FROM generate_series(1, 256)) TO STDOUT";

/// How often the long ones are measured.
const FEW: usize = 3;

/// The rows about psql.
pub fn psql(scene: &Scene, rounds: usize) -> Result<Vec<Row>> {
    Ok(vec![
        against_exec(scene, rounds, "`psql -c 'select 1'`", LITTLE, Aim::Times(0.5))?,
        against_exec(scene, FEW, "256 MiB out of `psql`", MUCH, Aim::Times(1.0))?,
        into(scene)?,
    ])
}

/// The row about what goes in: rows that the server takes, parses and does not keep.
fn into(scene: &Scene) -> Result<Row> {
    const KEPT_NOWHERE: [&str; 4] =
        ["-c", "CREATE TEMPORARY TABLE t (line text)", "-c", "COPY t FROM STDIN WHERE line IS NULL"];
    let mut text = tempfile::tempfile().context("cannot make a file for 256 MiB")?;
    let line = [vec![b'x'; (1 << 20) - 1], vec![b'\n']].concat();
    for _ in 0..256 {
        text.write_all(&line).context("cannot write 256 MiB")?;
    }
    let with = |mut command: Command| {
        let mut text = text.try_clone()?;
        text.rewind()?;
        whole_with(command.args(KEPT_NOWHERE).stdin(text))
    };
    let [plugin, by_hand] = in_turns(
        Unit::Seconds,
        FEW,
        [
            Box::new(|| with(scene.plugin("psql")?)),
            Box::new(|| with(scene.kubectl("exec -i postgres-0 -- psql -U postgres -d kubecoin")?)),
        ],
    )?;
    let beside = Some(("the same through `kubectl exec -i`".to_owned(), by_hand));
    Ok(Row { what: "256 MiB into `psql`".to_owned(), measured: plugin, beside, aim: Aim::Times(1.0) })
}

fn against_exec(scene: &Scene, rounds: usize, what: &str, sql: &str, aim: Aim) -> Result<Row> {
    let with = |mut command: Command| {
        command.arg(sql);
        whole(command)
    };
    let [plugin, by_hand] = in_turns(
        Unit::Seconds,
        rounds,
        [Box::new(|| with(scene.plugin("psql -c")?)), Box::new(|| with(scene.kubectl(BY_HAND)?))],
    )?;
    let beside = Some(("the same through `kubectl exec`".to_owned(), by_hand));
    Ok(Row { what: what.to_owned(), measured: plugin, beside, aim })
}

/// The row about the DNS.
pub fn dns(scene: &Scene, rounds: usize) -> Result<Vec<Row>> {
    let [measured] = in_turns(Unit::Seconds, rounds, [Box::new(|| whole(scene.plugin("dns-check")?))])?;
    Ok(vec![Row { what: "`dns-check`, all its names".to_owned(), measured, beside: None, aim: Aim::AtMost(1.0) }])
}
