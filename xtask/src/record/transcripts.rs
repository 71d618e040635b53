//! What each command prints, as somebody sees it who types it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::command;
use crate::process;

/// Where transcripts lie, in the folder of the documentation.
pub const FOLDER: &str = "recorded";

/// A line that is typed.
enum Line {
    /// It prepares the next.
    First(&'static str),
    /// It is shown on the page of a command.
    Shown(&'static str, &'static str),
    /// The same, and its exit code says that something is wrong.
    Fails(&'static str, &'static str),
    /// The same, and it runs until Ctrl-C.
    RunsOn(&'static str, &'static str),
}
use Line::{Fails, First, RunsOn, Shown};

/// The lines, typed one after another.
const LINES: [Line; 17] = [
    Shown("deploy", "kubectl kubecoin deploy"),
    Shown("init-db", "kubectl kubecoin init-db"),
    First("kubectl kubecoin psql -c \"INSERT INTO wallets(id) VALUES ('anna'), ('ben'), ('carl')\""),
    Shown("psql", "kubectl kubecoin psql -c 'SELECT id, balance, coins FROM wallets'"),
    Shown("status", "kubectl kubecoin status"),
    Shown("dns-check", "kubectl kubecoin dns-check"),
    Shown("persistence-demo", "kubectl kubecoin persistence-demo --yes --under-load --report proof.json"),
    Shown("lesson", "kubectl kubecoin lesson 3 --predict a"),
    Shown("verify-report", "kubectl kubecoin verify-report proof.json"),
    Shown("replay", "kubectl kubecoin replay proof.json"),
    RunsOn("open", "kubectl kubecoin open --no-browser"),
    Shown("manifests", "kubectl kubecoin manifests | kubectl diff -f - && echo no difference"),
    Fails(
        "doctor",
        r#"kubectl patch service/backend-service -p '{"spec":{"selector":{"app":"api"}}}'; kubectl kubecoin doctor"#,
    ),
    First("kubectl kubecoin doctor --fix KC050 --yes"),
    Shown("rotate-password", "kubectl kubecoin rotate-password"),
    Shown("version", "kubectl kubecoin version"),
    Shown("teardown", "kubectl kubecoin teardown --yes"),
];

/// Types the lines, and writes what they show into a folder. Before the last one, something else is done with the exchange.
pub fn record(folder: &Path, at_last: impl FnOnce() -> Result<()>) -> Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let home = tempfile::tempdir()?;
    let [lines @ .., teardown] = &LINES;
    lines.iter().try_for_each(|line| line.record(folder, home.path()))?;
    process::step("the pictures", at_last)?;
    teardown.record(folder, home.path())
}

impl Line {
    fn record(&self, folder: &Path, home: &Path) -> Result<()> {
        let (page, line, shown) = match self {
            First(line) => return process::step(line, || typed(line, home).and_then(succeeded)).map(drop),
            Shown(page, line) => (page, line, process::step(line, || typed(line, home).and_then(succeeded))?),
            Fails(page, line) => (page, line, process::step(line, || typed(line, home).and_then(failed))?),
            RunsOn(page, line) => {
                let (_, shown) = process::step(line, || typed(&format!("timeout --signal INT 5 {line}"), home))?;
                (page, line, shown.replace("interrupted", "^Cinterrupted"))
            }
        };
        let path = folder.join(format!("{page}.txt"));
        fs::write(&path, format!("$ {line}\n{shown}")).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Types a line. Gives whether it succeeded, and what it showed on both of its streams.
fn typed(line: &str, home: &Path) -> Result<(bool, String)> {
    let output = command("sh", &["-c", &format!("{{ {line}; }} 2>&1")])?.current_dir(home).output()?;
    Ok((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
}

fn succeeded((succeeded, shown): (bool, String)) -> Result<String> {
    ensure!(succeeded, "it fails:\n{shown}");
    Ok(shown)
}

fn failed((succeeded, shown): (bool, String)) -> Result<String> {
    ensure!(!succeeded, "it finds nothing:\n{shown}");
    Ok(shown)
}
