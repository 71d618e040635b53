//! The lesson's Level 1, for contrast: the same server in a Deployment, and no volume.

use std::collections::BTreeMap;

use anyhow::Context as _;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, StatefulSet};
use k8s_openapi::api::core::v1::{
    Affinity, EmptyDirVolumeSource, NodeAffinity, NodeSelectorRequirement, NodeSelectorTerm, PersistentVolumeClaim,
    PersistentVolumeClaimSpec, PersistentVolumeClaimVolumeSource, Pod, PodSpec, PodTemplateSpec,
    PreferredSchedulingTerm, ResourceRequirements, Service, ServicePort, ServiceSpec, Volume,
    VolumeResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta, OwnerReference};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{names, objects};
use crate::program;

/// The objects of Level 1.
#[derive(Clone, Debug)]
pub struct LevelOne {
    /// The claim of its data, if it is to have one.
    pub claim: Option<PersistentVolumeClaim>,
    pub deployment: Deployment,
    /// The Service before it, with an address of its own.
    pub service: Service,
}

/// What its pod asks for: as little as the server runs on, for a quota may have little left.
const REQUESTS: [(&str, &str); 3] = [("cpu", "10m"), ("memory", "64Mi"), ("ephemeral-storage", "64Mi")];
/// What it may use: as much of the processor as Level 2, or their times could not be compared; and its data is not on a volume.
const LIMITS: [(&str, &str); 3] = [("cpu", "1"), ("memory", "256Mi"), ("ephemeral-storage", "768Mi")];
/// As large as the exchange's own.
const CLAIM_SIZE: &str = "1Gi";
/// More than the rows of a run take.
const MOST_DATA: &str = "512Mi";

/// Where the data of Level 1 is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// In an empty directory, which lasts as long as its pod.
    Empty,
    /// On a claim of its own, for which the cluster creates a volume of its default class.
    Claim,
}

impl LevelOne {
    /// For a run, beside the pod of Level 2: of its image, and on its node if there is room, which has the image already.
    /// The cluster deletes them once the owner is deleted.
    ///
    /// # Errors
    /// If the manifest is not what it should be, which is a mistake of this program.
    pub fn new(
        (run, storage): (&str, Storage),
        namespace: &str,
        beside: &PodSpec,
        owner: &OwnerReference,
    ) -> anyhow::Result<Self> {
        let labels = BTreeMap::from([(names::LEVEL_1.to_owned(), mark(run, storage))]);
        let name = name(run, storage);
        let metadata = |labels: &BTreeMap<String, String>| ObjectMeta {
            name: Some(name.clone()),
            namespace: Some(namespace.to_owned()),
            labels: Some(labels.clone()),
            owner_references: Some(vec![owner.clone()]),
            ..ObjectMeta::default()
        };
        let mut managed = labels.clone();
        managed.insert("app.kubernetes.io/managed-by".to_owned(), program::NAME.to_owned());
        let claim = (storage == Storage::Claim).then(|| claim(metadata(&managed)));
        Ok(Self {
            deployment: Deployment {
                metadata: metadata(&managed),
                spec: Some(DeploymentSpec {
                    replicas: Some(1),
                    selector: LabelSelector { match_labels: Some(labels.clone()), ..LabelSelector::default() },
                    template: PodTemplateSpec {
                        metadata: Some(ObjectMeta { labels: Some(managed.clone()), ..ObjectMeta::default() }),
                        spec: Some(pod(beside, claim.as_ref().map(|_| name.as_str()))?),
                    },
                    ..DeploymentSpec::default()
                }),
                status: None,
            },
            service: Service {
                metadata: metadata(&managed),
                spec: Some(ServiceSpec {
                    type_: Some("ClusterIP".to_owned()),
                    selector: Some(labels),
                    ports: Some(vec![ServicePort {
                        name: Some(names::POSTGRES.to_owned()),
                        port: 5432,
                        target_port: Some(IntOrString::String(names::POSTGRES.to_owned())),
                        ..ServicePort::default()
                    }]),
                    ..ServiceSpec::default()
                }),
                status: None,
            },
            claim,
        })
    }

    /// A pod of the Deployment, as that would make it.
    #[must_use]
    pub fn pod(&self) -> Pod {
        let metadata = &self.deployment.metadata;
        let template = self.deployment.spec.clone().unwrap_or_default().template;
        objects::pod_of(metadata.name.as_deref().unwrap_or_default(), metadata.namespace.as_ref(), &template)
    }

    /// The label selector of the pods of a run.
    #[must_use]
    pub fn selector(run: &str, storage: Storage) -> String {
        format!("{}={}", names::LEVEL_1, mark(run, storage))
    }
}

/// What its objects are called.
#[must_use]
pub fn name(run: &str, storage: Storage) -> String {
    names::level_1(&mark(run, storage))
}

/// The value of the label of a run's objects.
fn mark(run: &str, storage: Storage) -> String {
    match storage {
        Storage::Empty => run.to_owned(),
        Storage::Claim => format!("{run}-claim"),
    }
}

/// A claim of the cluster's default class, as large as the exchange's.
pub(super) fn claim(metadata: ObjectMeta) -> PersistentVolumeClaim {
    let size = [("storage".to_owned(), Quantity(CLAIM_SIZE.to_owned()))].into();
    PersistentVolumeClaim {
        metadata,
        spec: Some(PersistentVolumeClaimSpec {
            access_modes: Some(vec!["ReadWriteOnce".to_owned()]),
            resources: Some(VolumeResourceRequirements { requests: Some(size), limits: None }),
            ..PersistentVolumeClaimSpec::default()
        }),
        status: None,
    }
}

/// The pod of the manifest, with another claim, or with an empty directory: that lasts as long as its pod.
pub(super) fn pod(beside: &PodSpec, claim: Option<&str>) -> anyhow::Result<PodSpec> {
    let set: StatefulSet = objects::manifest("postgres-statefulset.yaml")?;
    let mut pod = set.spec.and_then(|spec| spec.template.spec).context("the manifest has no pod")?;
    // Where the directory is not root's, nothing has to run as root.
    objects::run_as_plain_user(&mut pod);
    for volume in pod.volumes.iter_mut().flatten().filter(|volume| volume.persistent_volume_claim.is_some()) {
        if let Some(claim) = claim {
            let source = PersistentVolumeClaimVolumeSource { claim_name: claim.to_owned(), read_only: None };
            volume.persistent_volume_claim = Some(source);
            continue;
        }
        let empty = EmptyDirVolumeSource { size_limit: Some(Quantity(MOST_DATA.to_owned())), medium: None };
        *volume = Volume { name: volume.name.clone(), empty_dir: Some(empty), ..Volume::default() };
    }
    let image = beside.containers.iter().find(|container| container.name == names::POSTGRES);
    let image = image.and_then(|container| container.image.as_ref());
    let quantities =
        |all: [(&str, &str); 3]| all.map(|(name, value)| (name.to_owned(), Quantity(value.to_owned()))).into();
    for container in &mut pod.containers {
        container.image = image.or(container.image.as_ref()).cloned();
        container.resources = Some(ResourceRequirements {
            requests: Some(quantities(REQUESTS)),
            limits: Some(quantities(LIMITS)),
            ..ResourceRequirements::default()
        });
    }
    pod.image_pull_secrets.clone_from(&beside.image_pull_secrets);
    pod.affinity = beside.node_name.as_deref().map(near);
    Ok(pod)
}

/// On this node rather than on another one.
pub(super) fn near(node: &str) -> Affinity {
    let is_it = NodeSelectorRequirement {
        key: "metadata.name".to_owned(),
        operator: "In".to_owned(),
        values: Some(vec![node.to_owned()]),
    };
    let preferred = PreferredSchedulingTerm {
        weight: 100,
        preference: NodeSelectorTerm { match_fields: Some(vec![is_it]), ..NodeSelectorTerm::default() },
    };
    Affinity {
        node_affinity: Some(NodeAffinity {
            preferred_during_scheduling_ignored_during_execution: Some(vec![preferred]),
            ..NodeAffinity::default()
        }),
        ..Affinity::default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn level_one() -> [Value; 2] {
        let LevelOne { deployment, service, claim } = of(Storage::Empty);
        assert_eq!(claim, None);
        [serde_json::to_value(deployment).unwrap(), serde_json::to_value(service).unwrap()]
    }

    fn of(storage: Storage) -> LevelOne {
        let beside = serde_json::from_value(json!({
            "nodeName": "node-1", "imagePullSecrets": [{ "name": "pull" }],
            "containers": [{ "name": "sidecar", "image": "x" }, { "name": "postgres", "image": "pg:17.2" }],
        }))
        .unwrap();
        let owner = OwnerReference { kind: "Lease".into(), uid: "u".into(), ..OwnerReference::default() };
        LevelOne::new(("0123abcd", storage), "alice", &beside, &owner).unwrap()
    }

    #[test]
    fn one_with_a_claim_mounts_that_and_nothing_of_the_other_one() {
        let LevelOne { deployment, claim, .. } = of(Storage::Claim);
        let claim = claim.unwrap();
        assert_eq!(claim.metadata.owner_references.as_ref().unwrap()[0].uid, "u");
        let deployment = serde_json::to_value(deployment).unwrap();
        let volumes = deployment["spec"]["template"]["spec"]["volumes"].to_string();
        assert!(volumes.contains(r#""claimName":"postgres-level-1-0123abcd-claim""#), "{volumes}");
        assert_eq!(claim.metadata.name.as_deref(), Some("postgres-level-1-0123abcd-claim"));
        assert_eq!(LevelOne::selector("0123abcd", Storage::Empty), "kubectl-kubecoin/level-1=0123abcd");
    }

    #[test]
    fn it_is_the_same_pod_without_a_volume() {
        let [deployment, _] = level_one();
        let pod = &deployment["spec"]["template"]["spec"];
        assert!(!deployment.to_string().contains("persistentVolumeClaim"), "{deployment:#}");
        let volumes = pod["volumes"].as_array().unwrap();
        assert!(volumes.iter().all(|volume| volume["emptyDir"].is_object()), "{volumes:?}");
        let container = &pod["containers"][0];
        assert_eq!((&container["image"], &pod["imagePullSecrets"][0]["name"]), (&"pg:17.2".into(), &"pull".into()));
        assert!(pod["affinity"].to_string().contains("\"node-1\""));
        let set: Value =
            serde_json::to_value(objects::manifest::<StatefulSet>("postgres-statefulset.yaml").unwrap()).unwrap();
        let same = &set["spec"]["template"]["spec"]["containers"][0];
        for field in ["command", "args", "env", "volumeMounts", "readinessProbe"] {
            assert_eq!(container[field], same[field], "{field}");
        }
        assert_eq!(container["resources"]["limits"]["cpu"], same["resources"]["limits"]["cpu"], "for their times");
    }

    /// Pod Security `restricted`, line by line. The tests on a cluster hold it against the real one.
    #[test]
    fn it_may_run_where_little_may() {
        let [deployment, _] = level_one();
        let pod = &deployment["spec"]["template"]["spec"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        assert_eq!(pod["automountServiceAccountToken"], false);
        let security = &pod["containers"][0]["securityContext"];
        assert_eq!(security["allowPrivilegeEscalation"], false);
        assert_eq!(security["capabilities"], json!({ "drop": ["ALL"] }));
    }

    #[test]
    fn its_password_is_in_no_literal() {
        let [deployment, _] = level_one();
        let variables = deployment["spec"]["template"]["spec"]["containers"][0]["env"].as_array().unwrap().clone();
        let password = variables.iter().find(|variable| variable["name"] == "POSTGRES_PASSWORD").unwrap();
        assert_eq!(password["valueFrom"]["secretKeyRef"]["name"], names::SECRET);
    }

    #[test]
    fn nothing_that_selects_the_exchange_finds_it_and_it_goes_with_its_owner() {
        let [deployment, service] = level_one();
        let pods = &deployment["spec"]["template"]["metadata"]["labels"];
        for labels in [&deployment["metadata"]["labels"], &service["metadata"]["labels"], pods] {
            let labels = labels.as_object().unwrap();
            assert_eq!(labels[names::LEVEL_1], "0123abcd");
            for label in [names::APP, names::PART_OF.0, names::HELPER] {
                assert!(!labels.contains_key(label), "{label}");
            }
        }
        for object in [&deployment, &service] {
            assert_eq!(object["metadata"]["name"], "postgres-level-1-0123abcd");
            assert_eq!(object["metadata"]["ownerReferences"][0]["uid"], "u");
        }
        assert_eq!(deployment["spec"]["selector"]["matchLabels"], service["spec"]["selector"]);
        assert_eq!(service["spec"]["type"], "ClusterIP");
    }
}
