//! `cargo xtask pictures`: what the README shows of `persistence-demo`, recorded from a run on the test cluster.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use anstyle_svg::Term;
use anyhow::{Context, Result, bail};

use crate::apt::{self, Package};
use crate::process::{self, cargo};
use crate::{paths, testbed};

const CHROMIUM: Package = Package { name: "chromium", provides: "chromium" };

/// Where the run takes place.
const NAMESPACE: &str = "lesson";

/// The user's rows.
const WALLETS: &str = "INSERT INTO wallets(id) VALUES ('anna'), ('ben'), ('carl') ON CONFLICT DO NOTHING";

/// As much of the report as a page of a README has room for.
const WINDOW: &str = "--window-size=960,1500";

/// Records a run on the cluster that is up, and draws it.
pub fn run() -> Result<ExitCode> {
    apt::require(&[CHROMIUM])?;
    if !testbed::is_up()? {
        bail!("no cluster is up\nhint: cargo xtask testbed up");
    }
    process::step("cargo build", || process::run(&mut cargo(&["build", "--locked"])))?;
    process::step("an exchange", || {
        process::output(&mut plugin(&["deploy", "--create-namespace", "--init-db"])?)?;
        process::output(&mut plugin(&["psql", "-c", WALLETS])?)
    })?;
    let folder = tempfile::tempdir()?;
    let report = folder.path().join("report.html");
    let path = report.to_str().context("a path that is text")?;
    let said = process::step("persistence-demo", || {
        process::output(&mut plugin(&[
            "persistence-demo",
            "--yes",
            "--under-load",
            "--color",
            "always",
            "--report",
            path,
        ])?)
    })?;
    process::step("the pictures", || {
        let docs = paths::workspace().join("docs");
        fs::create_dir_all(&docs)?;
        let line = format!("$ kubectl kubecoin persistence-demo -n {NAMESPACE} --under-load --report report.html");
        fs::write(docs.join("persistence-demo.svg"), Term::new().render_svg(&folded(&format!("{line}\n{said}"))))?;
        photograph(&report, &docs.join("persistence-demo-report.png"))
    })?;
    process::step("deleting the exchange", || {
        process::output(&mut plugin(&["teardown", "--delete-data", "--yes"])?)?;
        process::output(&mut command("kubectl", &["delete", "namespace", NAMESPACE])?)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The lines as a terminal breaks them that is no wider than a page of a README.
fn folded(text: &str) -> String {
    const COLUMNS: usize = 116;
    let mut folded = String::new();
    let (mut column, mut escape) = (0, false);
    for character in text.chars() {
        match character {
            '\n' => column = 0,
            '\u{1b}' => escape = true,
            'm' if escape => escape = false,
            _ if escape => {}
            _ => column += 1,
        }
        if column > COLUMNS {
            folded.push('\n');
            column = 1;
        }
        folded.push(character);
    }
    folded
}

/// The plugin, as users start it.
fn plugin(words: &[&str]) -> Result<Command> {
    command("kubectl", &[&["kubecoin", "-n", NAMESPACE], words].concat())
}

fn command(program: &str, words: &[&str]) -> Result<Command> {
    let mut command = Command::new(program);
    command.args(words);
    testbed::environment(&mut command, &testbed::plugin_folder()?)?;
    Ok(command)
}

/// The top of a page as Chromium shows it.
fn photograph(page: &Path, picture: &Path) -> Result<()> {
    let profile = tempfile::tempdir()?;
    let mut chromium = Command::new("chromium");
    // Root has no sandbox; the page has no script.
    chromium.args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", WINDOW]);
    chromium.arg(format!("--user-data-dir={}", profile.path().display()));
    chromium.arg(format!("--screenshot={}", picture.display())).arg(page);
    process::output(&mut chromium).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_seen_takes_room() {
        let line = "x".repeat(116);
        let painted = format!("\u{1b}[1;32m{line}\u{1b}[0m\n{line}");
        assert_eq!(folded(&painted), painted);
        assert_eq!(folded(&format!("{painted}yz")), format!("{painted}\nyz"));
    }
}
