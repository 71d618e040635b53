//! The files that the components read. JSON wherever a program takes YAML, of which it is a part.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Value, json};

use super::layout::{
    API_PORT, API_SERVICE, CONTAINERD_SOCKET, DNS_SERVICE, DOMAIN, NAME, NODE_CONFIGURATION, NODE_PROGRAMS, PODS, Plan,
    REGISTRY_PORT, cgroup, control_plane, node_address, node_name, node_pods, on_node, state,
};
use super::pki::{Authority, Identity};
use super::registry::PAUSE;
use super::{layout, pki};

/// Where the upstream DNS says that it is well.
pub const UPSTREAM_HEALTH_PORT: u16 = 8080;

/// A certificate of the control plane, by its owner's name; `ca` is the authority's.
pub fn certificate(name: &str) -> String {
    state("pki").join(name).with_extension("crt").display().to_string()
}

/// A private key of the control plane, by its owner's name.
pub fn key(name: &str) -> String {
    state("pki").join(name).with_extension("key").display().to_string()
}

/// A public key of the control plane, by its owner's name.
pub fn public_key(name: &str) -> String {
    state("pki").join(name).with_extension("pub").display().to_string()
}

/// The kubeconfig of a part of the control plane.
pub fn kubeconfig(name: &str) -> PathBuf {
    state("configuration").join(name).with_extension("kubeconfig")
}

/// The registry's configuration.
pub fn registry() -> PathBuf {
    state("configuration/registry.yaml")
}

/// The Corefile of the upstream DNS.
pub fn upstream_dns() -> PathBuf {
    state("configuration/upstream.corefile")
}

/// The files of a node, as the node sees them.
pub struct Node;

impl Node {
    /// containerd's configuration.
    pub const CONTAINERD: &str = "/var/lib/kubecoin/containerd.toml";
    /// The kubelet's configuration.
    pub const KUBELET: &str = "/var/lib/kubecoin/kubelet.json";
    /// The kubelet's kubeconfig.
    pub const KUBELET_KUBECONFIG: &str = "/var/lib/kubecoin/kubelet.kubeconfig";
    /// kube-proxy's configuration.
    pub const KUBE_PROXY: &str = "/var/lib/kubecoin/kube-proxy.json";
    const KUBE_PROXY_KUBECONFIG: &str = "/var/lib/kubecoin/kube-proxy.kubeconfig";
    const AUTHORITY: &str = "/var/lib/kubecoin/ca.crt";
    const CERTIFICATE: &str = "/var/lib/kubecoin/kubelet.crt";
    const KEY: &str = "/var/lib/kubecoin/kubelet.key";
    const RESOLV: &str = "/var/lib/kubecoin/resolv.conf";
    const NETWORKS: &str = "/var/lib/kubecoin/networks";
    const REGISTRIES: &str = "/var/lib/kubecoin/registries";
}

/// Writes everything that the components of the plan read, with a new authority and new keys.
pub fn write(plan: &Plan) -> Result<()> {
    for folder in ["pki", "configuration", "logs"] {
        fs::create_dir_all(state(folder))?;
    }
    let authority = Authority::new()?;
    write_control_plane(plan, &authority)?;
    for node in plan.node_numbers() {
        write_node(node, &authority).with_context(|| format!("cannot configure {}", node_name(node)))?;
    }
    Ok(())
}

fn write_control_plane(plan: &Plan, authority: &Authority) -> Result<()> {
    fs::write(certificate("ca"), authority.certificate())?;
    let (private, public) = pki::key_pair()?;
    write_secret(Path::new(&key("service-accounts")), &private)?;
    fs::write(public_key("service-accounts"), public)?;
    let names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost", "127.0.0.1"];
    let addresses = [control_plane().to_string(), API_SERVICE.to_string()];
    let api_server = authority.issue("kube-apiserver", None, names.map(str::to_owned).into_iter().chain(addresses))?;
    let etcd = authority.issue("etcd", None, ["localhost", "127.0.0.1"].map(str::to_owned))?;
    let admin = authority.issue("kubecoin-admin", Some("system:masters"), [])?;
    for (name, identity) in [("kube-apiserver", api_server), ("etcd", etcd), ("admin", admin.clone())] {
        fs::write(certificate(name), &identity.certificate)?;
        write_secret(Path::new(&key(name)), &identity.key)?;
    }
    write_kubeconfig(&layout::kubeconfig(), authority, &admin)?;
    for name in ["kube-controller-manager", "kube-scheduler"] {
        let identity = authority.issue(&format!("system:{name}"), None, [])?;
        write_kubeconfig(&kubeconfig(name), authority, &identity)?;
    }
    write_json(&registry(), &registry_configuration(&plan.registry))?;
    Ok(fs::write(upstream_dns(), upstream_corefile())?)
}

fn write_node(node: u8, authority: &Authority) -> Result<()> {
    let path = |path| on_node(node, path);
    for folder in [NODE_CONFIGURATION, Node::NETWORKS] {
        fs::create_dir_all(path(folder))?;
    }
    let default_registry = path(Node::REGISTRIES).join("_default");
    fs::create_dir_all(&default_registry)?;
    fs::write(default_registry.join("hosts.toml"), toml::to_string(&mirror())?)?;
    fs::write(path(Node::CONTAINERD), toml::to_string(&containerd())?)?;
    write_json(&path(Node::NETWORKS).join("10-pods.conflist"), &pod_network(node))?;
    fs::write(path(Node::RESOLV), format!("nameserver {}\n", control_plane()))?;

    fs::write(path(Node::AUTHORITY), authority.certificate())?;
    let name = node_name(node);
    let own = [name.clone(), node_address(node).to_string()];
    let kubelet = authority.issue(&format!("system:node:{name}"), Some("system:nodes"), own)?;
    fs::write(path(Node::CERTIFICATE), &kubelet.certificate)?;
    write_secret(&path(Node::KEY), &kubelet.key)?;
    write_kubeconfig(&path(Node::KUBELET_KUBECONFIG), authority, &kubelet)?;
    write_json(&path(Node::KUBELET), &kubelet_configuration(node))?;

    let proxy = authority.issue("system:kube-proxy", None, [])?;
    write_kubeconfig(&path(Node::KUBE_PROXY_KUBECONFIG), authority, &proxy)?;
    write_json(&path(Node::KUBE_PROXY), &proxy_configuration(node))
}

fn write_json(path: &Path, value: &Value) -> Result<()> {
    let text = serde_json::to_vec_pretty(value)?;
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn write_kubeconfig(path: &Path, authority: &Authority, identity: &Identity) -> Result<()> {
    let text = serde_json::to_string_pretty(&pki::kubeconfig(&server(), authority, identity))?;
    write_secret(path, &text)
}

/// Writes what only root may read.
fn write_secret(path: &Path, text: &str) -> Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let file = fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn server() -> String {
    format!("https://{}:{API_PORT}", control_plane())
}

fn registry_configuration(storage: &Path) -> Value {
    json!({
        "version": "0.1",
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": storage}, "delete": {"enabled": true}},
        "http": {"addr": format!("{}:{REGISTRY_PORT}", control_plane())},
    })
}

fn upstream_corefile() -> String {
    let address = control_plane();
    format!(
        ".:53 {{
    bind {address}
    errors
    health {address}:{UPSTREAM_HEALTH_PORT}
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"
    )
}

/// Any registry is the cluster's own: pods pull by the names that users know, and what is not there fails as it does for
/// users.
fn mirror() -> impl Serialize {
    let address = format!("http://{}:{REGISTRY_PORT}", control_plane());
    json!({"server": address, "host": {address.as_str(): {"capabilities": ["pull", "resolve"]}}})
}

fn containerd() -> impl Serialize {
    json!({
        "version": 3,
        "grpc": {"address": CONTAINERD_SOCKET},
        "plugins": {
            "io.containerd.cri.v1.images": {
                "pinned_images": {"sandbox": PAUSE},
                // Once unpacked, they are only in the way.
                "discard_unpacked_layers": true,
                "registry": {"config_path": Node::REGISTRIES},
            },
            "io.containerd.cri.v1.runtime": {
                // Without CAP_SYS_RESOURCE, runc could not start anything otherwise.
                "restrict_oom_score_adj": true,
                "cni": {"bin_dirs": [NODE_PROGRAMS], "conf_dir": Node::NETWORKS},
            },
            "io.containerd.nri.v1.nri": {"disable": true},
        },
    })
}

/// Point to point: with a bridge, pods of one node would bypass kube-proxy's address translation.
fn pod_network(node: u8) -> Value {
    json!({
        "cniVersion": "1.0.0",
        "name": NAME,
        "plugins": [{
            "type": "ptp",
            "ipMasq": false,
            "ipam": {
                "type": "host-local",
                "ranges": [[{"subnet": node_pods(node)}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        }],
    })
}

fn kubelet_configuration(node: u8) -> Value {
    let address = node_address(node).to_string();
    json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "failCgroupV1": false,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": format!("/{}/{}", cgroup(), node_name(node)),
        "failSwapOn": false,
        "containerRuntimeEndpoint": format!("unix://{CONTAINERD_SOCKET}"),
        "address": address,
        "healthzBindAddress": address,
        "authentication": {
            "anonymous": {"enabled": false},
            "webhook": {"enabled": true},
            "x509": {"clientCAFile": Node::AUTHORITY},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": Node::CERTIFICATE,
        "tlsPrivateKeyFile": Node::KEY,
        "clusterDNS": [DNS_SERVICE.to_string()],
        "clusterDomain": DOMAIN,
        "resolvConf": Node::RESOLV,
        // The disk and the memory are this machine's, and how full they are is not the cluster's doing.
        "evictionHard": {
            "memory.available": "1%", "nodefs.available": "1%", "imagefs.available": "1%", "nodefs.inodesFree": "1%",
        },
        "imageGCHighThresholdPercent": 100,
    })
}

fn proxy_configuration(node: u8) -> Value {
    json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clusterCIDR": PODS,
        "hostnameOverride": node_name(node),
        "clientConnection": {"kubeconfig": Node::KUBE_PROXY_KUBECONFIG},
        // Zero: these limits are the whole machine's, and are left as they are.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_registry_is_the_clusters_own() -> Result<()> {
        let text = toml::to_string(&mirror())?;
        let read: toml::Table = toml::from_str(&text)?;
        assert_eq!(read["server"].as_str(), Some("http://198.18.77.1:5000"));
        assert!(read["host"].get("http://198.18.77.1:5000").is_some(), "{text}");
        Ok(())
    }

    #[test]
    fn containerd_reads_what_is_written_for_it() -> Result<()> {
        let read: toml::Table = toml::from_str(&toml::to_string(&containerd())?)?;
        assert_eq!(read["version"].as_integer(), Some(3));
        assert_eq!(read["plugins"]["io.containerd.cri.v1.images"]["pinned_images"]["sandbox"].as_str(), Some(PAUSE));
        Ok(())
    }

    #[test]
    fn nodes_share_neither_addresses_nor_cgroups() {
        let (one, two) = (kubelet_configuration(1), kubelet_configuration(2));
        for field in ["address", "healthzBindAddress", "cgroupRoot"] {
            assert_ne!(one[field], two[field], "{field}");
        }
        assert_ne!(pod_network(1), pod_network(2));
    }
}
