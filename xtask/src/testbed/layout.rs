//! Where everything of the cluster is: its addresses, names and folders, each written once. Several clusters can be beside each
//! other.

use std::env;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};

/// The cluster's name in what it reads and writes: its context is called so.
pub const NAME: &str = "kubecoin";

/// Chooses among the clusters of this machine, which have nothing in common but the caches: a number from 1 on.
pub const CHOICE: &str = "KUBECOIN_TESTBED";

/// The most clusters that there can be: one digit.
pub const MOST_CLUSTERS: u8 = 9;

static NUMBER: OnceLock<u8> = OnceLock::new();

/// Takes the choice out of the environment, for all that this process does.
pub fn choose() -> Result<()> {
    let Some(choice) = env::var_os(CHOICE) else { return Ok(()) };
    let choice = choice.to_string_lossy();
    let number = choice.parse().ok().filter(|number| (1..=MOST_CLUSTERS).contains(number));
    let number =
        number.with_context(|| format!("{CHOICE} is \"{choice}\", and must be a number from 1 to {MOST_CLUSTERS}"))?;
    NUMBER.set(number).map_err(|_| anyhow!("the cluster has been chosen already"))
}

/// The cluster's number.
pub fn number() -> u8 {
    NUMBER.get().copied().unwrap_or(1)
}

/// The number of another cluster than the one that is chosen.
pub fn other() -> u8 {
    number() % MOST_CLUSTERS + 1
}

/// The numbers of the other clusters that there are.
pub fn others() -> impl Iterator<Item = u8> {
    (1..=MOST_CLUSTERS).filter(|other| *other != number() && folder_of(*other).exists())
}

/// A name of which each cluster needs one of its own; that of the first has no number.
fn own(name: &str) -> String {
    of(name, number())
}

fn of(name: &str, number: u8) -> String {
    if number == 1 { name.to_owned() } else { format!("{name}-{number}") }
}

/// All that a running cluster leaves on the disk of the machine, caches aside. Not below `/run`: the disk of the nodes is in
/// it, and the supervisor hides `/run`.
pub fn folder() -> PathBuf {
    folder_of(number())
}

fn folder_of(number: u8) -> PathBuf {
    Path::new("/var/lib").join(of("kubecoin-testbed", number))
}

/// What holds the lock of whoever changes the cluster; there only as long as somebody does.
pub fn lock() -> PathBuf {
    Path::new("/run").join(own("kubecoin-testbed")).with_extension("lock")
}

/// What the cluster's cgroups are in.
pub fn cgroup() -> String {
    own("kubecoin")
}

/// This machine's link to the cluster's network. The kernel takes names of up to 15 letters.
pub fn link() -> String {
    own("kubecoin0")
}

/// The network of the cluster's machines, of the range for tests of networks (RFC 2544).
pub fn network() -> String {
    format!("{}/24", address(0))
}

/// Where the API server, the registry and the other parts of the control plane listen.
pub fn control_plane() -> Ipv4Addr {
    address(1)
}

/// This machine's address in the cluster's network.
pub fn machine() -> Ipv4Addr {
    address(254)
}

fn address(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(198, 18, 76 + number(), last)
}

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
    folder().join(name)
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
    address(10 + node)
}

/// The addresses of a node's pods.
pub fn node_pods(node: u8) -> String {
    format!("10.244.{node}.0/24")
}

/// A node's root folder, or a path of its file system as this machine sees it.
pub fn on_node(node: u8, path: &str) -> PathBuf {
    state("nodes").join(node.to_string()).join(path.trim_start_matches('/'))
}
