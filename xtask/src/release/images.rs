//! The exchange's images in their registry: one for each processor, and then all under one name.

use std::fs;
use std::io::{self, Write as _};
use std::process::Command;

use anyhow::{Context, Result};

use crate::dist::Platform;
use crate::images::{self, Image};
use crate::{apt, caller, delivery, process, testbed};

/// Where the images live.
#[derive(clap::Args)]
pub struct Args {
    /// Registry, as registry.example.org/kubecoin [default: that of Cargo.toml]
    #[arg(long, value_name = "PREFIX")]
    registry: Option<String>,
}

impl Args {
    /// The name of an image there, with the tag of this version.
    fn name(&self, image: Image) -> Result<String> {
        match &self.registry {
            Some(prefix) => delivery::in_registry(prefix, image),
            None => testbed::image_name(image),
        }
    }

    /// The words that ask for a step with these arguments.
    fn words<'a>(&'a self, step: &'a str) -> Vec<&'a str> {
        let registry = self.registry.iter().flat_map(|prefix| ["--registry", prefix]);
        ["release", step].into_iter().chain(registry).collect()
    }
}

/// Builds the images for this machine's processor, and pushes each under a tag that names it.
pub fn push(args: &Args) -> Result<()> {
    let platform = Platform::of(None)?;
    delivery::build_each(&args.words("push"), |image, reference| {
        delivery::push_as(reference, &of_one(&args.name(image)?, platform))
    })
}

/// Joins the images of all processors, and pushes each under its name. Prints the checksum of each, as `sha256sum` does.
pub fn join(args: &Args) -> Result<()> {
    if !apt::is_root()? {
        return process::run(&mut caller::as_root(&args.words("join"))?);
    }
    apt::require(&[images::BUILDAH])?;
    for image in delivery::OWN {
        let name = args.name(image)?;
        let digest = process::step(&format!("joining {name}"), || join_one(&name))?;
        let (repository, _) = repository_and_tag(&name)?;
        writeln!(io::stdout(), "{}  {repository}", digest.trim_start_matches("sha256:")).context("cannot print")?;
    }
    Ok(())
}

/// Gives the digest of the index. It is made in a storage of its own: a list of this name that is there would be added to.
fn join_one(name: &str) -> Result<String> {
    const LIST: &str = "joined";
    let folder = tempfile::tempdir()?;
    let manifest = |words: &[&str]| {
        let mut buildah = Command::new("buildah");
        buildah.arg("--root").arg(folder.path().join("root")).arg("--runroot").arg(folder.path().join("run"));
        buildah.args(["--storage-driver", "vfs", "manifest"]).args(words);
        buildah
    };
    process::output(&mut manifest(&["create", LIST]))?;
    for platform in Platform::on_linux() {
        process::output(&mut manifest(&["add", LIST, &format!("docker://{}", of_one(name, platform))]))?;
    }
    let digest = folder.path().join("digest");
    let mut push = manifest(&["push", "--all", "--quiet", "--digestfile"]);
    process::output(push.arg(&digest).args([LIST, &format!("docker://{name}")]))?;
    fs::read_to_string(&digest).context("buildah does not say the digest")
}

/// The name of an image for one processor alone.
fn of_one(name: &str, platform: Platform) -> String {
    format!("{name}-{}", platform.arch)
}

/// An image's name, apart from its tag.
pub fn repository_and_tag(name: &str) -> Result<(&str, &str)> {
    let split = name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'));
    split.with_context(|| format!("{name} has no tag"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_named_by_its_processor_and_then_without() -> Result<()> {
        let args = Args { registry: Some("localhost:5000/lesson".to_owned()) };
        let name = args.name(Image::Backend)?;
        let arm = Platform::of(Some("aarch64-unknown-linux-musl"))?;
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(of_one(&name, arm), format!("localhost:5000/lesson/kubecoin-backend:{version}-arm64"));
        assert_eq!(repository_and_tag(&name)?, ("localhost:5000/lesson/kubecoin-backend", version));
        assert!(repository_and_tag("localhost:5000/lesson/kubecoin-backend").is_err());
        Ok(())
    }

    #[test]
    fn root_is_asked_for_the_same() {
        let args = Args { registry: Some("localhost:5000/lesson".to_owned()) };
        assert_eq!(args.words("join"), ["release", "join", "--registry", "localhost:5000/lesson"]);
        assert_eq!(Args { registry: None }.words("push"), ["release", "push"]);
    }
}
