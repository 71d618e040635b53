//! The tests that cargo runs by itself.

use anyhow::{Result, ensure};
use serde_json::Value;

use super::Report;
use crate::process::{self, cargo};
use crate::{generate, plugin};

/// The packages, each built by itself, as it is for those who use it: what cargo compiles together gets the features that any
/// of it asks for, so the plugin would be compiled twice, and what is tested would not be what people get.
const PACKAGES: [&str; 2] = [plugin::NAME, "xtask"];

const TEST: [&str; 3] = ["test", "--locked", "--package"];

/// How many tests of one program run side by side.
const THREADS: &str = "8";

/// Builds them.
pub fn build() -> Result<()> {
    process::step("building the tests", || {
        PACKAGES.iter().try_for_each(|package| process::run(cargo(&TEST).args([package, "--no-run"])))
    })
}

pub fn run(report: &mut Report) -> Result<()> {
    for package in PACKAGES {
        // Most of them wait for a server of their own, or for a deadline.
        report
            .check(&format!("cargo test of {package}"), cargo(&TEST).arg(package).env("RUST_TEST_THREADS", THREADS))?;
    }
    report.check_here("libraries compiled once", compiled_once);
    report.check_here("generated files", generate::check);
    Ok(())
}

/// Whether the plugin is built with the libraries that its tests were built with.
fn compiled_once() -> Result<()> {
    let said = process::output(&mut cargo(&["build", "--locked", "--message-format", "json"]))?;
    let anew: Vec<String> = said.lines().filter_map(compiled).collect();
    ensure!(
        anew.is_empty(),
        "the plugin's own libraries were compiled beside those of its tests: {}\n\
        hint: compare `cargo tree --edges normal,build --format '{{p}} {{f}}'` with the same and `dev`; in Cargo.toml, \
        give the plugin the features that its tests have",
        anew.join(", "),
    );
    Ok(())
}

/// The package that cargo says it has compiled, and not found, in a line of its JSON.
fn compiled(line: &str) -> Option<String> {
    let value: Value = serde_json::from_str(line).ok()?;
    let is_it = value["reason"] == "compiler-artifact" && value["fresh"] == false;
    value["target"]["name"].as_str().filter(|_| is_it).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_compiled_is_told_from_what_was_there() {
        let line = |reason: &str, fresh: bool| {
            format!(r#"{{"reason":"{reason}","target":{{"name":"libc"}},"fresh":{fresh}}}"#)
        };
        assert_eq!(compiled(&line("compiler-artifact", false)), Some("libc".to_owned()));
        assert_eq!(compiled(&line("compiler-artifact", true)), None);
        assert_eq!(compiled(&line("build-script-executed", false)), None);
        assert_eq!(compiled("no JSON"), None);
    }
}
