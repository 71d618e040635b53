//! The network of the cluster: one namespace for the control plane with a bridge in it, one a node, and one link to this
//! machine. All but that link lives inside the namespaces and goes with them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, anyhow};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde::{Deserialize, Serialize};
use std::os::fd::AsFd as _;

use super::layout::{self, Plan, node_address, node_pods};
use super::wait::{self, Deadline};
use crate::process;

/// Where in the cluster something runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// Beside the nodes, in the network of the control plane.
    ControlPlane,
    /// On a node, in its network and its file system.
    Node(u8),
}

impl Place {
    /// The name of its network namespace.
    fn namespace(self) -> String {
        match self {
            Self::ControlPlane => "kc-cp".to_owned(),
            Self::Node(node) => format!("kc-{node}"),
        }
    }

    /// The file that stands for its network namespace, where the supervisor is.
    pub fn network(self) -> PathBuf {
        Path::new("/run/netns").join(self.namespace())
    }
}

/// Makes the namespaces and links. Run by the supervisor, whose `/run` is its own: this machine sees but one new link.
pub fn create(plan: &Plan) -> Result<()> {
    let control_plane = Place::ControlPlane.namespace();
    ip(&format!("netns add {control_plane}"))?;
    ip(&format!("-n {control_plane} link set lo up"))?;
    ip(&format!("-n {control_plane} link add fabric type bridge"))?;
    ip(&format!("-n {control_plane} address add {}/24 dev fabric", layout::control_plane()))?;
    ip(&format!("-n {control_plane} link set fabric up"))?;
    let link = layout::link();
    ip(&format!("link add {link} type veth peer name machine netns {control_plane}"))?;
    ip(&format!("-n {control_plane} link set machine master fabric up"))?;
    ip(&format!("address add {}/24 dev {link}", layout::machine()))?;
    ip(&format!("link set {link} up"))?;
    for node in plan.node_numbers() {
        add_node(&control_plane, node)?;
    }
    for node in plan.node_numbers() {
        let to_its_pods = format!("route add {} via {}", node_pods(node), node_address(node));
        // The API server talks to pods too: to webhooks and through its proxy.
        ip(&format!("-n {control_plane} {to_its_pods}"))?;
        for other in plan.node_numbers().filter(|other| *other != node) {
            ip(&format!("-n {} {to_its_pods}", Place::Node(other).namespace()))?;
        }
    }
    Ok(())
}

fn add_node(control_plane: &str, node: u8) -> Result<()> {
    let place = Place::Node(node);
    let namespace = place.namespace();
    ip(&format!("netns add {namespace}"))?;
    ip(&format!("-n {namespace} link set lo up"))?;
    let port = port(node);
    ip(&format!("-n {namespace} link add eth0 type veth peer name {port} netns {control_plane}"))?;
    ip(&format!("-n {control_plane} link set {port} master fabric up"))?;
    ip(&format!("-n {namespace} address add {}/24 dev eth0", node_address(node)))?;
    ip(&format!("-n {namespace} link set eth0 up"))?;
    ip(&format!("-n {namespace} route add default via {}", layout::control_plane()))?;
    inside(&place.network(), || {
        fs::write("/proc/sys/net/ipv4/ip_forward", "1").context("cannot let a node forward packets")
    })
}

/// Pulls the plug of a node's link, or puts it in again: without it packets vanish, and nobody is told. The node keeps its address
/// and its routes. The network of the control plane is given by its file.
pub fn plug(control_plane: &Path, node: u8, plugged: bool) -> Result<()> {
    let state = if plugged { "up" } else { "down" };
    inside(control_plane, || ip(&format!("link set {} {state}", port(node))))
}

/// Removes this machine's link, should it outlive the namespaces.
pub fn remove(deadline: Deadline) -> Result<()> {
    let link = layout::link();
    let exists = || Path::new("/sys/class/net").join(&link).exists();
    if exists() {
        // The kernel may remove it first, with the namespace at its other end.
        let _ = ip(&format!("link delete {link}"));
    }
    wait::until(deadline, || Ok(if exists() { Err(format!("the link {link} does not go")) } else { Ok(()) }))
}

/// Does something in a network namespace, given by its file, on a thread of its own.
pub fn inside<T: Send>(namespace: &Path, act: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let file = fs::File::open(namespace).with_context(|| format!("no network namespace {}", namespace.display()))?;
    let enter_and_act = || {
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
            .with_context(|| format!("cannot enter {}", namespace.display()))?;
        act()
    };
    thread::scope(|scope| scope.spawn(enter_and_act).join())
        .map_err(|_| anyhow!("what ran in {} panicked", namespace.display()))?
}

/// Where a node is connected to the fabric.
fn port(node: u8) -> String {
    format!("node{node}")
}

fn ip(arguments: &str) -> Result<()> {
    process::output(Command::new("ip").args(arguments.split(' '))).map(drop)
}
