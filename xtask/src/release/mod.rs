//! `cargo xtask release`: what each step of `.github/workflows/release.yml` runs, and can be run anywhere else.

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
