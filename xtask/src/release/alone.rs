//! Whether the plugin needs a file of the system that it runs on: a libc, a shell, certificates, a list of users.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use flate2::read::GzDecoder;
use tar::Archive;

use crate::{apt, caller, plugin, process};

/// What it does there, and what must be in its answer.
const COMMANDS: [(&[&str], &str); 2] =
    [(&["version", "--client"], env!("CARGO_PKG_VERSION")), (&["completion", "bash"], plugin::NAME)];

/// Runs the program of an archive where there is no other file. Only root may change its root.
pub fn run(archive: &Path) -> Result<()> {
    if !apt::is_root()? {
        let archive = archive.to_string_lossy();
        return process::run(&mut caller::as_root(&["release", "try", &archive])?);
    }
    let root = tempfile::tempdir()?;
    unpack(archive, root.path())?;
    for (arguments, answer) in COMMANDS {
        let mut chroot = Command::new("chroot");
        chroot.arg(root.path()).arg(Path::new("/").join(plugin::NAME)).args(arguments);
        let said = process::output(&mut chroot).context("the plugin does not run without a system")?;
        ensure!(said.contains(answer), "{arguments:?} does not say {answer:?} there, but: {said}");
    }
    process::say(&format!("{} runs where there is no other file", archive.display()));
    Ok(())
}

/// Puts the program of an archive into a folder.
fn unpack(archive: &Path, folder: &Path) -> Result<()> {
    let file = File::open(archive).with_context(|| format!("cannot open {}", archive.display()))?;
    for entry in Archive::new(GzDecoder::new(file)).entries()? {
        let mut entry = entry.with_context(|| format!("cannot read {}", archive.display()))?;
        if entry.path()? == Path::new(plugin::NAME) {
            entry.unpack(folder.join(plugin::NAME))?;
            return Ok(());
        }
    }
    bail!("{} does not hold {}", archive.display(), plugin::NAME)
}
