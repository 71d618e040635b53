//! `cargo xtask generate`: the files of this repository that the plugin itself writes.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use crate::process::{self, cargo, say};
use crate::{paths, plugin};

/// Whether the files are written.
#[derive(clap::Args)]
pub struct Args {
    /// Write nothing, and fail if a file is not what the plugin writes now
    #[arg(long)]
    check: bool,
}

/// A file, and the words with which the plugin prints it.
struct Generated {
    file: &'static str,
    words: &'static [&'static str],
}

/// All of them. Shells look for files of these names.
const ALL: [Generated; 4] = [
    Generated { file: "completions/kubectl-kubecoin.bash", words: &["completion", "bash"] },
    Generated { file: "completions/_kubectl-kubecoin", words: &["completion", "zsh"] },
    Generated { file: "completions/kubectl-kubecoin.fish", words: &["completion", "fish"] },
    Generated { file: "completions/kubectl-kubecoin.ps1", words: &["completion", "powershell"] },
];

/// Writes the files, or checks them.
pub fn run(args: &Args) -> Result<ExitCode> {
    if args.check {
        check()?;
        return Ok(ExitCode::SUCCESS);
    }
    for (path, text) in all()? {
        let folder = path.parent().context("a file is in a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        say(&format!("{} written", path.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether each file is what the plugin writes now.
pub fn check() -> Result<()> {
    let stale: Vec<String> = all()?
        .into_iter()
        .filter(|(path, text)| fs::read_to_string(path).ok().as_ref() != Some(text))
        .map(|(path, _)| path.display().to_string())
        .collect();
    ensure!(stale.is_empty(), "stale: {}\nhint: cargo xtask generate", stale.join(", "));
    Ok(())
}

/// Each file with what the plugin, as it is in the workspace, writes.
fn all() -> Result<Vec<(PathBuf, String)>> {
    process::run(&mut cargo(&["build", "--locked", "--quiet"]))?;
    let program = paths::target()?.join("debug").join(plugin::NAME);
    ALL.iter()
        .map(|Generated { file, words }| {
            let text = process::output(Command::new(&program).args(*words))?;
            Ok((paths::workspace().join(file), text + "\n"))
        })
        .collect()
}
