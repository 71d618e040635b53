//! `cargo xtask images`: the exchange's own images, built and brought where a cluster finds them. PostgreSQL's is not among
//! them: every cluster has it from the official registry, for which the one built here only stands in.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::{ArgGroup, ValueEnum};
use serde_json::Value;

use crate::images::{self, Image};
use crate::{apt, caller, process, testbed};

/// What is brought to other clusters.
pub const OWN: [Image; 3] = [Image::PostgresHa, Image::Backend, Image::Frontend];

/// Where the images go.
#[derive(clap::Args)]
#[command(group(ArgGroup::new("where").required(true)))]
pub struct Args {
    /// Into the nodes of a cluster of this program
    #[arg(long, group = "where", value_name = "PROGRAM")]
    into: Option<Program>,

    /// Which of its clusters [default: minikube, kind or k3s-default]
    #[arg(long, requires = "into", value_name = "CLUSTER")]
    name: Option<String>,

    /// To a registry that the cluster pulls from, as registry.example.org/kubecoin
    #[arg(long, group = "where", value_name = "PREFIX")]
    push: Option<String>,

    /// As archives into a folder
    #[arg(long, group = "where", value_name = "FOLDER")]
    save: Option<PathBuf>,
}

/// A program that makes clusters on this machine, and can put images into them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Program {
    /// minikube
    Minikube,
    /// kind
    Kind,
    /// k3d
    K3d,
}

/// A cluster that one of the programs has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// The program.
    pub program: Program,
    /// The cluster's name there.
    pub name: String,
}

/// Brings the images where they are wanted.
pub fn run(args: Args) -> Result<ExitCode> {
    match args {
        Args { into: Some(program), name, .. } => {
            load(&Local { program, name: name.unwrap_or_else(|| program.default_cluster().to_owned()) })
        }
        Args { push: Some(prefix), .. } => push(&prefix),
        Args { save: Some(folder), .. } => save(&folder),
        _ => bail!("clap asks for one of them"),
    }?;
    Ok(ExitCode::SUCCESS)
}

impl Program {
    fn command(self) -> &'static str {
        match self {
            Self::Minikube => "minikube",
            Self::Kind => "kind",
            Self::K3d => "k3d",
        }
    }

    fn default_cluster(self) -> &'static str {
        match self {
            Self::Minikube => "minikube",
            Self::Kind => "kind",
            Self::K3d => "k3s-default",
        }
    }
}

impl Local {
    /// The cluster that a context leads to, if one of the programs has made it; `view` is what `kubectl config view --minify`
    /// says of the context. kind and k3d put their names before the cluster's, minikube signs its entry.
    pub fn of_context(context: &str, view: &Value) -> Option<Self> {
        let cluster = &view["clusters"][0];
        let by_minikube = |extension: &Value| extension["extension"]["provider"] == "minikube.sigs.k8s.io";
        let extensions = cluster["cluster"]["extensions"].as_array();
        if context == "minikube" || extensions.is_some_and(|all| all.iter().any(by_minikube)) {
            let name = cluster["name"].as_str().unwrap_or(context).to_owned();
            return Some(Self { program: Program::Minikube, name });
        }
        let cluster = cluster["name"].as_str().unwrap_or(context);
        [(Program::Kind, "kind-"), (Program::K3d, "k3d-")]
            .into_iter()
            .find_map(|(program, prefix)| Some(Self { program, name: cluster.strip_prefix(prefix)?.to_owned() }))
    }

    /// The command that puts an archive into the cluster's nodes.
    fn load(&self, archive: &Path) -> Command {
        let mut command = Command::new(self.program.command());
        match self.program {
            Program::Minikube => command.args(["image", "load"]).arg(archive).args(["--profile", &self.name]),
            Program::Kind => command.args(["load", "image-archive"]).arg(archive).args(["--name", &self.name]),
            Program::K3d => command.args(["image", "import"]).arg(archive).args(["--cluster", &self.name]),
        };
        command
    }
}

/// Builds the images and puts them into a cluster's nodes.
pub fn load(cluster: &Local) -> Result<()> {
    let program = cluster.program.command();
    if !apt::present(program) {
        bail!("{program} is not on the PATH\nhint: run this where `{program}` runs");
    }
    let folder = tempfile::tempdir()?;
    save(folder.path())?;
    for image in OWN {
        let mut load = cluster.load(&archive(folder.path(), image));
        process::step(&process::shown(&load), || process::run(&mut load))?;
    }
    Ok(())
}

/// Builds the images and writes each into an archive in a folder, under the name by which pods ask for it.
fn save(folder: &Path) -> Result<()> {
    if !folder.is_dir() {
        bail!("{} is no folder", folder.display());
    }
    build_each(&["images", "--save", &folder.canonicalize()?.to_string_lossy()], |image, reference| {
        let archive = archive(folder, image);
        // buildah adds to no archive that is there.
        match std::fs::remove_file(&archive) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot replace {}", archive.display()));
            }
            _ => {}
        }
        let target = format!("docker-archive:{}:{}", archive.display(), testbed::image_name(image)?);
        process::output(images::buildah()?.args(["push", "--quiet", reference, &target]))?;
        caller::hand_over(&archive)
    })
}

/// Builds the images and pushes them.
pub fn push(prefix: &str) -> Result<()> {
    build_each(&["images", "--push", prefix], |image, reference| push_as(reference, &in_registry(prefix, image)?))
}

/// Pushes an image of the storage under a name.
pub fn push_as(reference: &str, name: &str) -> Result<()> {
    process::step(&format!("pushing {name}"), || {
        process::output(images::buildah()?.args(["push", "--quiet", reference, &format!("docker://{name}")])).map(drop)
    })
}

/// The name of an image in a registry of the user's: its own name and tag behind the prefix.
pub fn in_registry(prefix: &str, image: Image) -> Result<String> {
    let name = testbed::image_name(image)?;
    let own = name.rsplit('/').next().unwrap_or(&name);
    Ok(format!("{}/{own}", prefix.trim_end_matches('/')))
}

/// Builds the images and does something with each. That takes root: for others, this program starts again as root, with these
/// words.
pub fn build_each(words: &[&str], act: impl Fn(Image, &str) -> Result<()>) -> Result<()> {
    if apt::is_root()? {
        return OWN.into_iter().try_for_each(|image| act(image, &images::build(image)?.reference));
    }
    process::run(&mut caller::as_root(words)?)
}

fn archive(folder: &Path, image: Image) -> PathBuf {
    folder.join(image.name()).with_extension("tar")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn view(cluster: &str, provider: &str) -> Value {
        json!({ "clusters": [{ "name": cluster, "cluster": {
            "server": "https://127.0.0.1:6443",
            "extensions": [{ "name": "cluster_info", "extension": { "provider": provider } }],
        } }] })
    }

    #[test]
    fn a_context_leads_to_the_program_that_made_its_cluster() {
        let local = |context, cluster, provider| Local::of_context(context, &view(cluster, provider));
        let made = |program, name: &str| Some(Local { program, name: name.to_owned() });
        assert_eq!(local("kind-kind", "kind-kind", ""), made(Program::Kind, "kind"));
        assert_eq!(local("k3d-class", "k3d-class", ""), made(Program::K3d, "class"));
        assert_eq!(local("minikube", "minikube", ""), made(Program::Minikube, "minikube"));
        assert_eq!(local("lesson", "lesson", "minikube.sigs.k8s.io"), made(Program::Minikube, "lesson"));
        // A context may be called anything: the cluster's name tells.
        assert_eq!(local("mine", "kind-other", ""), made(Program::Kind, "other"));
        for other in ["production", "my-kind-cluster", "gke_minikube"] {
            assert_eq!(local(other, other, "somebody"), None, "{other}");
        }
    }

    #[test]
    fn each_program_is_told_in_its_own_words() {
        let words = |program| {
            let cluster = Local { program, name: "class".to_owned() };
            process::shown(&cluster.load(Path::new("/tmp/backend.tar")))
        };
        assert_eq!(words(Program::Minikube), "minikube image load /tmp/backend.tar --profile class");
        assert_eq!(words(Program::Kind), "kind load image-archive /tmp/backend.tar --name class");
        assert_eq!(words(Program::K3d), "k3d image import /tmp/backend.tar --cluster class");
    }

    #[test]
    fn in_a_registry_the_image_keeps_its_own_name() -> Result<()> {
        let name = in_registry("localhost:5001/lesson/", Image::Backend)?;
        assert_eq!(name, concat!("localhost:5001/lesson/kubecoin-backend:", env!("CARGO_PKG_VERSION")));
        Ok(())
    }
}
