//! The page: its packages and its build.

use std::path::PathBuf;
use std::process::Command;
use std::{fs, io};

use anyhow::{Context, Result};

use crate::hash::Inputs;
use crate::{caller, paths, process};

/// The folder of the page.
pub fn folder() -> PathBuf {
    paths::workspace().join("app/frontend")
}

/// `npm run SCRIPT` in the page's folder.
pub fn script(name: &str) -> Command {
    let mut npm = Command::new("npm");
    npm.args(["run", "--silent", name]).current_dir(folder());
    npm
}

/// Installs what the lock file names, if that is not what is installed.
pub fn install() -> Result<()> {
    let wanted = Inputs::new([]).path(&folder().join("package-lock.json"))?.digest();
    once(".kubecoin-lock", "node_modules", &wanted, || {
        process::step("npm ci", || {
            let mut npm = Command::new("npm");
            npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(folder());
            process::output(caller::as_caller(&mut npm)?).map(drop)
        })
    })
}

/// What the page is built from.
pub const SOURCES: [&str; 7] =
    ["index.html", "package-lock.json", "package.json", "public", "src", "tsconfig.json", "vite.config.ts"];

/// Builds the page into `dist/`, if that is not what its sources make.
pub fn build() -> Result<()> {
    install()?;
    let wanted = SOURCES.iter().try_fold(Inputs::new([]), |inputs, source| inputs.path(&folder().join(source)))?;
    once(".kubecoin-dist", "dist", &wanted.digest(), || {
        process::step("npm run build", || process::output(caller::as_caller(&mut script("build"))?).map(drop))
    })
}

/// Makes a folder out of inputs, unless it is there and their digest is what was noted when it was made.
fn once(note: &str, made: &str, digest: &str, act: impl FnOnce() -> Result<()>) -> Result<()> {
    // Gone with the packages: whatever was made of them is made again.
    let note = folder().join("node_modules").join(note);
    match fs::read_to_string(&note) {
        Ok(noted) if noted == digest && folder().join(made).exists() => return Ok(()),
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", note.display())),
    }
    act()?;
    fs::write(&note, digest).with_context(|| format!("cannot write {}", note.display()))?;
    caller::hand_over(&note)
}
