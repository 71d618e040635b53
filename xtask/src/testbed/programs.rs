//! The programs of a cluster, built by Go from the modules in `testbed/` and kept by the hash of what goes into them. None is
//! installed on the system.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::hash::Inputs;
use crate::{cache, paths, process};

/// A Go module without Go code of its own: its `tool` lines name programs.
#[derive(Clone, Copy)]
pub struct Module {
    /// What it is for.
    name: &'static str,
    /// Its folder in the workspace.
    folder: &'static str,
}

/// All that a cluster runs on.
pub const CLUSTER: Module = Module { name: "the cluster's programs", folder: "testbed" };

/// The storage provisioner: in one module with the others, its dependencies would not build.
pub const STORAGE: Module = Module { name: "the storage provisioner", folder: "testbed/storage" };

/// krew, and its check of a plugin's manifest: they are built from older libraries than the others.
pub const KREW: Module = Module { name: "krew", folder: "testbed/krew" };

/// kube-router, whose firewall enforces network policies: a test of them takes it, for the cluster's own network has none.
pub const NETWORK: Module = Module { name: "kube-router", folder: "testbed/network" };

/// actionlint and kube-score, which check the workflows and the manifests.
pub const LINT: Module = Module { name: "linters", folder: "testbed/lint" };

/// How often a long build says where it is.
const PROGRESS: Duration = Duration::from_secs(15);

/// How many of a failed build's last lines are shown.
const SHOWN: usize = 30;

impl Module {
    /// The folder of its programs, which are built if they are not there.
    pub fn build(self) -> Result<PathBuf> {
        // One build at a time: images ask for programs while the cluster does.
        static ONE: Mutex<()> = Mutex::new(());
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = self.folder()?;
        if !folder.exists() {
            let _lock = cache::lock(&folder)?;
            if !folder.exists() {
                self.make(&folder)?;
            }
        }
        cache::used(&folder)?;
        Ok(folder)
    }

    fn make(self, folder: &Path) -> Result<()> {
        // Named by the same hash: what an interrupted build has finished is not lost, and never taken for the whole.
        let partial = folder.with_extension("partial");
        fs::create_dir_all(&partial).with_context(|| format!("cannot make {}", partial.display()))?;
        process::step(&format!("building {}", self.name), || self.install(&partial))?;
        fs::rename(&partial, folder).with_context(|| format!("cannot make {}", folder.display()))
    }

    /// The folder that its programs are in once they are built.
    pub fn folder(self) -> Result<PathBuf> {
        Ok(paths::cache()?.join("programs").join(self.digest()?))
    }

    /// What its programs are named by.
    pub fn digest(self) -> Result<String> {
        let folder = paths::workspace().join(self.folder);
        let flags = self.flags()?;
        let words = flags.iter().map(String::as_str).chain([std::env::consts::ARCH]);
        Ok(Inputs::new(words).path(&folder.join("go.mod"))?.path(&folder.join("go.sum"))?.digest())
    }

    fn flags(self) -> Result<Vec<String>> {
        let path = paths::workspace().join(self.folder).join("go.mod");
        let module = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut linker = vec!["-s -w".to_owned()];
        if let Some(version) = version_of("k8s.io/kubernetes", &module) {
            let (major, minor) = major_and_minor(version).with_context(|| format!("no version: {version}"))?;
            // Or the API server calls itself v0.0.0-master.
            for (name, value) in [("gitVersion", version), ("gitMajor", major), ("gitMinor", minor)] {
                linker.push(format!("-X k8s.io/component-base/version.{name}={value}"));
            }
        }
        // runc cannot start pods without seccomp, which takes cgo. The rest keeps what runs in images of its own clear of cgo,
        // and so static.
        Ok(["-trimpath", "-tags=seccomp,netgo,osusergo,datadog.no_waf", &format!("-ldflags={}", linker.join(" "))]
            .map(str::to_owned)
            .into())
    }

    fn install(self, into: &Path) -> Result<()> {
        let mut go = Command::new("go");
        go.args(["install", "-v"]).args(self.flags()?).arg("tool");
        go.current_dir(paths::workspace().join(self.folder)).env("GOBIN", into).env("CGO_ENABLED", "1");
        let mut child = go.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().context("cannot start go")?;
        let mut last = VecDeque::new();
        let mut compiled = 0;
        let mut said = Instant::now();
        for line in child.stderr.take().map(BufReader::new).into_iter().flat_map(BufReader::lines) {
            let line = line?;
            compiled += 1;
            if said.elapsed() > PROGRESS {
                process::say(&format!("  {compiled} packages, now {line}"));
                said = Instant::now();
            }
            last.push_back(line);
            if last.len() > SHOWN {
                last.pop_front();
            }
        }
        let status = child.wait()?;
        if !status.success() {
            bail!("`{}` failed: {status}\n{}", process::shown(&go), last.make_contiguous().join("\n"));
        }
        Ok(())
    }
}

/// The version that a go.mod requires of a module, as it stands there (`v1.2.3`).
fn version_of<'a>(name: &str, module: &'a str) -> Option<&'a str> {
    module.lines().find_map(|line| {
        let mut words = line.trim().trim_start_matches("require ").split_whitespace();
        (words.next() == Some(name)).then(|| words.next()).flatten()
    })
}

fn major_and_minor(version: &str) -> Option<(&str, &str)> {
    let mut parts = version.strip_prefix('v')?.split('.');
    Some((parts.next()?, parts.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_required_one() {
        let module =
            "tool (\n\tk8s.io/kubernetes/cmd/kubectl\n)\nrequire (\n\tk8s.io/kubernetes v1.37.2 // indirect\n)";
        assert_eq!(version_of("k8s.io/kubernetes", module), Some("v1.37.2"));
        assert_eq!(version_of("k8s.io/api", module), None);
        assert_eq!(major_and_minor("v1.37.2"), Some(("1", "37")));
        assert_eq!(major_and_minor("master"), None);
    }

    #[test]
    fn the_programs_of_the_two_modules_are_kept_apart() -> Result<()> {
        assert_ne!(CLUSTER.digest()?, STORAGE.digest()?);
        Ok(())
    }
}
