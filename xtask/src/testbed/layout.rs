//! Where everything of the cluster is: its addresses, names and folders, each written once.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// All that a running cluster leaves on the disk of the machine, caches aside. Not below `/run`: the disk of the nodes is in
/// it, and the supervisor hides `/run`.
pub const STATE: &str = "/var/lib/kubecoin-testbed";

/// What holds the lock of whoever changes the cluster; there only as long as somebody does.
pub const LOCK: &str = "/run/kubecoin-testbed.lock";

/// The cluster's name: its context and its cgroups are called so.
pub const NAME: &str = "kubecoin";

/// The network of the cluster's machines, of the range for tests of networks (RFC 2544).
pub const NETWORK: &str = "198.18.77.0/24";

/// Where the API server, the registry and the other parts of the control plane listen.
pub const CONTROL_PLANE: Ipv4Addr = Ipv4Addr::new(198, 18, 77, 1);

/// This machine's address in the cluster's network.
pub const MACHINE: Ipv4Addr = Ipv4Addr::new(198, 18, 77, 254);

/// This machine's link to the cluster's network.
pub const LINK: &str = "kubecoin0";

/// The addresses of all pods.
pub const PODS: &str = "10.244.0.0/16";

/// The addresses of all Services.
pub const SERVICES: &str = "10.96.0.0/16";

/// The Service of the API server: the first address of its range.
pub const API_SERVICE: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 1);

/// The Service of the cluster's DNS, as kubeadm has it.
pub const DNS_SERVICE: Ipv4Addr = Ipv4Addr::new(10, 96, 0, 10);

/// The domain of the cluster.
pub const DOMAIN: &str = "cluster.local";

/// The port of the API server.
pub const API_PORT: u16 = 6443;

/// The port of the registry.
pub const REGISTRY_PORT: u16 = 5000;

/// Where a node finds the programs, in its own file system.
pub const NODE_PROGRAMS: &str = "/opt/kubecoin/bin";

/// Where a node finds its configuration, in its own file system.
pub const NODE_CONFIGURATION: &str = "/var/lib/kubecoin";

/// The socket of a node's containerd, in its file system: where it is everywhere.
pub const CONTAINERD_SOCKET: &str = "/run/containerd/containerd.sock";

/// The most nodes that there can be: one digit.
pub const MOST_NODES: u8 = 9;

/// What a cluster was asked to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// How many nodes it has, 1 to [`MOST_NODES`].
    pub nodes: u8,
    /// The folder of the programs that it runs.
    pub programs: PathBuf,
    /// The folder in which its registry keeps the images.
    pub registry: PathBuf,
    /// Whether it has a default `StorageClass`.
    pub storage_class: bool,
    /// For how many seconds its DNS caches the cluster's own names, if at all.
    pub dns_cache: Option<u32>,
}

impl Plan {
    /// The nodes' numbers.
    pub fn node_numbers(&self) -> impl Iterator<Item = u8> + use<> {
        1..=self.nodes
    }

    /// The plan of the cluster whose state is on this machine.
    pub fn read() -> Result<Self> {
        let path = plan();
        let text = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is not a plan of this version", path.display()))
    }

    /// Keeps the plan in the state folder.
    pub fn write(&self) -> Result<()> {
        std::fs::write(plan(), serde_json::to_vec_pretty(self)?).context("cannot write the cluster's plan")
    }
}

fn plan() -> PathBuf {
    state("plan.json")
}

/// A file or folder of the state.
pub fn state(name: &str) -> PathBuf {
    Path::new(STATE).join(name)
}

/// The kubeconfig of the cluster's administrator.
pub fn kubeconfig() -> PathBuf {
    state("kubeconfig")
}

/// The socket on which the supervisor takes requests.
pub fn socket() -> PathBuf {
    state("supervisor.sock")
}

/// What a component prints.
pub fn log(component: &str) -> PathBuf {
    state("logs").join(component).with_extension("log")
}

/// A node's name.
pub fn node_name(node: u8) -> String {
    format!("node-{node}")
}

/// A node's address.
pub fn node_address(node: u8) -> Ipv4Addr {
    Ipv4Addr::new(198, 18, 77, 10 + node)
}

/// The addresses of a node's pods.
pub fn node_pods(node: u8) -> String {
    format!("10.244.{node}.0/24")
}

/// A node's root folder, or a path of its file system as this machine sees it.
pub fn on_node(node: u8, path: &str) -> PathBuf {
    state("nodes").join(node.to_string()).join(path.trim_start_matches('/'))
}
