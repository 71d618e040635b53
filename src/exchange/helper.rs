//! Pods that this program starts for a while: to ask, write or wipe from inside the cluster.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::ApiResource;
use rand::RngExt as _;
use serde_json::{Value, json};

use super::{directory, names};
use crate::kubernetes::Object;
use crate::program;

/// A user that owns nothing, and that images need not know.
pub(super) const NOBODY: i64 = 65_534;

/// A pod for a while. It meets Pod Security `restricted` unless it is to run as root, has requests and limits, and no label of the exchange's pods.
#[derive(Clone, Debug)]
pub struct Helper {
    /// What it is for, in a word: part of its name, and the value of its label `names::HELPER`.
    pub purpose: &'static str,
    /// The image. The one of the database is on the node already.
    pub image: String,
    /// The program and its arguments. These are seen by everybody who may read pods.
    pub command: Vec<String>,
    /// After how long the cluster ends it, should nobody delete it.
    pub lasts: Duration,
    /// The user and group that it runs as; by default one that owns nothing.
    pub user: Option<i64>,
    /// A claim to mount, and where.
    pub claim: Option<(String, &'static str)>,
    /// How many directories of its node it mounts: `exchange::directory` says where it has them, and makes their volumes.
    pub directories: usize,
    /// Variables of its environment, as the API has them.
    pub env: Vec<Value>,
    /// What it pulls its image by, though the node may have it.
    pub pull: Option<Pull>,
}

/// How an image is pulled for a pod that will need it: on its node, with what it has for that.
#[derive(Clone, Debug)]
pub struct Pull {
    pub node: String,
    /// The names of Secrets, as the API has them.
    pub secrets: Vec<Value>,
}

impl Helper {
    /// A helper that runs a program, with nothing mounted.
    #[must_use]
    pub fn new(purpose: &'static str, image: &str, command: &[&str], lasts: Duration) -> Self {
        let command = command.iter().copied().map(str::to_owned).collect();
        Self {
            purpose,
            image: image.to_owned(),
            command,
            lasts,
            user: None,
            claim: None,
            directories: 0,
            env: Vec::new(),
            pull: None,
        }
    }

    /// The pod, under a name of its own. Its container is called as what it is for.
    #[must_use]
    pub fn object(&self, namespace: &str) -> Object {
        let name = format!("kubecoin-{}-{:06x}", self.purpose, rand::rng().random_range(0..1 << 24));
        let user = self.user.unwrap_or(NOBODY);
        // Where programs that need a scratch file find it.
        let mut volumes = vec![json!({ "name": "tmp", "emptyDir": { "sizeLimit": "16Mi" } })];
        let mut mounts = vec![json!({ "name": "tmp", "mountPath": "/tmp" })];
        if let Some((claim, path)) = &self.claim {
            volumes.push(json!({ "name": "data", "persistentVolumeClaim": { "claimName": claim } }));
            mounts.push(json!({ "name": "data", "mountPath": path }));
        }
        volumes.extend(directory::volumes(self.directories));
        mounts.extend(directory::mounts(self.directories));
        let mut body = json!({
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": name,
                "namespace": namespace,
                "labels": { (names::HELPER): self.purpose, "app.kubernetes.io/managed-by": program::NAME },
            },
            "spec": {
                "restartPolicy": "Never",
                "activeDeadlineSeconds": self.lasts.as_secs().max(1),
                // Nothing in it is worth a farewell.
                "terminationGracePeriodSeconds": 1,
                "automountServiceAccountToken": false,
                "enableServiceLinks": false,
                "securityContext": {
                    "runAsNonRoot": user != 0,
                    "runAsUser": user,
                    "runAsGroup": user,
                    "seccompProfile": { "type": "RuntimeDefault" },
                },
                "containers": [{
                    "name": self.purpose,
                    "image": self.image,
                    "imagePullPolicy": "IfNotPresent",
                    "command": self.command,
                    "env": self.env,
                    "resources": {
                        "requests": { "cpu": "10m", "memory": "16Mi", "ephemeral-storage": "16Mi" },
                        "limits": { "cpu": "500m", "memory": "128Mi", "ephemeral-storage": "64Mi" },
                    },
                    "securityContext": {
                        "allowPrivilegeEscalation": false,
                        "readOnlyRootFilesystem": true,
                        "capabilities": { "drop": ["ALL"] },
                    },
                    "volumeMounts": mounts,
                }],
                "volumes": volumes,
            },
        });
        if let Some(Pull { node, secrets }) = &self.pull {
            let spec = &mut body["spec"];
            spec["nodeName"] = node.as_str().into();
            spec["containers"][0]["imagePullPolicy"] = "Always".into();
            if !secrets.is_empty() {
                spec["imagePullSecrets"] = secrets.as_slice().into();
            }
        }
        Object { resource: ApiResource::erase::<Pod>(&()), name, namespace: Some(namespace.to_owned()), body }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn helper() -> Helper {
        let helper = Helper::new("wipe", "postgres:17", &["sh", "-c", "true"], Duration::from_mins(2));
        Helper { user: Some(999), claim: Some((names::CLAIM.to_owned(), "/volume")), ..helper }
    }

    /// Pod Security `restricted`, line by line. The tests on a cluster hold it against the real one.
    #[test]
    fn it_may_run_where_little_may() {
        let spec = &helper().object("alice").body["spec"];
        assert_eq!(spec["securityContext"]["runAsNonRoot"], true);
        assert_eq!(spec["securityContext"]["runAsUser"], 999);
        assert_eq!(spec["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        let container = &spec["containers"][0];
        assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false);
        assert_eq!(container["securityContext"]["capabilities"], json!({ "drop": ["ALL"] }));
        for bounds in ["requests", "limits"] {
            for resource in ["cpu", "memory", "ephemeral-storage"] {
                assert!(container["resources"][bounds][resource].is_string(), "{bounds} {resource}");
            }
        }
        assert_eq!(spec["activeDeadlineSeconds"], 120);
        assert_eq!(spec["volumes"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn it_is_no_pod_of_the_exchange_and_no_other_helper() {
        let (one, other) = (helper().object("alice"), helper().object("alice"));
        assert_ne!(one.name, other.name);
        let labels = one.body["metadata"]["labels"].as_object().unwrap();
        assert_eq!(labels[names::HELPER], "wipe");
        assert!(!labels.contains_key(names::APP) && !labels.contains_key(names::PART_OF.0));
        // What the typed structs do not know would be dropped by no server, but is a misspelling.
        let typed: Pod = serde_json::from_value(one.body.clone()).unwrap();
        assert_eq!(serde_json::to_value(typed).unwrap(), one.body);
    }
}
