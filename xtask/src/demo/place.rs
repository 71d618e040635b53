//! Where the demo takes place: on a cluster made for it, or on one that the user has.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::steps::{self, Steps};
use crate::delivery::{self, Local};
use crate::images::Image;
use crate::{apt, caller, process, testbed};

/// How long a page that can be reached may take to let somebody in.
const PATIENCE: Duration = Duration::from_secs(2);

/// A cluster, before it is ready for the exchange.
pub enum Place {
    /// Made here, out of nothing.
    Testbed,
    /// The user's.
    Existing { context: String, images: Images },
}

/// How the images come to a cluster of the user's.
pub enum Images {
    Into(Local),
    Registry(String),
}

impl Place {
    /// The place that the arguments name. Changes nothing.
    pub fn find(context: Option<String>, registry: Option<String>) -> Result<Self> {
        let Some(context) = context else { return Ok(Self::Testbed) };
        if !apt::present("kubectl") {
            bail!(
                "kubectl is not on the PATH\nhint: without --context, the demo makes a cluster and has its own kubectl"
            );
        }
        let mut view = Command::new("kubectl");
        view.args(["config", "view", "--minify", "--output", "json", "--context", &context]);
        let view: Value = serde_json::from_str(&process::output(&mut view)?).context("kubectl shows no kubeconfig")?;
        let images = match (registry, Local::of_context(&context, &view)) {
            (Some(prefix), _) => Images::Registry(prefix),
            (None, Some(local)) => Images::Into(local),
            (None, None) => bail!(
                "the cluster of context {context} is none of kind, k3d or minikube, so the images must come from a registry\n\
                 hint: name one that you may push to and it pulls from: --registry registry.example.org/kubecoin"
            ),
        };
        Ok(Self::Existing { context, images })
    }

    /// How many steps it takes to get it ready.
    pub fn steps(&self) -> usize {
        match self {
            Self::Testbed => 2,
            Self::Existing { .. } => 1,
        }
    }

    /// What has to be there before the first program is built.
    pub fn before_building(&self, steps: &mut Steps) -> Result<()> {
        match self {
            Self::Testbed => steps.next("packages of the system: a minute if some are missing", || {
                if apt::is_root()? { testbed::prepare() } else { as_root("testbed prepare") }
            }),
            Self::Existing { .. } => Ok(()),
        }
    }

    /// Makes the cluster, or brings the images to it.
    pub fn prepare(&self, steps: &mut Steps) -> Result<()> {
        match self {
            Self::Testbed => steps.next(
                "a cluster: the first time, Kubernetes is compiled, which takes 10 to 40 minutes; then 10 seconds",
                || {
                    if apt::is_root()? {
                        process::say("$ cargo xtask testbed up");
                        return testbed::up(&testbed::Options::default());
                    }
                    // As the caller, for whom root then finds them built.
                    testbed::programs::CLUSTER.build()?;
                    as_root("testbed up")
                },
            ),
            Self::Existing { images: Images::Into(local), .. } => {
                steps.next("the images into the cluster: minutes the first time", || delivery::load(local))
            }
            Self::Existing { images: Images::Registry(prefix), .. } => {
                steps.next("the images to the registry: minutes the first time", || delivery::push(prefix))
            }
        }
    }

    /// A line of the lesson, without quotes, with kubectl and the plugin where they are found first.
    pub fn command(&self, line: &str) -> Result<Command> {
        let mut words = line.split(' ');
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        match self {
            Self::Testbed => {
                testbed::environment(&mut command, &testbed::plugin_folder()?)?;
            }
            Self::Existing { context, images } => {
                command.args(["--context", context]).env("PATH", path_with_plugin()?);
                if let Images::Registry(prefix) = images
                    && line.contains("kubecoin deploy")
                {
                    for (flag, image) in [("--backend-image", Image::Backend), ("--frontend-image", Image::Frontend)] {
                        command.args([flag, &delivery::in_registry(prefix, image)?]);
                    }
                }
            }
        }
        Ok(command)
    }

    /// What one may do once the exchange runs, and was put to the proof.
    pub fn afterwards(&self, report: &Path) -> Result<Vec<(&'static str, String)>> {
        let plugin = testbed::plugin_folder()?;
        let delete = process::shown(&self.typed("kubectl delete pod postgres-0"));
        let export = format!("export PATH={}:$PATH", plugin.display());
        let (with, stop) = match self {
            Self::Testbed => (
                format!("eval \"$({})\"; {export}", caller::root_line("testbed env")?),
                caller::root_line("testbed down")?,
            ),
            Self::Existing { .. } => (export, process::shown(&self.typed("kubectl kubecoin teardown --delete-data"))),
        };
        Ok(vec![
            ("in your shell", with),
            ("the page", self.page()?),
            ("your turn", format!("{delete}    # and watch the page")),
            ("the report", report.display().to_string()),
            ("", format!("kubectl kubecoin verify-report {}    # judged again, with no cluster", report.display())),
            ("stop it", stop),
        ])
    }

    /// The page's address if it can be reached from here, else the command that opens it.
    fn page(&self) -> Result<String> {
        let ask = |line: &str| -> Result<String> { process::output(&mut self.command(line)?) };
        let port = ask("kubectl get service frontend-service --output jsonpath={.spec.ports[0].nodePort}")?;
        // Not everybody may read nodes.
        let nodes =
            ask("kubectl get nodes --output jsonpath={.items[*].status.addresses[?(@.type=='InternalIP')].address}");
        let address = nodes.ok().and_then(|nodes| reachable(&nodes, &port));
        Ok(address.map_or_else(
            || {
                format!(
                    "{}    # it is there as long as this runs",
                    process::shown(&self.typed("kubectl kubecoin open"))
                )
            },
            |address| format!("http://{address}"),
        ))
    }

    /// A line as the user types it.
    fn typed(&self, line: &str) -> Command {
        let mut words = line.split(' ');
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        if let Self::Existing { context, .. } = self {
            command.args(["--context", context]);
        }
        command
    }
}

/// The first of these addresses at which somebody listens.
fn reachable(nodes: &str, port: &str) -> Option<SocketAddr> {
    let port = port.parse().ok()?;
    let addresses = nodes.split_whitespace().filter_map(|node| Some(SocketAddr::new(node.parse().ok()?, port)));
    addresses.into_iter().find(|address| TcpStream::connect_timeout(address, PATIENCE).is_ok())
}

/// Runs a command of this program as root, who is asked for by sudo.
fn as_root(line: &str) -> Result<()> {
    let words: Vec<&str> = line.split(' ').collect();
    steps::run(&mut caller::as_root(&words)?, &caller::root_line(line)?)
}

fn path_with_plugin() -> Result<std::ffi::OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = [testbed::plugin_folder()?].into_iter().chain(std::env::split_paths(&path)).collect();
    std::env::join_paths(folders).context("PATH cannot be read")
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_page_that_nobody_serves_is_not_named() -> Result<()> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let port = address.port().to_string();
        assert_eq!(reachable("nonsense 127.0.0.1", &port), Some(address));
        drop(listener);
        assert_eq!(reachable("127.0.0.1", &port), None);
        assert_eq!(reachable("127.0.0.1", ""), None);
        Ok(())
    }

    #[test]
    fn the_users_cluster_is_named_in_every_line() -> Result<()> {
        let images = Images::Registry("registry.example.org/x".to_owned());
        let place = Place::Existing { context: "class".to_owned(), images };
        let shown = |line| anyhow::Ok(process::shown(&place.command(line)?));
        assert_eq!(shown("kubectl kubecoin status")?, "kubectl kubecoin status --context class");
        let deploy = shown("kubectl kubecoin deploy --init-db")?;
        assert!(
            deploy.contains("--context class --backend-image registry.example.org/x/kubecoin-backend:"),
            "{deploy}"
        );
        Ok(())
    }
}
