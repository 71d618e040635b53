//! What creates and deletes an exchange.

use anyhow::{Context, Result};

use super::scene::{GONE, MANIFESTS, Scene};
use super::timed::{Act, in_a_row, whole};
use super::{Spread, Unit};
use crate::bench::table::{Aim, Row};
use crate::process;

/// Until all is ready: one command for all three workloads, or kubectl's start would count three times.
const WAIT: &str = "wait --for=jsonpath={.status.readyReplicas}=1 --timeout=120s \
                    statefulset/postgres deployment/backend deployment/frontend";

/// What teardown deletes; the data stays.
const TAKEN_AWAY: [&str; 6] = [
    "postgres-statefulset",
    "backend-deployment",
    "frontend-deployment",
    "postgres-headless-service",
    "backend-service",
    "frontend-service",
];

/// One side of the pairs, and what it took.
struct Side<'a> {
    act: Act<'a>,
    takes_away: Act<'a>,
    first: Vec<f64>,
    second: Vec<f64>,
    away: Vec<f64>,
}

impl<'a> Side<'a> {
    fn new(act: impl FnMut() -> Result<f64> + 'a, takes_away: impl FnMut() -> Result<f64> + 'a) -> Self {
        let (first, second, away) = Default::default();
        Self { act: Box::new(act), takes_away: Box::new(takes_away), first, second, away }
    }
}

/// The rows about deploying: each pair begins with neither objects nor data, and each side is the first as often as the
/// other.
pub fn rows(scene: &Scene, pairs: usize) -> Result<Vec<Row>> {
    let has_teardown = scene.has("teardown")?;
    let delete = format!("delete{}", TAKEN_AWAY.map(|name| format!(" --filename {MANIFESTS}/{name}.yaml")).concat());
    let mut sides = [
        Side::new(|| whole(scene.plugin("deploy")?), || whole(scene.plugin("teardown --yes")?)),
        Side::new(
            || in_a_row([scene.kubectl(&format!("apply --filename {MANIFESTS}"))?, scene.kubectl(WAIT)?]),
            || in_a_row([scene.kubectl(&delete)?, scene.kubectl(GONE)?]),
        ),
    ];
    for pair in 1..=pairs {
        for turn in 0..sides.len() {
            let side = &mut sides[(pair + turn) % 2];
            scene.cleared()?;
            side.first.push((side.act)()?);
            side.second.push((side.act)()?);
            if has_teardown {
                side.away.push((side.takes_away)()?);
            }
        }
        process::say(&format!("  pair {pair} of {pairs}"));
    }
    scene.cleared()?;
    scene.deployed()?;
    let [plugin, by_hand] = sides;
    let seconds = |measured| Spread::of(Unit::Seconds, measured).context("no pairs");
    let beside = "`kubectl apply -f` and `kubectl wait`".to_owned();
    let mut rows = vec![
        Row {
            what: "`deploy`, first run".to_owned(),
            measured: seconds(plugin.first)?,
            beside: Some((beside.clone(), seconds(by_hand.first)?)),
            aim: Aim::Times(1.1),
        },
        Row {
            what: "`deploy`, second run".to_owned(),
            measured: seconds(plugin.second)?,
            beside: Some((beside, seconds(by_hand.second)?)),
            aim: Aim::Times(0.5),
        },
    ];
    if has_teardown {
        rows.push(Row {
            what: "`teardown`, until the pods are gone".to_owned(),
            measured: seconds(plugin.away)?,
            beside: Some(("`kubectl delete -f` of the same, and `kubectl wait`".to_owned(), seconds(by_hand.away)?)),
            aim: Aim::Times(1.1),
        });
    }
    Ok(rows)
}
