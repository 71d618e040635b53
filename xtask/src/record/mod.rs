//! `cargo xtask record`: what the documentation shows of real runs, recorded on the test cluster.

mod pictures;
mod transcripts;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process::{self, cargo};
use crate::{apt, paths, testbed};

/// Runs each command once on the cluster that is up, which is emptied before and after.
pub fn run() -> Result<()> {
    apt::require(&[pictures::CHROMIUM])?;
    if !testbed::is_up()? {
        bail!("no cluster is up\nhint: cargo xtask testbed up");
    }
    process::step("cargo build", || process::run(&mut cargo(&["build", "--locked"])))?;
    let docs = paths::workspace().join("docs");
    fs::create_dir_all(&docs)?;
    testbed::reset()?;
    transcripts::record(&docs.join(transcripts::FOLDER), || pictures::draw(&docs))?;
    testbed::reset()
}

/// The commands of which there is a recorded run.
pub fn transcripts() -> Result<Vec<String>> {
    let folder = paths::workspace().join("docs").join(transcripts::FOLDER);
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
    entries
        .map(|entry| {
            let name = entry?.file_name();
            Ok(Path::new(&name).file_stem().unwrap_or_default().to_string_lossy().into_owned())
        })
        .collect()
}

/// What a command of the plugin printed in the last recording, if it was recorded.
pub fn transcript(command: &str) -> Option<String> {
    let path = paths::workspace().join("docs").join(transcripts::FOLDER).join(format!("{command}.txt"));
    fs::read_to_string(path).ok()
}

/// A program on the test cluster, with the plugin where kubectl finds it.
fn command(program: &str, words: &[&str]) -> Result<Command> {
    let mut command = Command::new(program);
    command.args(words);
    testbed::environment(&mut command, &testbed::plugin_folder()?)?;
    Ok(command)
}
