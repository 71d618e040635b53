//! `cargo xtask dist`: what people install. The plugin's archive for a platform, its checksum, and krew's manifest.

mod archive;
mod manifest;
mod platform;
mod reproducible;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

use crate::hash::sha256;
use crate::process::say;
use crate::{paths, plugin};
use manifest::Manifest;
pub use platform::Platform;
#[cfg(target_os = "linux")]
pub use reproducible::copy_sources;

/// The release's tag in Git, which krew takes for the version.
pub const TAG: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// The checksums of all archives, as `sha256sum --check` takes them.
pub const SUMS: &str = "SHA256SUMS";

/// krew's template for the manifest, in the workspace: krew-release-bot fills it in at a release.
pub const TEMPLATE: &str = "krew-manifest.yaml";

/// The manifest's file. krew wants it to be called as the plugin is.
pub const MANIFEST: &str = "kubecoin.yaml";

/// How the archive is made.
#[derive(clap::Args)]
pub struct Args {
    /// Build for this Rust target [default: this machine's]
    #[arg(long, value_name = "TRIPLE", conflicts_with = "no_build")]
    target: Option<String>,

    /// Build once more from a copy of the sources in another folder, and compare the archives
    #[arg(long, conflicts_with = "no_build")]
    verify: bool,

    /// Write the checksums and the manifest of the archives that are there
    #[arg(long)]
    no_build: bool,

    /// Folder for the archives
    #[arg(long, value_name = "DIR", default_value = "dist")]
    into: PathBuf,
}

/// Makes it, and says what there is then.
pub fn run(args: &Args) -> Result<ExitCode> {
    let (folder, target) = (&args.into, args.target.as_deref());
    if !args.no_build {
        let archive = build(folder, target)?;
        if args.verify {
            reproducible::verify(&archive, target)?;
        }
    }
    describe(folder)?;
    Ok(ExitCode::SUCCESS)
}

/// The same for this machine, into a folder.
pub fn make(folder: &Path) -> Result<()> {
    build(folder, None)?;
    describe(folder)
}

/// Builds the archive of a target. Gives its file.
fn build(folder: &Path, target: Option<&str>) -> Result<PathBuf> {
    let archive = folder.join(Platform::of(target)?.archive(TAG));
    let program = plugin::build(target)?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    archive::write(&archive, &program)?;
    Ok(archive)
}

/// Writes the checksums and the manifest of the archives that are there.
pub fn describe(folder: &Path) -> Result<()> {
    let archives = archives(folder)?;
    let manifest = Manifest::from_template(&template()?, TAG, &archives)?;
    let sums: String = archives.iter().map(|(name, sum)| [sum, "  ", name, "\n"].concat()).collect();
    write(&folder.join(SUMS), &sums)?;
    write(&folder.join(MANIFEST), &manifest.yaml()?)?;
    for (name, sum) in &archives {
        say(&format!("{sum}  {}", folder.join(name).display()));
    }
    say(&format!("{}  {}", folder.join(MANIFEST).display(), manifest.platforms().join(", ")));
    Ok(())
}

fn template() -> Result<String> {
    let path = paths::workspace().join(TEMPLATE);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// The archives of this version in a folder, each with its checksum.
fn archives(folder: &Path) -> Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    for platform in Platform::ALL {
        let name = platform.archive(TAG);
        let path = folder.join(&name);
        if path.exists() {
            found.push((name, sha256(&path)?));
        }
    }
    ensure!(!found.is_empty(), "{} has no archive of {TAG}", folder.display());
    found.sort();
    Ok(found)
}
