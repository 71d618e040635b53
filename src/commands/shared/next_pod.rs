//! Whether a workload's next pod would come: found out before the one that is there is deleted, or before it has to come
//! beside that one.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use k8s_openapi::api::core::v1::{ConfigMap, Container, Pod, PodSpec, ResourceQuota, Secret};
use kube::ResourceExt;
use kube::api::ListParams;

use serde_json::Value;
use tokio::time::Instant;

use super::{helper, quota};
use crate::context::Ctx;
use crate::exchange::helper::{Helper, Pull};
use crate::kubernetes::access::{Permission, may};
use crate::kubernetes::act::{Act, Create};
use crate::kubernetes::{Cause, Cluster, Object, RequestError};

const CREATE_PODS: Permission = Permission { verb: "create", group: "", resource: "pods", subresource: "" };

/// As many quotas as a namespace ever has.
const MOST: u32 = 50;

/// How long pulling an image may take.
const PULL: Duration = Duration::from_mins(2);

/// What the controller of the pods' own service account token adds to each pod.
const TOKEN_VOLUME: &str = "kube-api-access-";

/// What the server says where a webhook takes no trial: that says nothing of the object itself.
pub const NO_TRIAL: &str = "does not support dry run";

/// What the server says of a pod of this kind, in words: none if it would take it, or cannot be asked for it.
///
/// It is tried, without being made. A webhook that takes no trial says nothing of the pod.
///
/// # Errors
/// If the server does not answer.
pub async fn refusal(cluster: &Cluster, pod: &Pod) -> anyhow::Result<Option<String>> {
    let trial = Create { object: Object::of(pod)?, hidden: None, dry_run: true };
    let words = match trial.execute(cluster).await {
        Err(RequestError { cause: Cause::Forbidden(words) | Cause::Invalid(words), .. }) => words,
        Err(error) if !error.cause.is_refusal() => return Err(error.into()),
        _ => return Ok(None),
    };
    if words.contains(NO_TRIAL) || !may(cluster, CREATE_PODS).await? {
        // It was the trial or the person that was refused, and not the pod, which a controller makes.
        return Ok(None);
    }
    Ok(Some(words))
}

/// Why a pod would not come in place of one that goes before it: the server refuses it, or what it needs is not there.
///
/// # Errors
/// If the server does not answer.
pub async fn not_in_place_of(cluster: &Cluster, gone: &Pod, next: &Pod) -> anyhow::Result<Option<String>> {
    let (refused, missing) = tokio::join!(refusal(cluster, next), missing(cluster, next));
    Ok(match (missing?, refused?) {
        (Some(missing), _) => Some(missing),
        (None, Some(words)) if words.contains("exceeded quota") => {
            let quotas = cluster.list::<ResourceQuota>(&ListParams::default().limit(MOST)).await;
            match quotas {
                // Which quota it is, the server says by its name.
                Ok(quotas) => {
                    let named: Vec<ResourceQuota> =
                        quotas.into_iter().filter(|quota| words.contains(&quota.name_any())).collect();
                    quota::too_small_without(&named, gone, next).into_iter().next()
                }
                Err(error) if error.cause.is_refusal() => Some(words),
                Err(error) => return Err(error.into()),
            }
        }
        (None, words) => words,
    })
}

/// Why an image that the next pod pulls again cannot be had on the node of the one that goes: a helper pod pulls it there.
/// Nothing is tried for images that the node may keep.
///
/// # Errors
/// If the helper pod cannot be made, or the image is not there in time.
pub async fn image_is_gone(ctx: &Ctx, gone: &Pod, next: &Pod) -> anyhow::Result<Option<String>> {
    let (Some(spec), Some(node)) = (&next.spec, gone.spec.as_ref().and_then(|spec| spec.node_name.clone())) else {
        return Ok(None);
    };
    let secrets: Vec<Value> =
        spec.image_pull_secrets.iter().flatten().map(serde_json::to_value).collect::<Result<_, _>>()?;
    let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let images: BTreeSet<&str> =
        containers.filter(|it| is_pulled_again(it)).filter_map(|it| it.image.as_deref()).collect();
    for image in images {
        let pull = Pull { node: node.clone(), secrets: secrets.clone() };
        let helper = Helper { pull: Some(pull), ..Helper::new("pull", image, &["true"], PULL) };
        ctx.printer.note(format!("pulling {image} on {node}, as the next pod will (imagePullPolicy Always)"));
        let started = match helper::start(ctx, &helper).await {
            Ok(started) => started,
            // As under a quota that is just full. Then it is not known.
            Err(error) if Cause::of(&error).is_some_and(Cause::is_refusal) => {
                ctx.printer.warning(&format!("could not check whether {image} can be pulled on {node}: {error:#}"));
                continue;
            }
            Err(error) => return Err(error),
        };
        let pod = helper::until(ctx, &started.name, Instant::now() + PULL, helper::Goal::IsPulled).await;
        ctx.delete_temporary(started.ticket).await?;
        // An image without such a program is there all the same.
        if let Some((reason, words)) = helper::not_started(&pod?).filter(|(reason, _)| reason.contains("Image")) {
            return Ok(Some(format!("{image} cannot be pulled on {node}: {reason}: {words}")));
        }
    }
    Ok(None)
}

/// Whether its image is looked for in the registry each time. What is not said depends on the tag.
fn is_pulled_again(container: &Container) -> bool {
    let image = container.image.as_deref().unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default();
    match container.image_pull_policy.as_deref() {
        Some(policy) => policy == "Always",
        None => !image.contains('@') && (!name.contains(':') || name.ends_with(":latest")),
    }
}

/// A pod like one that is there, as its controller would create it again.
#[must_use]
pub fn like(pod: &Pod) -> Pod {
    let mut next = Pod { metadata: pod.metadata.clone(), spec: pod.spec.clone(), status: None };
    let metadata = &mut next.metadata;
    metadata.name = Some(format!("{}-next", pod.name_any()));
    (metadata.uid, metadata.resource_version, metadata.creation_timestamp) = (None, None, None);
    (metadata.owner_references, metadata.managed_fields, metadata.generation) = (None, None, None);
    (metadata.deletion_timestamp, metadata.deletion_grace_period_seconds) = (None, None);
    if let Some(spec) = &mut next.spec {
        spec.node_name = None;
        // The number goes with the class that is named, and may be another by now.
        (spec.priority, spec.preemption_policy) = (None, None);
        let is_token = |name: &str| name.starts_with(TOKEN_VOLUME);
        spec.volumes.iter_mut().for_each(|volumes| volumes.retain(|volume| !is_token(&volume.name)));
        for container in spec.containers.iter_mut().chain(spec.init_containers.iter_mut().flatten()) {
            container.volume_mounts.iter_mut().for_each(|mounts| mounts.retain(|mount| !is_token(&mount.name)));
        }
    }
    next
}

/// An object that a pod needs to start, and keys that it is to have.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Need {
    kind: Kind,
    name: String,
    key: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Secret,
    ConfigMap,
}

impl Need {
    /// What it names, if it cannot do without.
    fn of(kind: Kind, name: &str, key: Option<&str>, optional: Option<bool>) -> Option<Self> {
        let is_needed = optional != Some(true) && !name.is_empty();
        is_needed.then(|| Self { kind, name: name.to_owned(), key: key.map(str::to_owned) })
    }

    /// Why it is not met, in words. What may not be read is taken for met.
    async fn unmet(&self, cluster: &Cluster) -> Result<Option<String>, RequestError> {
        let (reference, keys) = match self.kind {
            Kind::Secret => (format!("secret/{}", self.name), cluster.get::<Secret>(&self.name).await.map(secret_keys)),
            Kind::ConfigMap => {
                (format!("configmap/{}", self.name), cluster.get::<ConfigMap>(&self.name).await.map(config_keys))
            }
        };
        Ok(match (keys, &self.key) {
            (Ok(None), _) => Some(format!("{reference}, which it needs, does not exist")),
            (Ok(Some(keys)), Some(key)) if !keys.contains(key) => {
                Some(format!("{reference} has no key {key:?}, which it needs"))
            }
            (Err(error), _) if !error.cause.is_refusal() => return Err(error),
            _ => None,
        })
    }
}

fn secret_keys(secret: Option<Secret>) -> Option<BTreeSet<String>> {
    secret.map(|secret| secret.data.into_iter().flatten().map(|(key, _)| key).collect())
}

fn config_keys(map: Option<ConfigMap>) -> Option<BTreeSet<String>> {
    map.map(|map| {
        let text = map.data.into_iter().flatten().map(|(key, _)| key);
        text.chain(map.binary_data.into_iter().flatten().map(|(key, _)| key)).collect()
    })
}

/// The first of a pod's needs that is not met. The server asks for none of them when it takes a pod: the pod waits.
async fn missing(cluster: &Cluster, pod: &Pod) -> Result<Option<String>, RequestError> {
    let needs = pod.spec.as_ref().map(needs).unwrap_or_default();
    let unmet = join_all(needs.iter().map(|need| need.unmet(cluster))).await;
    unmet.into_iter().find_map(Result::transpose).transpose()
}

fn needs(spec: &PodSpec) -> BTreeSet<Need> {
    let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    containers.flat_map(of_container).chain(of_volumes(spec)).collect()
}

fn of_container(container: &Container) -> Vec<Need> {
    let variables = container.env.iter().flatten().filter_map(|variable| variable.value_from.as_ref());
    let of_variables = variables.flat_map(|source| {
        let secret = source.secret_key_ref.as_ref();
        let map = source.config_map_key_ref.as_ref();
        [
            secret.and_then(|it| Need::of(Kind::Secret, &it.name, Some(&it.key), it.optional)),
            map.and_then(|it| Need::of(Kind::ConfigMap, &it.name, Some(&it.key), it.optional)),
        ]
    });
    let whole = container.env_from.iter().flatten().flat_map(|source| {
        [
            source.secret_ref.as_ref().and_then(|it| Need::of(Kind::Secret, &it.name, None, it.optional)),
            source.config_map_ref.as_ref().and_then(|it| Need::of(Kind::ConfigMap, &it.name, None, it.optional)),
        ]
    });
    of_variables.chain(whole).flatten().collect()
}

fn of_volumes(spec: &PodSpec) -> Vec<Need> {
    let volumes = spec.volumes.iter().flatten().flat_map(|volume| {
        let projected = volume.projected.iter().flat_map(|it| it.sources.iter().flatten()).flat_map(|source| {
            [
                source.secret.as_ref().and_then(|it| Need::of(Kind::Secret, &it.name, None, it.optional)),
                source.config_map.as_ref().and_then(|it| Need::of(Kind::ConfigMap, &it.name, None, it.optional)),
            ]
        });
        let secret = volume.secret.as_ref();
        let map = volume.config_map.as_ref();
        projected
            .chain([
                secret.and_then(|it| Need::of(Kind::Secret, it.secret_name.as_deref()?, None, it.optional)),
                map.and_then(|it| Need::of(Kind::ConfigMap, &it.name, None, it.optional)),
            ])
            .collect::<Vec<_>>()
    });
    volumes.flatten().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod() -> Pod {
        serde_json::from_value(json!({
            "metadata": { "name": "store-0", "uid": "1", "resourceVersion": "7", "labels": { "app": "store" },
                          "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "StatefulSet", "name": "store", "uid": "2" }] },
            "spec": {
                "nodeName": "node-1", "priority": 5, "priorityClassName": "high",
                "containers": [{
                    "name": "main",
                    "env": [
                        { "name": "A", "valueFrom": { "secretKeyRef": { "name": "s", "key": "k" } } },
                        { "name": "B", "valueFrom": { "configMapKeyRef": { "name": "c", "key": "k", "optional": true } } },
                    ],
                    "envFrom": [{ "configMapRef": { "name": "all" } }, { "secretRef": { "name": "no", "optional": true } }],
                    "volumeMounts": [{ "name": "data", "mountPath": "/data" }, { "name": "kube-api-access-x", "mountPath": "/t" }],
                }],
                "initContainers": [{ "name": "first", "envFrom": [{ "secretRef": { "name": "first" } }] }],
                "volumes": [
                    { "name": "data", "persistentVolumeClaim": { "claimName": "data" } },
                    { "name": "kube-api-access-x", "projected": { "sources": [{ "configMap": { "name": "root" } }] } },
                    { "name": "files", "secret": { "secretName": "files" } },
                    { "name": "more", "projected": { "sources": [{ "configMap": { "name": "more" } }] } },
                ],
            },
            "status": { "phase": "Running" },
        }))
        .unwrap()
    }

    #[test]
    fn the_next_pod_is_made_of_what_the_controller_knows() {
        let next = like(&pod());
        assert_eq!((next.name_any().as_str(), next.uid(), next.status.clone()), ("store-0-next", None, None));
        assert_eq!(next.labels()["app"], "store");
        let spec = next.spec.unwrap();
        assert_eq!((spec.node_name, spec.priority, spec.priority_class_name.as_deref()), (None, None, Some("high")));
        assert_eq!(spec.volumes.unwrap().len(), 3);
        assert_eq!(spec.containers[0].volume_mounts.as_ref().unwrap().len(), 1);
    }

    #[test]
    fn an_image_is_pulled_anew_where_it_is_said_or_its_tag_may_move() {
        let container = |image: &str, policy: Option<&str>| {
            is_pulled_again(&Container {
                image: Some(image.to_owned()),
                image_pull_policy: policy.map(str::to_owned),
                ..Container::default()
            })
        };
        for image in ["redis", "redis:latest", "registry:5000/redis"] {
            assert!(container(image, None) && !container(image, Some("IfNotPresent")), "{image}");
        }
        for image in ["redis:8", "registry:5000/redis:8", "redis@sha256:00"] {
            assert!(!container(image, None) && container(image, Some("Always")), "{image}");
        }
    }

    #[test]
    fn what_a_pod_cannot_do_without_is_found_wherever_it_names_it() {
        let needs = needs(&like(&pod()).spec.unwrap());
        let said: Vec<(Kind, &str, Option<&str>)> =
            needs.iter().map(|need| (need.kind, need.name.as_str(), need.key.as_deref())).collect();
        assert_eq!(
            said,
            [
                (Kind::Secret, "files", None),
                (Kind::Secret, "first", None),
                (Kind::Secret, "s", Some("k")),
                (Kind::ConfigMap, "all", None),
                (Kind::ConfigMap, "more", None),
            ]
        );
    }
}
