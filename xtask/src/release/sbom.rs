//! The lists of the libraries that the plugin is built from (SBOM), in `CycloneDX`'s format.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::crates::CARGO_CYCLONEDX;
use crate::dist::{self, Platform};
use crate::process;

/// The list for the archive of a platform.
pub fn file(platform: Platform) -> String {
    platform.archive(dist::TAG).replace(".tar.gz", ".cdx.json")
}

/// Writes a list for each platform: on macOS, the plugin has other libraries than on Linux.
pub fn write(into: &Path) -> Result<()> {
    let cyclonedx = CARGO_CYCLONEDX.build()?;
    fs::create_dir_all(into).with_context(|| format!("cannot make {}", into.display()))?;
    // It writes beside each Cargo.toml.
    let folder = tempfile::tempdir()?;
    dist::copy_sources(folder.path())?;
    for platform in Platform::ALL {
        let target = platform.target();
        let mut list = Command::new(&cyclonedx);
        list.args(["cyclonedx", "--quiet", "--format", "json", "--spec-version", "1.5", "--override-filename", "list"]);
        process::output(list.args(["--target", &target]).current_dir(folder.path()))?;
        let file = into.join(file(platform));
        // The folder is in the name by which the list calls the plugin.
        let text = fs::read_to_string(folder.path().join("list.json")).context("cargo-cyclonedx wrote no list")?;
        let text = text.replace(&*folder.path().to_string_lossy(), "/kubectl-kubecoin");
        fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        process::say(&format!("{} written", file.display()));
    }
    Ok(())
}
