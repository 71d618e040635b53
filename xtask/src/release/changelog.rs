//! What CHANGELOG.md says of a version. Its format is that of Keep a Changelog: a heading `## [0.1.0] - 2026-11-28`.

use std::fs;
use std::io::{self, Write as _};

use anyhow::{Context, Result, bail, ensure};

use crate::{dist, paths};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Fails unless the tag is this version's, and the version has a dated section that says something.
pub fn check(tag: &str) -> Result<()> {
    ensure!(tag == dist::TAG, "the tag is {tag}, but Cargo.toml has version {VERSION}, whose tag is {}", dist::TAG);
    notes(&read()?, VERSION).map(drop)
}

/// Prints the section of this version, without its heading.
pub fn print_notes() -> Result<()> {
    writeln!(io::stdout(), "{}", notes(&read()?, VERSION)?).context("cannot print")
}

fn read() -> Result<String> {
    fs::read_to_string(paths::workspace().join("CHANGELOG.md")).context("cannot read CHANGELOG.md")
}

/// The text of a version's section.
///
/// # Errors
/// If there is no such section, it has no date or no text, or what is written under Unreleased would stay there.
fn notes(changelog: &str, version: &str) -> Result<String> {
    let Some((date, text)) = section(changelog, version) else {
        bail!(
            "CHANGELOG.md has no section {version}\nhint: give Unreleased's text a heading: ## [{version}] - YYYY-MM-DD"
        );
    };
    let date = date.trim_start_matches([' ', '-']);
    ensure!(is_date(date), "the section {version} of CHANGELOG.md has no date (YYYY-MM-DD), but {date:?}");
    ensure!(!text.is_empty(), "the section {version} of CHANGELOG.md is empty");
    let left = section(changelog, "Unreleased").map(|(_, text)| text).unwrap_or_default();
    ensure!(left.is_empty(), "CHANGELOG.md still has text under Unreleased\nhint: move it to the section {version}");
    Ok(text)
}

/// The rest of a section's heading, and its text.
fn section(changelog: &str, name: &str) -> Option<(String, String)> {
    let heading = format!("## [{name}]");
    let mut lines = changelog.lines().skip_while(|line| !line.starts_with(&heading));
    let rest = lines.next()?.strip_prefix(&heading)?.to_owned();
    let text: Vec<&str> = lines.take_while(|line| !line.starts_with("## ")).collect();
    Some((rest, text.join("\n").trim().to_owned()))
}

fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [4, 2, 2] && parts.concat().bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGELOG: &str = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n### Added\n\n- A thing.\n\n\
                             ## [0.1.0] - 2026-11-28\n\n- The first.\n";

    #[test]
    fn a_version_has_its_own_section() -> Result<()> {
        assert_eq!(notes(CHANGELOG, "0.2.0")?, "### Added\n\n- A thing.");
        assert_eq!(notes(CHANGELOG, "0.1.0")?, "- The first.");
        Ok(())
    }

    #[test]
    fn a_section_that_is_not_finished_is_refused() -> Result<()> {
        for (from, to, why) in [
            ("[0.2.0]", "[0.2.1]", "has no section 0.2.0"),
            ("2026-12-01", "soon", "no date"),
            (" - 2026-12-01", "", "no date"),
            ("### Added\n\n- A thing.\n\n", "", "is empty"),
            ("## [Unreleased]\n", "## [Unreleased]\n\n- Forgotten.\n", "still has text under Unreleased"),
        ] {
            ensure!(CHANGELOG.contains(from), "no {from}");
            let refused = notes(&CHANGELOG.replacen(from, to, 1), "0.2.0").err().map(|error| error.to_string());
            assert!(refused.as_ref().is_some_and(|error| error.contains(why)), "no {why:?} in {refused:?}");
        }
        Ok(())
    }

    #[test]
    fn a_tag_of_another_version_is_refused() {
        for tag in ["v0.0.0", VERSION, "main"] {
            let refused = check(tag).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(refused.contains("whose tag is v"), "{tag}: {refused}");
        }
    }
}
