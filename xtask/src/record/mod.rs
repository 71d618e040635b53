//! `cargo xtask record`: what the documentation shows of real runs, recorded on the test cluster.

mod lessons;
mod pictures;
mod transcripts;

use std::collections::BTreeMap;
use std::fs;
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
    let lessons = paths::workspace().join("src/lesson/recorded");
    transcripts::record(&docs.join(transcripts::FOLDER), || {
        lessons::record(&lessons)?;
        pictures::draw(&docs)
    })?;
    testbed::reset()
}

/// What commands of the plugin printed in the last recording, by their names.
pub fn transcripts() -> Result<BTreeMap<String, String>> {
    let recorded = paths::entries(&paths::workspace().join("docs").join(transcripts::FOLDER))?;
    let transcripts = recorded.into_iter().map(|path| {
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok((path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), text))
    });
    transcripts.collect()
}

/// A program on the test cluster, with the plugin where kubectl finds it.
fn command(program: &str, words: &[&str]) -> Result<Command> {
    let mut command = Command::new(program);
    command.args(words);
    testbed::environment(&mut command, &testbed::plugin_folder()?)?;
    Ok(command)
}
