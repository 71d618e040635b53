//! What people install, and the real krew that installs it.

use anyhow::Result;

use super::Report;
use crate::apt::{self, Package};
use crate::process::cargo;
use crate::testbed::programs;
use crate::{dist, paths};

/// krew's index is a repository.
const GIT: Package = Package { name: "git", provides: "git" };

pub fn run(report: &mut Report) -> Result<()> {
    apt::require(&[GIT])?;
    let krew = programs::KREW.build()?;
    let kubectl = programs::CLUSTER.build()?;
    let folder = paths::target()?.join("dist-tested");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    if !report.check_here("dist", || dist::make(&folder)) {
        return Ok(());
    }
    let before = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([kubectl].into_iter().chain(std::env::split_paths(&before)))?;
    let mut tests = cargo(&["test", "--locked", "--package", "xtask", "--test", "krew"]);
    tests.env("PATH", path).env("KUBECOIN_KREW", krew).env("KUBECOIN_DIST", folder);
    report.check("krew", &mut tests)
}
