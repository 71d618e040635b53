//! `cargo xtask generate`: the files of this repository that the plugin itself writes.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure};

use crate::process::{self, cargo, say};
use crate::{paths, plugin, record, testbed};

/// Whether the files are written.
#[derive(clap::Args)]
pub struct Args {
    /// Write nothing, and fail if a file is not what the plugin writes now
    #[arg(long)]
    check: bool,
}

/// The scripts of the shells, by the names that these look for.
const SCRIPTS: [(&str, &str); 4] = [
    ("kubectl-kubecoin.bash", "bash"),
    ("_kubectl-kubecoin", "zsh"),
    ("kubectl-kubecoin.fish", "fish"),
    ("kubectl-kubecoin.ps1", "powershell"),
];

/// The page about the codes of findings.
const FINDINGS: &str = "docs/findings.md";

/// The lines around its part about faults, which the tests on a cluster write, and the heading before which it stands.
const FAULTS: [&str; 2] = ["<!-- faults: written by the tests on a cluster -->\n", "<!-- end of faults -->\n"];
const BEFORE: &str = "## KC001";

/// The folders that hold nothing else.
const FOLDERS: [&str; 2] = ["completions", "docs/commands"];

/// Writes the files, or checks them.
pub fn run(args: &Args) -> Result<ExitCode> {
    if args.check { check() } else { write() }?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the files, and deletes what else is in their folders.
pub fn write() -> Result<()> {
    let wanted = wanted()?;
    for path in there()?.iter().filter(|path| !wanted.iter().any(|(wanted, _)| wanted == *path)) {
        fs::remove_file(path).with_context(|| format!("cannot delete {}", path.display()))?;
        say(&format!("{} deleted", path.display()));
    }
    for (path, text) in wanted {
        let folder = path.parent().context("a file is in a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        say(&format!("{} written", path.display()));
    }
    Ok(())
}

/// Whether each file is what the plugin writes now, and there is no other one.
pub fn check() -> Result<()> {
    let wanted = wanted()?;
    let stale = wanted.iter().filter(|(path, text)| fs::read_to_string(path).ok().as_ref() != Some(text));
    let stale = stale.map(|(path, _)| path.clone());
    let strange = there()?.into_iter().filter(|path| !wanted.iter().any(|(wanted, _)| wanted == path));
    let wrong: Vec<String> = stale.chain(strange).map(|path| path.display().to_string()).collect();
    ensure!(wrong.is_empty(), "stale: {}\nhint: cargo xtask generate", wrong.join(", "));
    Ok(())
}

/// The files in the folders.
fn there() -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in FOLDERS.map(|folder| paths::workspace().join(folder)).iter().filter(|folder| folder.exists()) {
        files.extend(paths::entries(folder)?);
    }
    Ok(files)
}

/// Each file with what the plugin, as it is in the workspace, writes.
fn wanted() -> Result<Vec<(PathBuf, String)>> {
    process::run(&mut cargo(&["build", "--locked", "--quiet"]))?;
    let program = testbed::plugin_folder()?.join(plugin::NAME);
    let [completions, commands] = FOLDERS.map(|folder| paths::workspace().join(folder));
    let mut wanted = Vec::new();
    for (file, shell) in SCRIPTS {
        let text = process::output(Command::new(&program).args(["completion", shell]))?;
        wanted.push((completions.join(file), text + "\n"));
    }
    let findings = process::output(Command::new(&program).args(["reference", "findings"]))?;
    let page = paths::workspace().join(FINDINGS);
    let there = fs::read_to_string(&page).unwrap_or_default();
    wanted.push((page, with_faults(&(findings + "\n"), &there)));
    let pages = tempfile::tempdir()?;
    process::output(Command::new(&program).args(["reference", "markdown"]).arg(pages.path()))?;
    let mut transcripts = record::transcripts()?;
    for page in paths::entries(pages.path())? {
        let text = fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
        let name = page.file_name().context("a file has a name")?;
        let transcript = transcripts.remove(&*page.file_stem().unwrap_or_default().to_string_lossy());
        wanted.push((commands.join(name), with_transcript(&text, transcript.as_deref())));
    }
    if let Some(command) = transcripts.keys().next() {
        bail!("there is a recorded run of {command}, and no such command");
    }
    wanted.sort();
    Ok(wanted)
}

/// The page about the codes, with the part of the page that is there about faults; an empty one, if there is none.
fn with_faults(page: &str, there: &str) -> String {
    let [begin, end] = FAULTS;
    let part = there.split_once(begin).and_then(|(_, rest)| rest.split_once(end)).map_or("", |(part, _)| part);
    match page.split_once(BEFORE) {
        Some((before, after)) => [before, begin, part, end, "\n", BEFORE, after].concat(),
        None => page.to_owned(),
    }
}

/// A page, with what its command printed once, before the line that ends the page.
fn with_transcript(page: &str, transcript: Option<&str>) -> String {
    let Some(transcript) = transcript else { return page.to_owned() };
    let (text, end) = page.trim_end().rsplit_once("\n\n").unwrap_or((page, ""));
    [
        text,
        "\n\n## What it prints\n\nOn the test cluster:\n\n```console\n",
        transcript.trim_end(),
        "\n```\n\n",
        end,
        "\n",
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_about_faults_stays_as_it_is() {
        let [begin, end] = FAULTS;
        let page = "# a\n\n| table |\n\n## KC001 missing\n\ntext\n";
        let empty = with_faults(page, "");
        assert_eq!(empty, format!("# a\n\n| table |\n\n{begin}{end}\n## KC001 missing\n\ntext\n"));
        let there = empty.replace(end, &format!("\n## Faults\n\n{end}")).replace("text", "an older text");
        assert_eq!(with_faults(page, &there), there.replace("an older text", "text"));
    }

    #[test]
    fn a_transcript_stands_before_the_end_of_its_page() {
        let page = "# a\n\ntext\n\nThe end.\n";
        let with = "# a\n\ntext\n\n## What it prints\n\nOn the test cluster:\n\n```console\n$ a\n1\n```\n\nThe end.\n";
        assert_eq!(with_transcript(page, Some("$ a\n1\n")), with);
        assert_eq!(with_transcript(page, None), page);
    }
}
