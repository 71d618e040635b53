//! The `Secret`s and `ConfigMap`s without which pods do not start: whether they are there, and never what they hold.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use k8s_openapi::api::core::v1::{ConfigMap, PodSpec, Secret};
use kube::core::ObjectMeta;
use serde::{Deserialize, Serialize};

use super::{Reading, Snapshot};
use crate::exchange::names;
use crate::kubernetes::Cluster;

/// What a pod is given, and cannot start without.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Given {
    pub kind: Kind,
    pub name: String,
    /// The key of it; none for all of them.
    pub key: Option<String>,
}

/// What holds values for pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    Secret,
    ConfigMap,
}

/// A `Secret` or a `ConfigMap` without its values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Holder {
    pub kind: Kind,
    pub name: String,
    pub found: Reading<Keys>,
}

/// What is known of one that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    pub keys: BTreeSet<String>,
    /// Whether it was deleted, and is still there.
    pub terminating: bool,
}

impl Kind {
    /// As kubectl names it.
    #[must_use]
    pub fn reference(self, name: &str) -> String {
        match self {
            Self::Secret => format!("secret/{name}"),
            Self::ConfigMap => format!("configmap/{name}"),
        }
    }
}

/// What the exchange's workloads give to their pods: each workload's label `app` with what its next pod needs.
pub fn needed(snapshot: &Snapshot) -> impl Iterator<Item = (&'static str, Given)> {
    let set = snapshot.statefulset.present().and_then(|set| set.spec.as_ref()?.template.spec.as_ref());
    let deployments = names::DEPLOYMENTS.into_iter().filter_map(|app| {
        let deployment = snapshot.deployments.get(app)?.present()?;
        Some((app, deployment.spec.as_ref()?.template.spec.as_ref()?))
    });
    let all = set.map(|spec| (names::POSTGRES, spec)).into_iter().chain(deployments);
    all.flat_map(|(app, spec)| of_pod(spec).into_iter().map(move |given| (app, given)))
}

/// What a pod cannot start without.
fn of_pod(spec: &PodSpec) -> BTreeSet<Given> {
    let mut all = BTreeSet::new();
    let mut add = |kind, name: &str, key: Option<&str>, optional: Option<bool>| {
        if optional != Some(true) {
            all.insert(Given { kind, name: name.to_owned(), key: key.map(str::to_owned) });
        }
    };
    let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    for container in containers {
        for source in container.env.iter().flatten().filter_map(|variable| variable.value_from.as_ref()) {
            if let Some(it) = &source.secret_key_ref {
                add(Kind::Secret, &it.name, Some(&it.key), it.optional);
            }
            if let Some(it) = &source.config_map_key_ref {
                add(Kind::ConfigMap, &it.name, Some(&it.key), it.optional);
            }
        }
        for source in container.env_from.iter().flatten() {
            if let Some(it) = &source.secret_ref {
                add(Kind::Secret, &it.name, None, it.optional);
            }
            if let Some(it) = &source.config_map_ref {
                add(Kind::ConfigMap, &it.name, None, it.optional);
            }
        }
    }
    for volume in spec.volumes.iter().flatten() {
        if let Some(it) = &volume.secret {
            add(Kind::Secret, it.secret_name.as_deref().unwrap_or_default(), None, it.optional);
        }
        if let Some(it) = &volume.config_map {
            add(Kind::ConfigMap, &it.name, None, it.optional);
        }
    }
    all
}

/// What holds it.
fn holders(snapshot: &Snapshot) -> BTreeSet<(Kind, String)> {
    needed(snapshot).map(|(_, given)| (given.kind, given.name)).collect()
}

/// What holds it, as kubectl names it: `secret/postgres-credentials`.
pub fn references(snapshot: &Snapshot) -> impl Iterator<Item = String> {
    holders(snapshot).into_iter().map(|(kind, name)| kind.reference(&name))
}

/// Reads those that the workloads name. Their values are dropped at once.
pub async fn read(snapshot: &Snapshot, cluster: &Cluster) -> Vec<Holder> {
    let all = holders(snapshot).into_iter().map(|(kind, name)| async move {
        let found = match kind {
            Kind::Secret => cluster.get::<Secret>(&name).await.map(|it| it.map(|it| keys(&it.metadata, it.data))),
            Kind::ConfigMap => cluster.get::<ConfigMap>(&name).await.map(|it| {
                it.map(|it| {
                    let mut all = keys(&it.metadata, it.data);
                    all.keys.extend(it.binary_data.unwrap_or_default().into_keys());
                    all
                })
            }),
        };
        Holder { kind, name, found: found.into() }
    });
    join_all(all).await
}

fn keys<V>(metadata: &ObjectMeta, data: Option<std::collections::BTreeMap<String, V>>) -> Keys {
    Keys { keys: data.unwrap_or_default().into_keys().collect(), terminating: metadata.deletion_timestamp.is_some() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_optional_is_not_needed() {
        let spec: PodSpec = serde_json::from_value(json!({
            "containers": [{ "name": "a",
                "env": [{ "name": "A", "value": "1" },
                        { "name": "B", "valueFrom": { "secretKeyRef": { "name": "s", "key": "b" } } },
                        { "name": "C", "valueFrom": { "secretKeyRef": { "name": "o", "key": "c", "optional": true } } },
                        { "name": "D", "valueFrom": { "configMapKeyRef": { "name": "m", "key": "d" } } }],
                "envFrom": [{ "secretRef": { "name": "all" } }] }],
            "volumes": [{ "name": "v", "secret": { "secretName": "files" } },
                        { "name": "w", "configMap": { "name": "maybe", "optional": true } }],
        }))
        .unwrap();
        let needed = of_pod(&spec)
            .into_iter()
            .map(|given| format!("{}:{}", given.kind.reference(&given.name), given.key.unwrap_or_default()));
        assert_eq!(needed.collect::<Vec<_>>(), ["secret/all:", "secret/files:", "secret/s:b", "configmap/m:d"]);
    }
}
