//! Starting and reading.

use std::env;
use std::fs;
use std::process::Command;

use anyhow::{Context, Result};
use tempfile::TempDir;

use super::scene::Scene;
use super::timed::{in_a_row, in_turns, memory, whole};
use super::{Spread, Unit};
use crate::bench::table::{Aim, Row};
use crate::process;

/// The lesson's commands to see what is there.
const BY_HAND: [&str; 4] = ["get statefulset", "get pods", "get pv", "get pvc"];

/// The same without the part that runs a program in a pod.
pub const STATUS: &str = "status --no-db";

/// The same with all around it, and what DNS answers.
pub const DOCTOR: &str = "doctor";

/// How often memory is looked at.
const LOOKS: usize = 5;

/// The rows about starting and reading.
pub fn rows(scene: &Scene, rounds: usize) -> Result<Vec<Row>> {
    let [status, whole_status, doctor, by_hand, through, start] = in_turns(
        Unit::Seconds,
        rounds,
        [
            Box::new(|| whole(scene.plugin(STATUS)?)),
            Box::new(|| whole(scene.plugin("status")?)),
            Box::new(|| whole(scene.plugin(DOCTOR)?)),
            Box::new(|| in_a_row(BY_HAND.iter().map(|words| scene.kubectl(words)).collect::<Result<Vec<_>>>()?)),
            Box::new(|| whole(scene.kubectl(&format!("kubecoin {STATUS}"))?)),
            Box::new(|| whole(scene.kubectl("version --client")?)),
        ],
    )?;
    let [version, nothing] = in_turns(
        Unit::Seconds,
        rounds,
        [Box::new(|| whole(scene.plugin("version --client")?)), Box::new(|| whole(Command::new("/bin/true")))],
    )?;
    let folder = tempfile::tempdir()?;
    process::output(with_first(&folder, scene.plugin("completion install --folder")?)?.arg(folder.path()))?;
    let [tab] = in_turns(
        Unit::Seconds,
        rounds,
        [Box::new(|| whole(with_first(&folder, scene.kubectl("__complete kubecoin status --namespace kube-")?)?))],
    )?;
    let resident = |words: &str| -> Result<Spread> {
        let command = scene.plugin(words)?;
        let looks = (0..LOOKS).map(|_| memory(&command)).collect::<Result<Vec<_>>>()?;
        Spread::of(Unit::Memory, looks).context("not measured")
    };
    let size = fs::metadata(scene.file()).context("no plugin")?.len();
    Ok(vec![
        Row {
            what: format!("`kubectl-kubecoin {STATUS}`"),
            measured: status,
            beside: Some(("the lesson's four `kubectl get`".to_owned(), by_hand)),
            aim: Aim::Times(0.125),
        },
        Row {
            what: "`kubectl-kubecoin status`".to_owned(),
            measured: whole_status,
            beside: Some(("the same".to_owned(), by_hand)),
            aim: Aim::Times(0.5),
        },
        Row {
            what: format!("`kubectl-kubecoin {DOCTOR}`, which asks DNS too"),
            measured: doctor,
            beside: None,
            aim: Aim::AtMost(1.0),
        },
        Row {
            what: format!("`kubectl kubecoin {STATUS}`"),
            measured: through,
            beside: Some(("kubectl's own start: `kubectl version --client`".to_owned(), start)),
            aim: Aim::Above(0.025),
        },
        Row {
            what: "start: `kubectl-kubecoin version --client`".to_owned(),
            measured: version,
            beside: Some(("`/bin/true`".to_owned(), nothing)),
            aim: Aim::AtMost(0.003),
        },
        Row {
            what: "TAB after `kubectl kubecoin status --namespace kube-`".to_owned(),
            measured: tab,
            beside: None,
            aim: Aim::AtMost(0.2),
        },
        Row {
            what: "memory of `status`, at its most".to_owned(),
            measured: resident("status")?,
            beside: None,
            aim: Aim::AtMost(f64::from(16 << 20)),
        },
        Row {
            what: format!("memory of `{DOCTOR}`, at its most"),
            measured: resident(DOCTOR)?,
            beside: None,
            aim: Aim::AtMost(f64::from(30 << 20)),
        },
        Row {
            what: "the program, stripped".to_owned(),
            measured: Spread::of(Unit::Size, [f64::from(u32::try_from(size)?)]).context("not measured")?,
            beside: None,
            aim: Aim::AtMost(10e6),
        },
    ])
}

/// A command that finds the programs of a folder before others.
fn with_first(folder: &TempDir, mut command: Command) -> Result<Command> {
    let path = command.get_envs().find(|(name, _)| *name == "PATH").and_then(|(_, path)| path).unwrap_or_default();
    let path = env::join_paths([folder.path().to_owned()].into_iter().chain(env::split_paths(path)))?;
    command.env("PATH", path);
    Ok(command)
}
