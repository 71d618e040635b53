//! Programs from crates.io, built once and kept.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::process::{self, cargo};
use crate::{cache, paths};

/// A program, and the version that is used.
pub struct Crate {
    name: &'static str,
    version: &'static str,
}

/// Checks licences, sources and known weaknesses of the libraries.
pub const CARGO_DENY: Crate = Crate { name: "cargo-deny", version: "0.20.2" };

/// Lists the libraries that a program is built from.
pub const CARGO_CYCLONEDX: Crate = Crate { name: "cargo-cyclonedx", version: "0.5.9" };

impl Crate {
    /// The program, which is built if it is not there.
    pub fn build(&self) -> Result<PathBuf> {
        let Self { name, version } = self;
        let folder = paths::cache()?.join("crates").join(format!("{name}-{version}"));
        if !folder.exists() {
            let _lock = cache::lock(&folder)?;
            if !folder.exists() {
                self.make(&folder)?;
            }
        }
        cache::used(&folder)?;
        Ok(folder.join("bin").join(name))
    }

    fn make(&self, folder: &Path) -> Result<()> {
        let Self { name, version } = self;
        let partial = folder.with_added_extension("partial");
        process::step(&format!("building {name} {version}"), || {
            let install = &["install", "--quiet", "--locked", name, "--version", version, "--root"];
            process::output(cargo(install).arg(&partial))
        })?;
        fs::rename(&partial, folder).with_context(|| format!("cannot make {}", folder.display()))
    }
}
