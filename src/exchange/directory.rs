//! A directory on a node, reached by a pod that need not be let near the node: through a volume for this pod alone.
//!
//! The kubelet creates the directory of a `hostPath` volume (`DirectoryOrCreate`), and not that of a `local` one. A pod that names
//! a `hostPath` itself is refused by Pod Security `baseline` and `restricted`; one that has a claim is not.

use k8s_openapi::api::core::v1::PersistentVolume;
use kube::ResourceExt;
use kube::api::ApiResource;
use serde_json::{Value, json};

use super::{marks, names};
use crate::kubernetes::Object;
use crate::program;

/// A directory on a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Directory {
    /// The node, by its label `kubernetes.io/hostname`.
    pub hostname: String,
    pub path: String,
}

impl Directory {
    /// That of a volume, if it is on a node by the volume's own words: of a `local` one, and of a `hostPath` that is tied to a node.
    #[must_use]
    pub fn of(volume: &PersistentVolume) -> Option<Self> {
        let (hostname, path) = (marks::pinned_to(volume)?, path(volume)?.to_owned());
        Some(Self { hostname, path })
    }

    /// That of a volume that was created for a member.
    #[must_use]
    pub fn of_member(volume: &PersistentVolume) -> Option<Self> {
        names::number_of_volume(&volume.name_any()).and_then(|_| Self::of(volume))
    }

    /// The one that it is in.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (parent, _) = self.path.trim_end_matches('/').rsplit_once('/')?;
        let path = if parent.is_empty() { "/" } else { parent };
        Some(Self { hostname: self.hostname.clone(), path: path.to_owned() })
    }

    /// Its own name, in the one that it is in.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
    }

    /// The volume by which a pod mounts it as the volume of this number. The kubelet creates the directory, with all that it is in.
    #[must_use]
    pub fn volume(&self, (pod, namespace): (&str, &str), number: usize, purpose: &str) -> Object {
        let name = claim(pod, number);
        let is_there = json!({ "key": names::HOSTNAME, "operator": "In", "values": [self.hostname] });
        let body = json!({
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {
                "name": name,
                "labels": { (names::HELPER): purpose, "app.kubernetes.io/managed-by": program::NAME },
            },
            "spec": {
                "capacity": { "storage": SIZE },
                "accessModes": [MODE],
                "persistentVolumeReclaimPolicy": "Retain",
                "claimRef": { "apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": namespace, "name": name },
                "hostPath": { "path": self.path, "type": "DirectoryOrCreate" },
                "nodeAffinity": { "required": { "nodeSelectorTerms": [{ "matchExpressions": [is_there] }] } },
            },
        });
        Object { resource: ApiResource::erase::<PersistentVolume>(&()), name, namespace: None, body }
    }
}

/// The path of a volume that is a directory on a node.
#[must_use]
pub fn path(volume: &PersistentVolume) -> Option<&str> {
    let spec = volume.spec.as_ref()?;
    let host_path = spec.host_path.as_ref().map(|source| source.path.as_str());
    host_path.or_else(|| spec.local.as_ref().map(|source| source.path.as_str()))
}

/// It holds nothing.
const SIZE: &str = "1Mi";
const MODE: &str = "ReadWriteOnce";

/// What the pod calls the volume of this number.
fn name(number: usize) -> String {
    format!("directory-{number}")
}

/// The claim that the cluster makes for that volume of the pod: its name is the cluster's rule. It goes with the pod.
fn claim(pod: &str, number: usize) -> String {
    format!("{pod}-{}", name(number))
}

/// The volumes of a pod, so many, each with a claim that the cluster makes for it.
pub(super) fn volumes(count: usize) -> impl Iterator<Item = Value> {
    (0..count).map(|number| {
        let spec = json!({
            // Empty, not left out: else the cluster would make a new volume.
            "storageClassName": "",
            "accessModes": [MODE],
            "resources": { "requests": { "storage": SIZE } },
        });
        json!({ "name": name(number), "ephemeral": { "volumeClaimTemplate": { "spec": spec } } })
    })
}

/// Where the pod has them.
pub(super) fn mounts(count: usize) -> impl Iterator<Item = Value> {
    (0..count).map(|number| json!({ "name": name(number), "mountPath": mount_path(number) }))
}

/// Where a pod has the volume of this number.
#[must_use]
pub fn mount_path(number: usize) -> String {
    format!("/{}", name(number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::helper::Helper;
    use std::time::Duration;

    fn directory() -> Directory {
        Directory { hostname: "a.host".to_owned(), path: "/data/kubecoin/alice/postgres-0".to_owned() }
    }

    #[test]
    fn a_directory_is_in_another_one() {
        let parent = directory().parent().unwrap();
        assert_eq!((parent.path.as_str(), parent.hostname.as_str()), ("/data/kubecoin/alice", "a.host"));
        assert_eq!(directory().name(), "postgres-0");
        let top = Directory { path: "/srv/".to_owned(), ..directory() };
        assert_eq!((top.parent().unwrap().path.as_str(), top.name()), ("/", "srv"));
    }

    #[test]
    fn the_volume_is_for_the_claim_that_the_cluster_makes_for_the_pod() {
        let plain = Helper::new("directories", "postgres:17", &["true"], Duration::from_mins(1));
        let pod = Helper { directories: 2, ..plain }.object("alice");
        let volume = directory().volume((&pod.name, "alice"), 1, "directories");
        assert_eq!(volume.body["spec"]["claimRef"]["name"], format!("{}-directory-1", pod.name));
        assert_eq!(volume.body["spec"]["hostPath"]["type"], "DirectoryOrCreate");
        let named = pod.body["spec"]["volumes"].as_array().unwrap().iter().any(|one| one["name"] == "directory-1");
        assert!(named, "{}", pod.body);
        let typed: PersistentVolume = serde_json::from_value(volume.body.clone()).unwrap();
        assert_eq!(Directory::of(&typed), Some(directory()));
        assert_eq!(serde_json::to_value(typed).unwrap(), volume.body);
    }
}
