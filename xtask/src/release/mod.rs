//! `cargo xtask release`: what each step of `.github/workflows/release.yml` runs. It can be run on any Debian or Ubuntu.

mod alone;
mod assets;
mod changelog;
mod images;
mod index;
mod manifests;
mod sbom;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

/// The arguments of `cargo xtask release`.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Subcommand)]
enum Step {
    /// Check that a tag is this version's, and that CHANGELOG.md has its section
    Check {
        /// The tag in Git
        tag: String,
    },
    /// Print what CHANGELOG.md says of this version
    Notes,
    /// Run the program of an archive on a root file system that has no other file
    Try {
        /// The archive, as `cargo xtask dist` writes it
        archive: PathBuf,
    },
    /// Build the exchange's images for this machine's processor, and push them
    Push(images::Args),
    /// Join the pushed images of all processors under one name each, and print the checksum of each
    Join(images::Args),
    /// Pull the images of the manifests for each processor, and write manifests that name them by digest
    Manifests(Assets),
    /// Write a list of the libraries that the plugin is built from (SBOM)
    Sbom(Assets),
    /// Check that no asset is missing, and write krew's manifest and the checksums
    Sums(Assets),
}

/// Where the assets are.
#[derive(clap::Args)]
struct Assets {
    /// Folder of the assets
    #[arg(long, value_name = "DIR", default_value = "dist")]
    into: PathBuf,
}

/// Does the step.
pub fn run(args: Args) -> Result<ExitCode> {
    match args.step {
        Step::Check { tag } => changelog::check(&tag)?,
        Step::Notes => changelog::print_notes()?,
        Step::Try { archive } => alone::run(&archive)?,
        Step::Push(args) => images::push(&args)?,
        Step::Join(args) => images::join(&args)?,
        Step::Manifests(Assets { into }) => manifests::write(&into)?,
        Step::Sbom(Assets { into }) => sbom::write(&into)?,
        Step::Sums(Assets { into }) => assets::sum(&into)?,
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use anyhow::{Context as _, ensure};
    use clap::Parser as _;
    use serde_json::Value;

    use super::*;
    use crate::dist::{Platform, TEMPLATE};
    use crate::images::Image;
    use crate::{Cli, paths, testbed};

    fn workflow(name: &str) -> Result<String> {
        Ok(fs::read_to_string(paths::workspace().join(".github/workflows").join(name))?)
    }

    /// What GitHub puts in, as one word.
    fn filled_in(line: &str) -> String {
        match line.split_once("${{").and_then(|(before, rest)| Some((before, rest.split_once("}}")?.1))) {
            Some((before, after)) => filled_in(&[before, "x", after].concat()),
            None => line.to_owned(),
        }
    }

    #[test]
    fn each_task_of_the_workflows_is_there() -> Result<()> {
        for (name, at_least) in [("test.yml", 3), ("kind.yml", 2), ("release.yml", 9)] {
            let text = workflow(name)?;
            let tasks: Vec<&str> = text.lines().filter_map(|line| Some(line.split_once("cargo xtask ")?.1)).collect();
            ensure!(tasks.len() >= at_least, "{name}: {tasks:?}");
            for task in tasks {
                let task = filled_in(task);
                let words = task.split_whitespace().take_while(|word| *word != ">");
                Cli::try_parse_from(["cargo xtask"].into_iter().chain(words))
                    .with_context(|| format!("{name}: {task}"))?;
            }
        }
        Ok(())
    }

    #[test]
    fn the_workflow_says_what_the_workspace_says() -> Result<()> {
        let text = workflow("release.yml")?;
        let release: Value = serde_saphyr::from_str(&text)?;
        let all = |field| {
            let mut found = BTreeSet::new();
            manifests::values(field, &release, &mut found);
            found.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let mut targets = Platform::ALL.map(Platform::target);
        targets.sort();
        assert_eq!(all("target"), targets);
        let image = testbed::image_name(Image::Backend)?;
        let registry = image.split('/').next().context("a registry")?;
        assert_eq!(all("registry"), [registry]);
        assert_eq!(all("krew_template_file"), [TEMPLATE]);
        Ok(())
    }
}
