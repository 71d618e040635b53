//! Container images, built by buildah without a container engine. Each is kept in a storage of its own in the cache, under
//! a tag that is the hash of what it was made from, so that nothing is built twice and the user's images are left alone.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use clap::ValueEnum;
use tempfile::TempDir;

use crate::apt::Package;
use crate::hash::Inputs;
use crate::testbed::programs::{self, Module};
use crate::{apt, caller, npm, paths, process};

/// The Debian release that every image is built on: the one that PostgreSQL 17 belongs to.
const SUITE: &str = "trixie";

/// Builds images, and brings them to registries.
pub const BUILDAH: Package = Package { name: "buildah", provides: "buildah" };

/// What building images takes from the system.
pub const PACKAGES: [Package; 3] = [
    BUILDAH,
    Package { name: "mmdebstrap", provides: "mmdebstrap" },
    Package { name: "debian-archive-keyring", provides: "/usr/share/keyrings/debian-archive-keyring.gpg" },
];

/// An image of this repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Image {
    /// Debian, without anything
    Base,
    /// The stand-in for the official PostgreSQL image
    Postgres,
    /// PostgreSQL with Patroni, for several members
    PostgresHa,
    /// The exchange's API
    Backend,
    /// The exchange's page
    Frontend,
    /// What holds a pod's namespaces
    Pause,
    /// The stand-in for the official busybox image
    Busybox,
    /// The cluster's DNS
    Coredns,
    /// The test cluster's provisioner of storage
    LocalPathProvisioner,
}

impl Image {
    /// Its name, without registry and tag.
    pub fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Postgres => "postgres",
            Self::PostgresHa => "postgres-ha",
            Self::Backend => "backend",
            Self::Frontend => "frontend",
            Self::Pause => "pause",
            Self::Busybox => "busybox",
            Self::Coredns => "coredns",
            Self::LocalPathProvisioner => "local-path-provisioner",
        }
    }

    /// The folder of its Containerfile, which is its build context.
    fn context(self) -> PathBuf {
        let folder = match self {
            Self::PostgresHa | Self::Backend | Self::Frontend => "app",
            _ => "testbed/images",
        };
        paths::workspace().join(folder).join(self.name())
    }

    /// What of the context goes into the image: the rest does not make it another one.
    fn inputs(self) -> impl Iterator<Item = &'static str> {
        let own: &[&str] = match self {
            Self::Postgres => &["docker-entrypoint.sh"],
            Self::PostgresHa => &["requirements.lock"],
            Self::Backend => &["pyproject.toml", "requirements.lock", "gunicorn.conf.py", "kubecoin_backend"],
            // Not `dist`: a clone that has not built the page finds the image all the same.
            Self::Frontend => &["nginx"],
            Self::Base | Self::Pause | Self::Busybox | Self::Coredns | Self::LocalPathProvisioner => &[],
        };
        let built_from: &[&str] = if self == Self::Frontend { &npm::SOURCES } else { &[] };
        ["Containerfile"].iter().chain(own).chain(built_from).copied()
    }

    /// The image that it is built on.
    fn base(self) -> Option<Self> {
        match self {
            Self::Base | Self::Coredns | Self::LocalPathProvisioner => None,
            Self::PostgresHa => Some(Self::Postgres),
            _ => Some(Self::Base),
        }
    }

    /// The Go module whose programs its Containerfile takes, from a build context called `programs`.
    fn programs(self) -> Option<Module> {
        match self {
            Self::Coredns => Some(programs::CLUSTER),
            Self::LocalPathProvisioner => Some(programs::STORAGE),
            _ => None,
        }
    }
}

/// An image that is in the storage.
#[derive(Clone, Debug)]
pub struct Built {
    /// Its name in the storage.
    pub reference: String,
    digest: String,
}

/// Builds the image if it is not in the storage yet.
pub fn build(image: Image) -> Result<Built> {
    apt::require(&PACKAGES)?;
    let base = image.base().map(build).transpose()?;
    let context = image.context();
    let programs = image.programs().map(Module::build).transpose()?;
    let folder = programs.as_ref().map(|folder| format!("programs={}", folder.display()));
    let mut inputs = Inputs::new([
        SUITE,
        base.as_ref().map_or("", |base| &base.digest),
        programs.as_ref().and_then(|folder| folder.file_name()?.to_str()).unwrap_or_default(),
    ]);
    for input in image.inputs() {
        inputs = inputs.path(&context.join(input))?;
    }
    let digest = inputs.digest();
    let built = Built { reference: format!("localhost/{}:{digest}", image.name()), digest };
    if process::output(
        buildah()?.args(["images", "--quiet", "--filter"]).arg(format!("reference={}", built.reference)),
    )?
    .is_empty()
    {
        if image == Image::Frontend {
            npm::build()?;
        }
        process::step(&format!("image {}", image.name()), || match (base, folder) {
            (Some(base), _) => bud(&context, &built, &["--build-arg", &format!("BASE={}", base.reference)]),
            (None, Some(folder)) => bud(&context, &built, &["--build-context", &folder]),
            (None, None) => bootstrap(&context, &built),
        })?;
    }
    Ok(built)
}

/// The file system of an image, mounted for as long as this lives.
pub struct Unpacked {
    folder: TempDir,
    container: String,
}

impl Unpacked {
    /// Builds the image if need be, and mounts it.
    pub fn of(image: Image) -> Result<Self> {
        let built = build(image)?;
        let container = process::output(buildah()?.args(["from", "--pull-never"]).arg(&built.reference))?;
        let unpacked = Self { folder: tempfile::tempdir()?, container };
        let mounted = process::output(buildah()?.arg("mount").arg(&unpacked.container))?;
        symlink(mounted, unpacked.root())?;
        let inspect = process::output(buildah()?.args(["inspect", "--type", "image"]).arg(&built.reference))?;
        fs::write(unpacked.root().with_extension("json"), inspect)?;
        Ok(unpacked)
    }

    /// The root of the file system. Beside it, with `.json` behind its name, is what `buildah inspect` says of the image.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("rootfs")
    }
}

impl Drop for Unpacked {
    fn drop(&mut self) {
        if let Ok(mut buildah) = buildah() {
            let _ = process::output(buildah.arg("rm").arg(&self.container));
        }
    }
}

/// Makes the base image out of Debian's packages.
fn bootstrap(context: &Path, built: &Built) -> Result<()> {
    let folder = tempfile::tempdir_in(caller::cache_of_root()?)?;
    fs::copy(context.join("Containerfile"), folder.path().join("Containerfile"))?;
    let mut mmdebstrap = Command::new("mmdebstrap");
    mmdebstrap.args(["--quiet", "--variant=minbase", "--include=ca-certificates", SUITE]);
    process::output(mmdebstrap.arg(folder.path().join("base.tar")))?;
    bud(folder.path(), built, &[])
}

fn bud(context: &Path, built: &Built, arguments: &[&str]) -> Result<()> {
    let mut command = buildah()?;
    command.args(["bud", "--quiet", "--isolation", "chroot", "--pull-never", "--layers=false"]).args(arguments);
    // The certificates that this machine trusts, for registries behind a private authority.
    let certificates = Path::new("/etc/ssl/certs/ca-certificates.crt");
    if certificates.exists() {
        command.arg(format!("--volume={0}:{0}:ro", certificates.display()));
    }
    process::output(command.arg("--tag").arg(&built.reference).arg(context)).map(drop)
}

/// Removes all images, and what mounts they have.
pub fn remove() -> Result<()> {
    process::output(buildah()?.args(["rmi", "--all", "--force"])).map(drop)
}

/// buildah on the project's own storage.
pub fn buildah() -> Result<Command> {
    let storage = caller::cache_of_root()?.join("images");
    let mut buildah = Command::new("buildah");
    buildah.arg("--root").arg(&storage).args(["--runroot", "/run/kubecoin-images", "--storage-driver", "overlay"]);
    // Or a buildah that is killed leaves its storage as a mount of this machine.
    buildah.args(["--storage-opt", "overlay.skip_mount_home=true"]);
    Ok(buildah)
}
