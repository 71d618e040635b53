//! The Python environments that tests run in.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::apt::Package;
use crate::hash::Inputs;
use crate::{apt, cache, paths, process};

/// The versions that the backend is for, the newest first.
pub const VERSIONS: [&str; 3] = ["3.13", "3.12", "3.11"];

/// The folder of the tests in Python.
pub fn folder() -> PathBuf {
    paths::workspace().join("app/tests")
}

/// The `python` of the newest version's environment.
pub fn environment() -> Result<PathBuf> {
    Interpreter::all()?.first().context("no Python found")?.environment()
}

/// A Python of this machine, which can make environments.
pub struct Interpreter {
    /// The whole version, as 3.13.0.
    pub version: String,
    program: PathBuf,
}

impl Interpreter {
    /// One of each version that the backend is for and that is here, the newest first; at least one.
    pub fn all() -> Result<Vec<Self>> {
        let found: Vec<Self> = VERSIONS.iter().filter_map(|version| Self::find(version)).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        apt::require(&[Package { name: "python3-venv", provides: "/usr/lib/python3*/ensurepip" }])?;
        match Self::ask("/usr/bin/python3".into()) {
            Some(python) if VERSIONS.iter().any(|version| python.is(version)) => Ok(vec![python]),
            _ => bail!("no Python {} found\nhint: install one of them", VERSIONS.join(", ")),
        }
    }

    /// The `python` of an environment that holds exactly what the tests' lock file names, hashes checked; made once and kept.
    pub fn environment(&self) -> Result<PathBuf> {
        let lock = folder().join("requirements.lock");
        let key = Inputs::new([self.version.as_str()]).path(&lock)?.digest();
        let home = paths::cache()?.join("python").join(key);
        let python = home.join("bin/python");
        // Written last: an environment without it was interrupted.
        let complete = home.join("complete");
        if complete.exists() {
            cache::used(&home)?;
            return Ok(python);
        }
        process::step(&format!("Python {} environment from {}", self.version, lock.display()), || {
            process::output(Command::new(&self.program).args(["-m", "venv", "--clear"]).arg(&home))?;
            let mut pip = Command::new(&python);
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]);
            process::output(pip.arg("--requirement").arg(&lock))?;
            fs::write(&complete, "").context("cannot finish the Python environment")
        })?;
        Ok(python)
    }

    /// The one of a version that `PATH` or pyenv has.
    fn find(version: &str) -> Option<Self> {
        let name = format!("python{version}");
        let of_pyenv = env::var_os("PYENV_ROOT")
            .map(PathBuf::from)
            .or_else(|| Some(env::home_dir()?.join(".pyenv")))
            .map(|root| apt::matching(&root.join(format!("versions/{version}.*/bin")).join(&name)))
            .unwrap_or_default();
        [PathBuf::from(name)].into_iter().chain(of_pyenv).find_map(Self::ask)
    }

    /// Asks a program for what it is: version managers put scripts in `PATH` that only say that they cannot run it.
    fn ask(program: PathBuf) -> Option<Self> {
        let question = "import ensurepip, platform; print(platform.python_version())";
        let version = process::output(Command::new(&program).args(["-c", question])).ok()?;
        Some(Self { version, program })
    }

    fn is(&self, version: &str) -> bool {
        self.version.strip_prefix(version).is_some_and(|rest| rest.starts_with('.'))
    }
}

/// What to say of versions that are not here, if any is not.
pub fn missing(found: &[Interpreter]) -> Option<String> {
    let missing: Vec<&str> =
        VERSIONS.into_iter().filter(|version| !found.iter().any(|python| python.is(version))).collect();
    (!missing.is_empty()).then(|| format!("no Python {} here: the backend is not tested on it", missing.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_are_not_here_are_named() {
        let found = |versions: &[&str]| -> Vec<Interpreter> {
            let python = |version: &&str| Interpreter { version: (*version).to_owned(), program: PathBuf::new() };
            versions.iter().map(python).collect()
        };
        assert_eq!(missing(&found(&["3.13.0", "3.12.1", "3.11.7"])), None);
        let some = missing(&found(&["3.12.1", "3.110.0"]));
        assert!(some.is_some_and(|line| line.contains("3.13, 3.11 ")));
    }
}
