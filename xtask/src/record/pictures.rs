//! Pictures of a run of `persistence-demo`: of the terminal, and of the report.

use std::fs;
use std::path::Path;
use std::process::Command;

use anstyle_svg::Term;
use anyhow::{Context, Result};

use super::command;
use crate::apt::Package;
use crate::process;

/// What takes a picture of a page.
pub const CHROMIUM: Package = Package { name: "chromium", provides: "chromium" };

/// As much of the report as a page of a README has room for.
const WINDOW: &str = "--window-size=960,1500";

/// What is typed.
const LINE: &str = "kubectl kubecoin persistence-demo --under-load --report report.html";

/// Records a run on the exchange that is there, into a folder.
pub fn draw(docs: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut demo = command("sh", &["-c", &format!("{LINE} --yes --color always")])?;
    let said = process::output(demo.current_dir(&folder)).context("persistence-demo")?;
    fs::write(docs.join("persistence-demo.svg"), Term::new().render_svg(&folded(&format!("$ {LINE}\n{said}"))))?;
    photograph(&folder.path().join("report.html"), &docs.join("persistence-demo-report.png"))
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
