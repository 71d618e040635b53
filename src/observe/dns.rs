//! The cluster's DNS server, as its objects say. Those who may only use a namespace may not read them.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use kube::api::ListParams;
use serde::{Deserialize, Serialize};
use tokio::join;

use super::{Reading, readiness};
use crate::kubernetes::Cluster;

/// Where the DNS server lives, by convention.
const NAMESPACE: &str = "kube-system";
/// Its label, which it has kept from its predecessor.
const LABEL: &str = "k8s-app=kube-dns";
/// Where kubeadm and others keep its configuration.
const CONFIGURATION: &str = "coredns";

/// As many as a cluster has.
const MOST: u32 = 50;

/// The DNS server, as its objects say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DnsServer {
    /// How many pods it shall have; none if no Deployment says so.
    pub desired: Option<i32>,
    /// How many it has.
    pub pods: usize,
    /// How many of them are ready.
    pub ready: usize,
}

/// The namespace of the kubectl command that reads the same, and its words.
pub const KUBECTL: (&str, [&str; 4]) = (NAMESPACE, ["get", "deployments,pods", "-l", LABEL]);

/// Its pods, and how many there shall be.
pub async fn server(cluster: &Cluster) -> Reading<DnsServer> {
    let cluster = cluster.in_namespace(NAMESPACE);
    let labelled = labelled();
    let (deployments, pods) = join!(cluster.list::<Deployment>(&labelled), cluster.list::<Pod>(&labelled));
    let pods = match pods {
        Ok(pods) => pods,
        Err(error) => return Reading::Unknown(error.into()),
    };
    let deployment = deployments.ok().and_then(|mut all| all.pop());
    if deployment.is_none() && pods.is_empty() {
        return Reading::Absent;
    }
    Reading::Present(DnsServer {
        desired: deployment.and_then(|deployment| deployment.spec?.replicas),
        pods: pods.len(),
        ready: pods.iter().filter(|pod| readiness::pod(pod)).count(),
    })
}

/// The node that all its ready pods are on; none if there are several, or if the pods may not be read.
pub async fn only_node(cluster: &Cluster) -> Option<String> {
    let pods = cluster.in_namespace(NAMESPACE).list::<Pod>(&labelled()).await.ok()?;
    node_of_all(&pods).map(str::to_owned)
}

fn labelled() -> ListParams {
    ListParams::default().labels(LABEL).limit(MOST)
}

fn node_of_all(pods: &[Pod]) -> Option<&str> {
    let mut nodes = pods.iter().filter(|pod| readiness::pod(pod)).map(|pod| pod.spec.as_ref()?.node_name.as_deref());
    let first = nodes.next()??;
    nodes.all(|node| node == Some(first)).then_some(first)
}

/// Its configuration.
pub async fn corefile(cluster: &Cluster) -> Reading<String> {
    let configuration = cluster.in_namespace(NAMESPACE).get::<ConfigMap>(CONFIGURATION).await;
    configuration.map(|map| map.and_then(|map| map.data?.remove("Corefile"))).into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_node_has_all_ready_pods_or_none_has() {
        let pod = |node: &str, ready: &str| -> Pod {
            let status = json!({ "conditions": [{ "type": "Ready", "status": ready }] });
            serde_json::from_value(json!({ "spec": { "nodeName": node, "containers": [] }, "status": status })).unwrap()
        };
        let (ready, unready, elsewhere) = (pod("a", "True"), pod("a", "False"), pod("b", "True"));
        assert_eq!(node_of_all(&[]), None);
        assert_eq!(node_of_all(std::slice::from_ref(&unready)), None);
        assert_eq!(node_of_all(&[unready, ready.clone()]), Some("a"));
        assert_eq!(node_of_all(&[ready.clone(), ready.clone()]), Some("a"));
        assert_eq!(node_of_all(&[ready, elsewhere]), None);
    }
}
