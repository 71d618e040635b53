//! The Python environments that tests run in.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::apt::Package;
use crate::hash::Inputs;
use crate::{apt, paths, process};

/// The versions that the backend is for; the newest that is there is used.
const VERSIONS: [&str; 3] = ["3.13", "3.12", "3.11"];

/// The folder of the tests in Python.
pub fn folder() -> PathBuf {
    paths::workspace().join("app/tests")
}

/// The `python` of an environment that holds exactly what the tests' lock file names, hashes checked; made once and kept.
pub fn environment() -> Result<PathBuf> {
    let lock = folder().join("requirements.lock");
    let (interpreter, version) = interpreter()?;
    let key = Inputs::new([version.as_str()]).path(&lock)?.digest();
    let home = paths::cache()?.join("python").join(key);
    let python = home.join("bin/python");
    // Written last: an environment without it was interrupted.
    let complete = home.join("complete");
    if complete.exists() {
        return Ok(python);
    }
    process::step(&format!("Python {version} environment from {}", lock.display()), || {
        process::output(Command::new(&interpreter).args(["-m", "venv", "--clear"]).arg(&home))?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]);
        process::output(pip.arg("--requirement").arg(&lock))?;
        fs::write(&complete, "").context("cannot finish the Python environment")
    })?;
    Ok(python)
}

/// A Python that runs and can make environments, and its version.
fn interpreter() -> Result<(String, String)> {
    for version in VERSIONS {
        let name = format!("python{version}");
        // Asked for what it is: version managers put scripts in PATH that only say that they cannot run it.
        let ask = ["-c", "import ensurepip, platform; print(platform.python_version())"];
        if let Ok(version) = process::output(Command::new(&name).args(ask)) {
            return Ok((name, version));
        }
    }
    apt::require(&[Package { name: "python3-venv", provides: "/usr/lib/python3*/ensurepip" }])?;
    match process::output(
        Command::new("/usr/bin/python3").args(["-c", "import platform; print(platform.python_version())"]),
    ) {
        Ok(version) if VERSIONS.iter().any(|known| version.starts_with(known)) => {
            Ok(("/usr/bin/python3".to_owned(), version))
        }
        _ => bail!("no Python {} found\nhint: install one of them", VERSIONS.join(", ")),
    }
}
