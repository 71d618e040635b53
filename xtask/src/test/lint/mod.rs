//! What is checked without running the program: its style, its licences, the workflows and the manifests.

mod score;

use std::process::Command;

use anyhow::Result;

use super::{Report, house};
use crate::apt::{self, Package};
use crate::crates::CARGO_DENY;
use crate::paths;
use crate::process::cargo;
use crate::testbed::programs;

/// actionlint has it check the shell lines of workflows.
const SHELLCHECK: Package = Package { name: "shellcheck", provides: "shellcheck" };

pub fn run(report: &mut Report) -> Result<()> {
    report.check_here("imports", house::check);
    report.check("rustfmt", &mut cargo(&["fmt", "--all", "--check"]))?;
    // A macro names these files, so cargo does not find them.
    let mut causes = paths::entries(&paths::workspace().join("src/findings/causes"))?;
    causes.retain(|file| file.extension().is_some_and(|extension| extension == "rs"));
    report
        .check("rustfmt of the causes", Command::new("rustfmt").args(["--check", "--edition", "2024"]).args(causes))?;
    let clippy = |targets: &[&str]| {
        let mut clippy = cargo(&["clippy", "--workspace", "--locked"]);
        clippy.args(targets).args(["--", "--deny", "warnings"]);
        clippy
    };
    report.check("clippy", &mut clippy(&["--all-targets"]))?;
    // All targets leave out those that `cargo test` leaves alone.
    report.check(
        "clippy of the tests on a cluster",
        &mut clippy(&["--test", "cluster", "--test", "krew", "--test", "testbed"]),
    )?;
    report.check(
        "rustdoc",
        cargo(&["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"])
            .env("RUSTDOCFLAGS", "--deny warnings"),
    )?;
    apt::require(&[SHELLCHECK])?;
    let mut actionlint = Command::new(programs::LINT.build()?.join("actionlint"));
    report.check(
        "workflows",
        actionlint.arg("-no-color").args(paths::entries(&paths::workspace().join(".github/workflows"))?),
    )?;
    report.check_here("manifests, by kube-score", score::check);
    report.check("licences and sources", &mut deny(&["licenses", "bans", "sources"])?)
}

/// Known weaknesses of the libraries.
pub fn advisories(report: &mut Report) -> Result<()> {
    report.check("advisories", &mut deny(&["advisories"])?)
}

fn deny(checks: &[&str]) -> Result<Command> {
    let mut deny = Command::new(CARGO_DENY.build()?);
    deny.args(["--locked", "check", "--hide-inclusion-graph"]).args(checks).current_dir(paths::workspace());
    Ok(deny)
}
