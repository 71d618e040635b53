//! What a replicated database costs beside one server.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::scene::Scene;
use super::timed::whole;
use super::{Spread, Unit};
use crate::bench::table::{Aim, Row};
use crate::process;
use crate::testbed::wait::{self, Deadline};

/// Where both are deployed.
const TRIO: &str = "kc-bench-trio";
const ONE: &str = "kc-bench-one";

/// How long a deployment may take.
const PATIENCE: Duration = Duration::from_mins(5);

/// A commit that is answered only when a standby has it too.
const ON_TWO: &str = "DO $$ BEGIN IF current_setting('synchronous_standby_names') = '' THEN RAISE 'no standby'; END IF; \
                      CREATE TABLE IF NOT EXISTS on_two (); END $$";

/// The rows about deploying: each pair begins with neither objects nor data, and each side is the first as often as the other.
pub fn rows(scene: &Scene, pairs: usize) -> Result<Vec<Row>> {
    let [mut on_two, mut ready, mut one, mut memory] = [const { Vec::new() }; 4];
    for pair in 1..=pairs {
        for turn in 0..2 {
            if (pair + turn) % 2 == 0 {
                let (two, three) = trio(scene)?;
                on_two.push(two);
                ready.push(three);
                memory.push(memory_of_members(scene)?);
                whole(scene.plugin(&format!("teardown --delete-data --yes --namespace {TRIO}"))?)?;
            } else {
                one.push(whole(scene.plugin(&format!("deploy --init-db --create-namespace --namespace {ONE}"))?)?);
                whole(scene.plugin(&format!("teardown --delete-data --yes --namespace {ONE}"))?)?;
            }
        }
        process::say(&format!("  pair {pair} of {pairs}"));
    }
    let spread = |unit, measured| Spread::of(unit, measured).context("no pairs");
    let one = spread(Unit::Seconds, one)?;
    let beside = || Some(("`deploy --init-db`, one server".to_owned(), one));
    Ok(vec![
        Row {
            what: "`deploy --ha --init-db`, until a row is on two members".to_owned(),
            measured: spread(Unit::Seconds, on_two)?,
            beside: beside(),
            aim: Aim::Times(1.5),
        },
        Row {
            what: "`deploy --ha --init-db`, until all three are ready".to_owned(),
            measured: spread(Unit::Seconds, ready)?,
            beside: beside(),
            aim: Aim::Times(2.0),
        },
        Row {
            what: "memory of the three members, idle".to_owned(),
            measured: spread(Unit::Memory, memory)?,
            beside: None,
            aim: Aim::AtMost(600.0 * 1024.0 * 1024.0),
        },
    ])
}

/// How many seconds a deployment takes until a row is on two members, and until all three are ready.
fn trio(scene: &Scene) -> Result<(f64, f64)> {
    let mut deploy = scene.plugin(&format!("deploy --ha --init-db --create-namespace --namespace {TRIO}"))?;
    let begin = Instant::now();
    let mut deploying =
        deploy.stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("cannot start the plugin")?;
    let on_two = wait::until(Deadline::after(PATIENCE), || {
        let written = psql(scene)?.output().context("cannot start the plugin")?;
        let seconds = begin.elapsed().as_secs_f64();
        Ok(if written.status.success() { Ok(seconds) } else { Err("no row is on two members".to_owned()) })
    });
    let ended = deploying.wait()?;
    let ready = begin.elapsed().as_secs_f64();
    anyhow::ensure!(ended.success(), "`{}` failed: {ended}", process::shown(&deploy));
    Ok((on_two?, ready))
}

fn psql(scene: &Scene) -> Result<Command> {
    let mut psql = scene.plugin(&format!("psql --namespace {TRIO} -c"))?;
    psql.arg(ON_TWO).stdin(Stdio::null());
    Ok(psql)
}

/// What the kernel counts for the containers of all members, in bytes.
fn memory_of_members(scene: &Scene) -> Result<f64> {
    let of = |member: u8| {
        let words = format!("exec postgres-{member} --namespace {TRIO} -- cat /sys/fs/cgroup/memory.current");
        let bytes: u32 =
            process::output(&mut scene.kubectl(&words)?)?.trim().parse().context("no memory is counted")?;
        Ok(f64::from(bytes))
    };
    (0..3).map(of).sum()
}
