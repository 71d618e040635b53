//! What a run took place on: versions, machines, images and the class of the storage. What may not be read is unknown.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::ResourceExt;
use serde::{Deserialize, Serialize};

use crate::observe::Reading;

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Setting {
    /// The version of this plugin.
    pub plugin: String,
    /// The version of the API server.
    pub server: Reading<String>,
    /// The nodes that the stopped pods were on, by their names.
    pub nodes: BTreeMap<String, Reading<Machine>>,
    /// The class of the claims; absent if they have none.
    pub class: Reading<Class>,
    /// The images of the pods: of the exchange, or of a set.
    pub images: Reading<Vec<Image>>,
}

/// A node, as it says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    /// The version of its kubelet.
    pub kubelet: String,
    /// The version of its kernel.
    pub kernel: String,
    /// Its operating system.
    pub system: String,
    /// Its processor's kind.
    pub architecture: String,
    /// The name and version of what runs its containers.
    pub runtime: String,
}

/// A `StorageClass`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Class {
    pub name: String,
    /// What makes its volumes.
    pub provisioner: String,
    /// What becomes of a volume without its claim.
    pub reclaim: Option<String>,
}

/// The image of a container that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    pub pod: String,
    /// The image, as the pod names it.
    pub name: String,
    /// The image, as the node has it: with its digest.
    pub digest: String,
}

impl From<&Node> for Machine {
    fn from(node: &Node) -> Self {
        let info = node.status.as_ref().and_then(|status| status.node_info.clone()).unwrap_or_default();
        Self {
            kubelet: info.kubelet_version,
            kernel: info.kernel_version,
            system: info.os_image,
            architecture: info.architecture,
            runtime: info.container_runtime_version,
        }
    }
}

impl From<&StorageClass> for Class {
    fn from(class: &StorageClass) -> Self {
        Self { name: class.name_any(), provisioner: class.provisioner.clone(), reclaim: class.reclaim_policy.clone() }
    }
}

impl Image {
    /// Those of a pod's containers.
    pub fn of(pod: &Pod) -> impl Iterator<Item = Self> {
        let containers = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
        containers.into_iter().flatten().map(|container| Self {
            pod: pod.name_any(),
            name: container.image.clone(),
            digest: container.image_id.clone(),
        })
    }
}
