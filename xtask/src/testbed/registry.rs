//! The images in the cluster's registry, under the names by which pods ask for them. The registry's storage is in the cache:
//! the next cluster finds it filled.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::layout::{REGISTRY_PORT, control_plane};
use crate::images::{self, Image};
use crate::{caller, paths, process};

/// What holds a pod's namespaces.
pub const PAUSE: &str = "registry.kubecoin.test/kubecoin/pause:1";

/// What every cluster has.
pub const STANDARD: [Image; 7] =
    [Image::Pause, Image::Coredns, Image::Busybox, Image::Postgres, Image::PostgresHa, Image::Backend, Image::Frontend];

/// The name by which pods ask for an image.
pub fn name(image: Image) -> Result<String> {
    Ok(match image {
        Image::Base => "docker.io/library/debian:trixie-slim".to_owned(),
        Image::Postgres => "docker.io/library/postgres:17".to_owned(),
        Image::Busybox => "docker.io/library/busybox:latest".to_owned(),
        Image::PostgresHa | Image::Backend | Image::Frontend => {
            format!("{}/kubecoin-{}:{}", own_registry()?, image.name(), env!("CARGO_PKG_VERSION"))
        }
        Image::Pause => PAUSE.to_owned(),
        Image::Coredns | Image::LocalPathProvisioner => format!("registry.kubecoin.test/kubecoin/{}:1", image.name()),
    })
}

/// Where the exchange's own images live, as the workspace says.
fn own_registry() -> Result<String> {
    #[derive(Deserialize)]
    struct Manifest {
        workspace: Workspace,
    }
    #[derive(Deserialize)]
    struct Workspace {
        metadata: Metadata,
    }
    #[derive(Deserialize)]
    struct Metadata {
        images: Images,
    }
    #[derive(Deserialize)]
    struct Images {
        registry: String,
    }
    let text = fs::read_to_string(paths::workspace().join("Cargo.toml")).context("cannot read the workspace")?;
    let manifest: Manifest = toml::from_str(&text).context("the workspace does not say where its images live")?;
    Ok(manifest.workspace.metadata.images.registry)
}

/// The storage of the registry.
pub fn storage() -> Result<PathBuf> {
    Ok(caller::cache_of_root()?.join("registry"))
}

/// An image in the storage, and the name by which pods ask for it.
pub type Named = (String, images::Built);

/// Builds what is missing of these images.
pub fn build(images: &[Image]) -> Result<Vec<Named>> {
    images.iter().map(|image| Ok((name(*image)?, images::build(*image)?))).collect()
}

/// Pushes what the registry does not have.
pub fn push(storage: &Path, images: &[Named]) -> Result<()> {
    images.iter().try_for_each(|(name, built)| push_one(storage, name, &built.reference))
}

/// Builds an image and puts it into the registry, under the name by which pods ask for it or another one.
pub fn load_built(storage: &Path, image: Image, other: Option<String>) -> Result<()> {
    let own = name(image)?;
    push_one(storage, &other.unwrap_or(own), &images::build(image)?.reference)
}

/// Puts an image of an archive (as docker, podman or buildah save it) into the registry.
pub fn load_archive(storage: &Path, archive: &Path, name: &str) -> Result<()> {
    let transport = if has_file(archive, "oci-layout")? { "oci-archive" } else { "docker-archive" };
    let pulled =
        process::output(images::buildah()?.args(["pull", "--quiet"]).arg(format!("{transport}:{}", archive.display())))
            .with_context(|| format!("{} is not an archive of an image", archive.display()))?;
    push_one(storage, name, pulled.lines().last().unwrap_or_default())
}

/// Pushes an image of the storage under a name, unless the registry has exactly that one there.
fn push_one(storage: &Path, name: &str, image: &str) -> Result<()> {
    let noted = storage.join("pushed.json");
    let mut pushed: BTreeMap<String, String> = match fs::read(&noted) {
        Ok(text) => serde_json::from_slice(&text).with_context(|| format!("cannot read {}", noted.display()))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", noted.display())),
    };
    if pushed.get(name).is_some_and(|there| there == image) {
        return Ok(());
    }
    let target = format!("docker://{}:{REGISTRY_PORT}/{}", control_plane(), path_and_tag(name)?);
    process::step(&format!("pushing {name}"), || {
        let mut buildah = images::buildah()?;
        buildah.args(["push", "--quiet", "--tls-verify=false", image, &target]);
        process::output(super::direct(&mut buildah))
    })?;
    pushed.insert(name.to_owned(), image.to_owned());
    let partial = noted.with_extension("partial");
    fs::write(&partial, serde_json::to_vec_pretty(&pushed)?)?;
    fs::rename(&partial, &noted).with_context(|| format!("cannot write {}", noted.display()))
}

/// Where the cluster's registry, which stands for all registries, keeps an image that is asked for by this full name.
fn path_and_tag(name: &str) -> Result<&str> {
    match name.split_once('/') {
        Some((registry, path)) if registry.contains(['.', ':']) && path.contains(':') => Ok(path),
        _ => bail!("{name} is not a full name\nhint: docker.io/library/busybox:latest is one"),
    }
}

fn has_file(archive: &Path, name: &str) -> Result<bool> {
    let list = process::output(std::process::Command::new("tar").arg("--list").arg("--file").arg(archive))?;
    Ok(list.lines().any(|line| line.trim_start_matches("./") == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_without_its_registry_is_the_path() -> Result<()> {
        assert_eq!(path_and_tag("docker.io/library/postgres:17")?, "library/postgres:17");
        assert_eq!(path_and_tag("localhost:5000/a:1")?, "a:1");
        for name in ["busybox", "library/busybox:latest", "docker.io/library/busybox"] {
            assert!(path_and_tag(name).is_err(), "{name}");
        }
        Ok(())
    }

    #[test]
    fn the_exchanges_images_are_where_the_workspace_says() -> Result<()> {
        let name = name(Image::Backend)?;
        let manifest = fs::read_to_string(paths::workspace().join("k8s/level-2-volumes/backend-deployment.yaml"))?;
        assert!(manifest.contains(&format!("image: {name}\n")), "{name}");
        Ok(())
    }
}
