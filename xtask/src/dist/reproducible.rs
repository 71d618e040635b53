//! Whether somebody else gets the same archive out of the same sources.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use walkdir::WalkDir;

use super::archive;
use crate::hash::sha256;
use crate::{paths, plugin, process};

/// What is made from the sources, and not a part of them.
const MADE: [&str; 5] = [".git", ".venv", "node_modules", "target", "__pycache__"];

/// Builds from a copy of the sources in another folder, from nothing, and compares the archives.
pub fn verify(archive: &Path, target: Option<&str>) -> Result<()> {
    let elsewhere = tempfile::tempdir()?;
    let copy = elsewhere.path().join("a folder of another name");
    let again = elsewhere.path().join("again.tar.gz");
    process::step("building once more, in another folder", || {
        copy_sources(&copy)?;
        let program = plugin::build_in(&copy, &elsewhere.path().join("target"), target)?;
        archive::write(&again, &program)
    })?;
    let (first, second) = (sha256(archive)?, sha256(&again)?);
    ensure!(first == second, "two builds of the same sources differ: {first} and {second}");
    process::say("both builds are the same");
    Ok(())
}

/// Copies the workspace, without what is made from it.
pub fn copy_sources(into: &Path) -> Result<()> {
    let root = paths::workspace();
    let sources =
        WalkDir::new(root).into_iter().filter_entry(|entry| !MADE.iter().any(|made| entry.file_name() == *made));
    for entry in sources {
        let entry = entry?;
        let to = into.join(entry.path().strip_prefix(root)?);
        if entry.file_type().is_dir() {
            fs::create_dir_all(&to)?;
        } else if entry.file_type().is_file() {
            fs::copy(entry.path(), &to).with_context(|| format!("cannot copy {}", entry.path().display()))?;
        }
    }
    Ok(())
}
