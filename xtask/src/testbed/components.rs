//! What a cluster consists of: each component is a value.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::configuration::{self as files, Node};
use super::layout::{
    API_PORT, CONTAINERD_SOCKET, NODE_PROGRAMS, Plan, REGISTRY_PORT, SERVICES, control_plane, node_address, node_name,
    on_node, state,
};
use super::network::Place;

/// What the supervisor has to know to start something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// The component's name.
    pub name: String,
    /// The program, where it runs.
    pub path: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// What is added to its environment.
    pub environment: BTreeMap<String, String>,
    /// Where it runs.
    pub place: Place,
}

/// A program that runs for as long as the cluster does.
#[derive(Clone, Debug)]
pub struct Component {
    /// What is started.
    pub program: Program,
    /// How one sees from this machine that it does its work.
    pub ready: Ready,
    /// The components that have to be ready before it is started.
    pub needs: Vec<String>,
}

/// How one sees that a component does its work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ready {
    /// Something listens at this address.
    Listens(SocketAddr),
    /// Something listens on this Unix socket.
    Socket(PathBuf),
    /// A GET of this address is answered with 200.
    Http(String),
    /// The API server says so.
    ApiServer,
}

/// The component that hands out images.
pub const REGISTRY: &str = "registry";

/// All components of a cluster, in the order in which they are started: none before what it needs.
pub fn all(plan: &Plan) -> Vec<Component> {
    let mut all = vec![
        registry(plan),
        etcd(plan),
        upstream_dns(plan),
        api_server(plan),
        controller_manager(plan),
        scheduler(plan),
    ];
    // First, as nothing but their nodes is needed for them.
    all.splice(0..0, plan.node_numbers().map(containerd));
    all.extend(plan.node_numbers().flat_map(|node| [kubelet(node), kube_proxy(node)]));
    all
}

fn registry(plan: &Plan) -> Component {
    Component {
        program: on_control_plane(plan, REGISTRY, "registry", ["serve".to_owned(), path(&files::registry())]),
        ready: Ready::Listens(at_control_plane(REGISTRY_PORT)),
        needs: vec![],
    }
}

fn etcd(plan: &Plan) -> Component {
    let clients = "https://127.0.0.1:2379";
    let health = format!("http://{}", at_control_plane(2381));
    let mut arguments = flags([
        ("data-dir", path(&state("etcd"))),
        ("listen-client-urls", clients.to_owned()),
        ("advertise-client-urls", clients.to_owned()),
        ("listen-peer-urls", "http://127.0.0.1:2380".to_owned()),
        ("listen-metrics-urls", health.clone()),
        ("cert-file", files::certificate("etcd")),
        ("key-file", files::key("etcd")),
        ("trusted-ca-file", files::certificate("ca")),
    ]);
    // Nobody keeps this cluster over a power cut.
    arguments.extend(["--client-cert-auth", "--unsafe-no-fsync"].map(str::to_owned));
    Component {
        // What etcd's module calls its program.
        program: on_control_plane(plan, "etcd", "server", arguments),
        ready: Ready::Http(format!("{health}/readyz")),
        needs: vec![],
    }
}

/// What the cluster's DNS asks for names that are not the cluster's: says that there are none, as nothing here may ask the
/// world.
fn upstream_dns(plan: &Plan) -> Component {
    Component {
        program: on_control_plane(plan, "upstream-dns", "coredns", ["-conf".to_owned(), path(&files::upstream_dns())]),
        ready: Ready::Http(format!("http://{}/health", at_control_plane(files::UPSTREAM_HEALTH_PORT))),
        needs: vec![],
    }
}

fn api_server(plan: &Plan) -> Component {
    let mut arguments = flags([
        ("etcd-servers", "https://127.0.0.1:2379".to_owned()),
        ("etcd-cafile", files::certificate("ca")),
        ("etcd-certfile", files::certificate("etcd")),
        ("etcd-keyfile", files::key("etcd")),
        ("bind-address", "0.0.0.0".to_owned()),
        ("advertise-address", control_plane().to_string()),
        ("secure-port", API_PORT.to_string()),
        ("client-ca-file", files::certificate("ca")),
        ("tls-cert-file", files::certificate("kube-apiserver")),
        ("tls-private-key-file", files::key("kube-apiserver")),
        ("service-account-issuer", "https://kubernetes.default.svc".to_owned()),
        ("service-account-key-file", files::public_key("service-accounts")),
        ("service-account-signing-key-file", files::key("service-accounts")),
        ("service-cluster-ip-range", SERVICES.to_owned()),
        ("authorization-mode", "Node,RBAC".to_owned()),
        ("enable-admission-plugins", "NodeRestriction".to_owned()),
        ("kubelet-client-certificate", files::certificate("admin")),
        ("kubelet-client-key", files::key("admin")),
        ("kubelet-certificate-authority", files::certificate("ca")),
        ("kubelet-preferred-address-types", "InternalIP".to_owned()),
        // Its port is free again at once when it is stopped.
        ("shutdown-delay-duration", "0s".to_owned()),
    ]);
    arguments.push("--allow-privileged".to_owned());
    Component {
        program: on_control_plane(plan, "kube-apiserver", "kube-apiserver", arguments),
        ready: Ready::ApiServer,
        needs: vec!["etcd".to_owned()],
    }
}

fn controller_manager(plan: &Plan) -> Component {
    let name = "kube-controller-manager";
    let mut arguments = of_control_plane(name);
    arguments.extend(flags([
        ("service-account-private-key-file", files::key("service-accounts")),
        ("root-ca-file", files::certificate("ca")),
        // It asks for an account for each of its controllers before it starts any: with the default of 20 requests a second
        // that alone takes 5 s.
        ("kube-api-qps", "500".to_owned()),
        ("kube-api-burst", "500".to_owned()),
    ]));
    arguments.push("--use-service-account-credentials".to_owned());
    Component {
        program: on_control_plane(plan, name, name, arguments),
        ready: Ready::Listens(at_control_plane(10257)),
        needs: vec!["kube-apiserver".to_owned()],
    }
}

fn scheduler(plan: &Plan) -> Component {
    let name = "kube-scheduler";
    Component {
        program: on_control_plane(plan, name, name, of_control_plane(name)),
        ready: Ready::Listens(at_control_plane(10259)),
        needs: vec!["kube-apiserver".to_owned()],
    }
}

fn of_control_plane(name: &str) -> Vec<String> {
    flags([
        ("kubeconfig", path(&files::kubeconfig(name))),
        ("bind-address", control_plane().to_string()),
        ("leader-elect", "false".to_owned()),
    ])
}

fn containerd(node: u8) -> Component {
    // It looks for runc and its shim on the PATH.
    let search = format!("{NODE_PROGRAMS}:/usr/sbin:/usr/bin:/sbin:/bin");
    let mut program = on_its_node(node, "containerd", flags([("config", Node::CONTAINERD.to_owned())]));
    program.environment.insert("PATH".to_owned(), search);
    Component { program, ready: Ready::Socket(on_node(node, CONTAINERD_SOCKET)), needs: vec![] }
}

fn kubelet(node: u8) -> Component {
    let arguments = flags([
        ("config", Node::KUBELET.to_owned()),
        ("kubeconfig", Node::KUBELET_KUBECONFIG.to_owned()),
        ("hostname-override", node_name(node)),
        ("node-ip", node_address(node).to_string()),
    ]);
    Component {
        program: on_its_node(node, "kubelet", arguments),
        ready: Ready::Http(format!("http://{}:10248/healthz", node_address(node))),
        needs: vec!["kube-apiserver".to_owned(), format!("containerd-{node}")],
    }
}

fn kube_proxy(node: u8) -> Component {
    Component {
        program: on_its_node(node, "kube-proxy", flags([("config", Node::KUBE_PROXY.to_owned())])),
        ready: Ready::Http(format!("http://{}:10256/livez", node_address(node))),
        needs: vec!["kube-apiserver".to_owned()],
    }
}

fn on_control_plane(plan: &Plan, name: &str, program: &str, arguments: impl IntoIterator<Item = String>) -> Program {
    Program {
        name: name.to_owned(),
        path: plan.programs.join(program),
        arguments: arguments.into_iter().collect(),
        environment: BTreeMap::new(),
        place: Place::ControlPlane,
    }
}

fn on_its_node(node: u8, program: &str, arguments: Vec<String>) -> Program {
    Program {
        name: format!("{program}-{node}"),
        path: Path::new(NODE_PROGRAMS).join(program),
        arguments,
        environment: BTreeMap::new(),
        place: Place::Node(node),
    }
}

fn flags<const N: usize>(pairs: [(&str, String); N]) -> Vec<String> {
    pairs.map(|(name, value)| format!("--{name}={value}")).into()
}

fn at_control_plane(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(control_plane()), port)
}

fn path(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(nodes: u8) -> Plan {
        Plan {
            nodes,
            programs: "/programs".into(),
            registry: "/registry".into(),
            storage_class: false,
            dns_cache: None,
        }
    }

    #[test]
    fn none_is_started_before_what_it_needs() {
        let mut started: Vec<String> = Vec::new();
        for component in all(&plan(3)) {
            for need in &component.needs {
                assert!(started.contains(need), "{} comes before {need}", component.program.name);
            }
            started.push(component.program.name);
        }
    }

    #[test]
    fn each_node_has_its_own() {
        let names: Vec<String> = all(&plan(2)).into_iter().map(|component| component.program.name).collect();
        let nodes: Vec<&str> =
            names.iter().map(String::as_str).filter(|name| name.ends_with(|end: char| end.is_ascii_digit())).collect();
        assert_eq!(nodes, ["containerd-1", "containerd-2", "kubelet-1", "kube-proxy-1", "kubelet-2", "kube-proxy-2"]);
        let mut unique = names.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), names.len());
    }
}
