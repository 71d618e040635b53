//! `cargo xtask testbed`: a real Kubernetes from nothing, on a machine without a container engine.
//!
//! [`lifecycle`] brings it up and takes it away. What it consists of are values in [`components`], with the files of
//! [`configuration`]; [`programs`] and [`registry`] are where programs and images come from. The [`supervisor`] is the only
//! process that stays: everything runs below it, in [`network`]s and on [`node`]s that are gone when it is.

mod addons;
pub mod bench;
mod cgroups;
mod components;
mod configuration;
mod control;
mod dns;
mod layout;
mod lifecycle;
mod lock;
mod network;
mod node;
mod pki;
mod power;
mod prerequisites;
pub mod programs;
mod ready;
mod registry;
mod reset;
mod status;
mod supervisor;
pub mod wait;

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::{ArgGroup, Subcommand};

pub use self::control::{pause, start, stop};
use self::layout::Plan;
pub use self::layout::{CHOICE, choose, other, others};
pub use self::lifecycle::{Options, down, up};
pub use self::power::{off as node_off, on as node_on, plug as plug_node};
pub use self::prerequisites::install as prepare;
pub use self::registry::name as image_name;
pub use self::reset::reset;
use crate::paths;

/// The arguments of `cargo xtask testbed`.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Testbed,
}

#[derive(Subcommand)]
enum Testbed {
    /// Start the cluster, or finish starting it
    Up(lifecycle::Options),
    /// Delete the cluster, in whatever state it is
    Down,
    /// Show each component, and why it ended; fails unless all are ready
    Status,
    /// Print the logs of a component
    Logs {
        /// Its name, as `status` shows it, or `supervisor`
        component: String,
        /// Follow the logs
        #[arg(short, long)]
        follow: bool,
    },
    /// Run kubectl on the cluster
    #[command(disable_help_flag = true)]
    Kubectl {
        /// Its arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Print shell code that sets KUBECONFIG and a PATH with the cluster's kubectl
    Env,
    /// Stop a component: SIGTERM and, if that does not end it, SIGKILL
    Stop {
        /// Its name, as `status` shows it
        component: String,
        /// SIGKILL at once
        #[arg(long)]
        kill: bool,
    },
    /// Start a component that has ended, and wait until it is ready
    Start {
        /// Its name, as `status` shows it
        component: String,
    },
    /// Pause a component with SIGSTOP
    Pause {
        /// Its name, as `status` shows it
        component: String,
    },
    /// Resume a paused component
    Resume {
        /// Its name, as `status` shows it
        component: String,
    },
    /// Run a command on a node, with its file system, network and processes
    NodeExec {
        /// The node's number
        node: u8,
        /// The command
        #[arg(last = true, required = true)]
        command: Vec<OsString>,
    },
    /// Take the power of a node away: its network is silent, and all its processes are killed
    NodeOff {
        /// The node's number
        node: u8,
    },
    /// Give a node its power back
    NodeOn {
        /// The node's number
        node: u8,
    },
    /// Put an image into the cluster's registry: one of this repository, built, or an archive
    #[command(group(ArgGroup::new("source").required(true)))]
    Load {
        /// An image of this repository
        #[arg(group = "source")]
        image: Option<crate::images::Image>,
        /// An archive, as docker, podman or buildah save it
        #[arg(long, group = "source", requires = "name")]
        archive: Option<PathBuf>,
        /// The full name under which pods ask for it (docker.io/library/busybox:latest)
        #[arg(long = "as", id = "name")]
        name: Option<String>,
    },
    /// Empty the cluster
    Reset,
    /// Delete the cluster and all caches
    Clean,
    /// Install the packages that a cluster needs
    #[command(hide = true)]
    Prepare,
    /// The first process of the cluster
    #[command(hide = true)]
    Supervise {
        /// In namespaces of its own already
        #[arg(long)]
        inside: bool,
    },
    /// Makes the mount namespace that this is alone in a node's
    #[command(hide = true)]
    NodeRoot {
        /// The node's number
        node: u8,
    },
}

/// Does what the arguments say.
pub fn run(args: Args) -> Result<ExitCode> {
    match args.command {
        Testbed::Up(options) => lifecycle::up(&options)?,
        Testbed::Down => lifecycle::down()?,
        Testbed::Status => return status::show(),
        Testbed::Logs { component, follow } => return Err(control::logs(&component, follow)?.exec()).context("tail"),
        Testbed::Kubectl { arguments } => {
            return Err(kubectl(&control::plan()?).args(arguments).exec()).context("kubectl");
        }
        Testbed::Env => control::env()?,
        Testbed::Stop { component, kill } => control::stop(&component, kill)?,
        Testbed::Start { component } => control::start(&component)?,
        Testbed::Pause { component } => control::pause(&component)?,
        Testbed::Resume { component } => control::resume(&component)?,
        Testbed::NodeExec { node, command } => return Err(control::on_node(node, &command)?.exec()).context("nsenter"),
        Testbed::NodeOff { node } => power::off(node)?,
        Testbed::NodeOn { node } => power::on(node)?,
        Testbed::Load { image: Some(image), name, .. } => {
            registry::load_built(&control::plan()?.registry, image, name)?;
        }
        Testbed::Load { archive, name, .. } => {
            let (archive, name) = archive.zip(name).context("clap asks for both")?;
            registry::load_archive(&control::plan()?.registry, &archive, &name)?;
        }
        Testbed::Reset => reset::reset()?,
        Testbed::Clean => lifecycle::clean()?,
        Testbed::Prepare => prepare()?,
        Testbed::Supervise { inside: false } => supervisor::launch()?,
        Testbed::Supervise { inside: true } => supervisor::run()?,
        Testbed::NodeRoot { node } => node::enter_root(node)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether the cluster is up, in whatever state.
pub fn is_up() -> Result<bool> {
    Ok(supervisor::ask(&supervisor::Request::Status)?.is_some())
}

/// How many nodes the cluster has.
pub fn nodes() -> Result<u8> {
    Ok(Plan::read()?.nodes)
}

/// The folder of the plugin as tests build it.
pub fn plugin_folder() -> Result<PathBuf> {
    Ok(paths::target()?.join("debug"))
}

/// Gives a command the cluster: its kubeconfig, and a PATH on which its kubectl and the plugin of a folder come before any
/// other.
pub fn environment<'a>(command: &'a mut Command, plugin: &Path) -> Result<&'a mut Command> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = [layout::state("bin"), plugin.to_owned()].into_iter().chain(std::env::split_paths(&path));
    let path = std::env::join_paths(folders).context("PATH cannot be read")?;
    Ok(direct(command).env("KUBECONFIG", layout::kubeconfig()).env("PATH", path))
}

/// Empties what pods keep on the nodes' disks. Nothing may run there that writes.
pub fn empty_disks() -> Result<()> {
    Plan::read()?.node_numbers().try_for_each(node::empty)
}

/// The cluster's kubectl as its administrator.
fn kubectl(plan: &Plan) -> Command {
    let mut kubectl = Command::new(plan.programs.join("kubectl"));
    direct(&mut kubectl).env("KUBECONFIG", layout::kubeconfig());
    kubectl
}

/// Keeps a command from asking a proxy for the cluster's addresses, which are this machine's.
fn direct(command: &mut Command) -> &mut Command {
    command.env("NO_PROXY", layout::network()).env_remove("no_proxy")
}
