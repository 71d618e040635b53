//! Practice sets: small StatefulSets beside the exchange, on which the lesson makes its experiments.

use std::collections::BTreeMap;

use anyhow::Context as _;
use k8s_openapi::api::apps::v1::{StatefulSet, StatefulSetPersistentVolumeClaimRetentionPolicy, StatefulSetSpec};
use k8s_openapi::api::core::v1::{
    PersistentVolumeClaim, PersistentVolumeClaimVolumeSource, Pod, PodAffinity, PodAffinityTerm, PodSpec,
    PodTemplateSpec, Service, ServiceSpec, Volume,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta, OwnerReference};
use serde_json::json;

use super::helper::NOBODY;
use super::{level_one, names, objects};
use crate::program;

/// A practice set: what differs from one to another.
#[derive(Clone, Debug)]
pub struct Practice {
    /// What it is for, in a word that no other practice set of a run has.
    pub purpose: &'static str,
    /// The run that makes it.
    pub run: String,
    pub namespace: String,
    /// What it is deleted with, if the run does not delete it.
    pub owner: OwnerReference,
    /// How many pods it has at most.
    pub pods: u8,
    /// Whether they are created and deleted one after another. Else all at once.
    pub in_order: bool,
    /// What runs in each pod.
    pub pod: PodSpec,
    pub storage: Storage,
}

/// Where the pods of a practice set have their data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// They have none.
    None,
    /// Each on a claim of its own, which the set makes and is deleted with.
    ClaimForEach,
    /// All on one claim, and so on one node.
    OneClaim,
}

impl Practice {
    /// The name of the set and of its Service.
    #[must_use]
    pub fn name(&self) -> String {
        format!("practice-{}", self.label())
    }

    /// The value of its label.
    fn label(&self) -> String {
        format!("{}-{}", self.purpose, self.run)
    }

    /// The label selector of its pods.
    #[must_use]
    pub fn selector(&self) -> String {
        format!("{}={}", names::PRACTICE, self.label())
    }

    fn selected(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(names::PRACTICE.to_owned(), self.label())])
    }

    fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.selected();
        labels.insert("app.kubernetes.io/managed-by".to_owned(), program::NAME.to_owned());
        labels
    }

    fn metadata(&self) -> ObjectMeta {
        ObjectMeta {
            name: Some(self.name()),
            namespace: Some(self.namespace.clone()),
            labels: Some(self.labels()),
            owner_references: Some(vec![self.owner.clone()]),
            ..ObjectMeta::default()
        }
    }

    /// The headless Service that a set must have. Pods behind such a one need no port to have names.
    #[must_use]
    pub fn service(&self) -> Service {
        Service {
            metadata: self.metadata(),
            spec: Some(ServiceSpec {
                cluster_ip: Some("None".to_owned()),
                selector: Some(self.selected()),
                ..ServiceSpec::default()
            }),
            status: None,
        }
    }

    /// The set, with all of its pods.
    #[must_use]
    pub fn set(&self) -> StatefulSet {
        let deleted = || Some("Delete".to_owned());
        let for_each = self.storage == Storage::ClaimForEach;
        // Without it, the claims of a killed run would stay: the set goes with its owner, and they do not go with the set.
        let retention = for_each
            .then(|| StatefulSetPersistentVolumeClaimRetentionPolicy { when_deleted: deleted(), when_scaled: None });
        StatefulSet {
            metadata: self.metadata(),
            spec: Some(StatefulSetSpec {
                replicas: Some(self.pods.into()),
                pod_management_policy: (!self.in_order).then(|| "Parallel".to_owned()),
                service_name: Some(self.name()),
                selector: LabelSelector { match_labels: Some(self.selected()), ..LabelSelector::default() },
                template: self.template(),
                volume_claim_templates: for_each.then(|| {
                    vec![level_one::claim(ObjectMeta { name: Some(DATA.to_owned()), ..ObjectMeta::default() })]
                }),
                persistent_volume_claim_retention_policy: retention,
                ..StatefulSetSpec::default()
            }),
            status: None,
        }
    }

    fn template(&self) -> PodTemplateSpec {
        let metadata = ObjectMeta { labels: Some(self.labels()), ..ObjectMeta::default() };
        let mut pod = self.pod.clone();
        if self.storage == Storage::OneClaim {
            add_volume(&mut pod, self.name());
            pod.affinity.get_or_insert_default().pod_affinity = Some(self.together());
        }
        PodTemplateSpec { metadata: Some(metadata), spec: Some(pod) }
    }

    /// All pods on one node: elsewhere a claim for one node keeps the second pod away.
    fn together(&self) -> PodAffinity {
        let selector = LabelSelector { match_labels: Some(self.selected()), ..LabelSelector::default() };
        let on_one_node = PodAffinityTerm {
            label_selector: Some(selector),
            topology_key: HOSTNAME.to_owned(),
            ..PodAffinityTerm::default()
        };
        PodAffinity {
            required_during_scheduling_ignored_during_execution: Some(vec![on_one_node]),
            ..PodAffinity::default()
        }
    }

    /// A pod of the set, as the set would make it: with a volume of each of its claims.
    #[must_use]
    pub fn one_pod(&self) -> Pod {
        let mut template = self.template();
        if let (Storage::ClaimForEach, Some(pod)) = (self.storage, &mut template.spec) {
            add_volume(pod, self.claim_of(0));
        }
        objects::pod_of(&self.name(), Some(&self.namespace), &template)
    }

    fn claim_of(&self, pod: u8) -> String {
        format!("{DATA}-{}-{pod}", self.name())
    }

    /// The names of all claims that its pods have.
    #[must_use]
    pub fn claim_names(&self) -> Vec<String> {
        match self.storage {
            Storage::None => Vec::new(),
            Storage::ClaimForEach => (0..self.pods).map(|pod| self.claim_of(pod)).collect(),
            Storage::OneClaim => vec![self.name()],
        }
    }

    /// Its claims: as the set makes them, or the one that is made for all of its pods.
    #[must_use]
    pub fn claims(&self) -> Vec<PersistentVolumeClaim> {
        let names = self.claim_names().into_iter();
        names.map(|name| level_one::claim(ObjectMeta { name: Some(name), ..self.metadata() })).collect()
    }
}

/// The volume of a server that has the data.
const DATA: &str = "data";

/// The label by which a node is one node.
const HOSTNAME: &str = "kubernetes.io/hostname";

fn add_volume(pod: &mut PodSpec, claim_name: String) {
    pod.volumes.get_or_insert_default().push(Volume {
        name: DATA.to_owned(),
        persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource { claim_name, read_only: None }),
        ..Volume::default()
    });
}

/// A database beside the exchange's, with its image, whose data is on the claim of its set.
///
/// # Errors
/// If the manifest is not what it should be, which is a mistake of this program.
pub fn server(beside: &PodSpec) -> anyhow::Result<PodSpec> {
    let mut pod = level_one::pod(beside, None)?;
    // The set gives it this volume.
    pod.volumes.iter_mut().for_each(|volumes| volumes.retain(|volume| volume.name != DATA));
    // While it starts, it does not end by itself. Its data is for nobody.
    pod.termination_grace_period_seconds = Some(5);
    Ok(pod)
}

/// The same without the lock: a second server on the same data starts as well.
///
/// # Errors
/// If the manifest is not what it should be, which is a mistake of this program.
pub fn server_without_lock(beside: &PodSpec) -> anyhow::Result<PodSpec> {
    let mut pod = server(beside)?;
    // The lock is taken by the command, which then runs the image's own.
    pod.containers.iter_mut().for_each(|container| container.command = None);
    Ok(pod)
}

/// What a container of `sleeper` is called.
const SLEEPER: &str = "sleeper";

/// Sleeps until it is told to end, and says after a second that it is ready.
const SLEEP: &str = "trap 'exit 0' TERM; sleep 1; touch /tmp/ready; while :; do sleep 60 & wait $!; done";

/// A pod that does nothing but take its time: a second until it is Ready, and two until it ends. It has the image of the
/// exchange's database and, if there is room, its node, so nothing has to be pulled.
///
/// # Errors
/// If the pod of the exchange has no such container.
pub fn sleeper(beside: &PodSpec) -> anyhow::Result<PodSpec> {
    let mut containers = beside.containers.iter();
    let database = containers.find(|container| container.name == names::POSTGRES);
    let image = database.and_then(|container| container.image.as_ref()).context("the exchange has no database")?;
    let pod: PodSpec = serde_json::from_value(json!({
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": 5,
        "securityContext": {
            "runAsNonRoot": true,
            "runAsUser": NOBODY,
            "runAsGroup": NOBODY,
            "seccompProfile": { "type": "RuntimeDefault" },
        },
        "containers": [{
            "name": SLEEPER,
            "image": image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["/bin/sh", "-c", SLEEP],
            "readinessProbe": {
                "exec": { "command": ["/bin/sh", "-c", "test -e /tmp/ready"] },
                "periodSeconds": 1,
                "timeoutSeconds": 5,
            },
            "lifecycle": { "preStop": { "sleep": { "seconds": 2 } } },
            "resources": {
                "requests": { "cpu": "10m", "memory": "16Mi", "ephemeral-storage": "16Mi" },
                "limits": { "cpu": "200m", "memory": "64Mi", "ephemeral-storage": "32Mi" },
            },
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": { "drop": ["ALL"] },
            },
            "volumeMounts": [{ "name": "tmp", "mountPath": "/tmp" }],
        }],
        "volumes": [{ "name": "tmp", "emptyDir": { "sizeLimit": "1Mi" } }],
    }))?;
    Ok(PodSpec {
        image_pull_secrets: beside.image_pull_secrets.clone(),
        affinity: beside.node_name.as_deref().map(level_one::near),
        ..pod
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn practice() -> Practice {
        let beside = serde_json::from_value(json!({
            "nodeName": "node-1", "imagePullSecrets": [{ "name": "pull" }],
            "containers": [{ "name": "sidecar", "image": "x" }, { "name": "postgres", "image": "pg:17.2" }],
        }))
        .unwrap();
        let owner = OwnerReference { kind: "Lease".into(), uid: "u".into(), ..OwnerReference::default() };
        Practice {
            purpose: "order",
            run: "0123abcd".to_owned(),
            namespace: "alice".to_owned(),
            owner,
            pods: 3,
            in_order: true,
            pod: sleeper(&beside).unwrap(),
            storage: Storage::None,
        }
    }

    fn body(object: &impl serde::Serialize) -> Value {
        serde_json::to_value(object).unwrap()
    }

    #[test]
    fn its_pods_have_what_the_exchange_has() {
        let pod = body(&practice().pod);
        assert_eq!(pod["containers"][0]["image"], "pg:17.2");
        assert_eq!(pod["imagePullSecrets"][0]["name"], "pull");
        assert!(pod["affinity"].to_string().contains("\"node-1\""));
        assert!(sleeper(&PodSpec::default()).is_err(), "no image is guessed");
    }

    /// Pod Security `restricted`, line by line. The tests on a cluster hold it against the real one.
    #[test]
    fn it_may_run_where_little_may() {
        let pod = body(&practice().pod);
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        assert_eq!(pod["automountServiceAccountToken"], false);
        let container = &pod["containers"][0];
        assert_eq!(container["securityContext"]["allowPrivilegeEscalation"], false);
        assert_eq!(container["securityContext"]["capabilities"], json!({ "drop": ["ALL"] }));
        for bounds in ["requests", "limits"] {
            for resource in ["cpu", "memory", "ephemeral-storage"] {
                assert!(container["resources"][bounds][resource].is_string(), "{bounds} {resource}");
            }
        }
    }

    #[test]
    fn nothing_that_selects_the_exchange_finds_it_and_it_goes_with_its_owner() {
        let practice = practice();
        let (set, service) = (body(&practice.set()), body(&practice.service()));
        for labels in [&set["metadata"], &service["metadata"], &set["spec"]["template"]["metadata"]] {
            let labels = labels["labels"].as_object().unwrap();
            assert_eq!(labels[names::PRACTICE], "order-0123abcd");
            for label in [names::APP, names::PART_OF.0, names::HELPER, names::LEVEL_1] {
                assert!(!labels.contains_key(label), "{label}");
            }
        }
        for object in [&set, &service] {
            assert_eq!(object["metadata"]["name"], "practice-order-0123abcd");
            assert_eq!(object["metadata"]["ownerReferences"][0]["uid"], "u");
        }
        assert_eq!(set["spec"]["selector"]["matchLabels"], service["spec"]["selector"]);
        assert_eq!(set["spec"]["serviceName"], service["metadata"]["name"]);
        assert_eq!(practice.selector(), "kubectl-kubecoin/practice=order-0123abcd");
    }

    #[test]
    fn a_server_has_its_data_on_a_claim_of_its_own() {
        let practice = practice();
        let pod = server(&practice.pod).unwrap();
        let mounts = pod.containers[0].volume_mounts.as_ref().unwrap();
        assert!(mounts.iter().any(|mount| mount.name == DATA && mount.mount_path == names::DATA_PATH));
        assert!(pod.volumes.unwrap().iter().all(|volume| volume.name != DATA));
        assert_eq!(pod.security_context.unwrap().run_as_non_root, Some(true));
    }

    #[test]
    fn without_the_lock_the_image_starts_its_server_itself() {
        let with = server(&practice().pod).unwrap();
        let without = server_without_lock(&practice().pod).unwrap();
        assert!(with.containers[0].command.as_ref().unwrap().iter().any(|word| word.contains("flock")));
        assert_eq!(without.containers[0].command, None);
        assert!(without.containers[0].args.as_ref().unwrap().iter().all(|word| !word.contains("flock")));
    }

    #[test]
    fn one_claim_is_on_one_node_and_goes_with_its_owner() {
        let beside = PodSpec { node_name: Some("node-1".to_owned()), ..practice().pod };
        let with = Practice { storage: Storage::OneClaim, pods: 2, pod: server(&beside).unwrap(), ..practice() };
        let set = body(&with.set());
        assert_eq!(set["spec"].get("volumeClaimTemplates"), None);
        let pod = &set["spec"]["template"]["spec"];
        assert!(pod["volumes"].to_string().contains(r#""claimName":"practice-order-0123abcd""#), "{pod}");
        let together = &pod["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][0];
        assert_eq!(together["topologyKey"], "kubernetes.io/hostname");
        assert_eq!(together["labelSelector"], set["spec"]["selector"]);
        assert!(
            pod["affinity"]["nodeAffinity"].to_string().contains("\"node-1\""),
            "beside the exchange, if there is room"
        );
        let [claim] = &with.claims()[..] else { panic!("one claim") };
        assert_eq!(body(claim)["metadata"]["name"], "practice-order-0123abcd");
        assert_eq!(body(claim)["metadata"]["ownerReferences"][0]["uid"], "u");
    }

    #[test]
    fn its_claims_go_with_it() {
        let without = practice();
        assert!(without.set().spec.unwrap().persistent_volume_claim_retention_policy.is_none());
        let with = Practice { storage: Storage::ClaimForEach, pods: 2, ..without };
        let volumes = body(&with.one_pod())["spec"]["volumes"].clone();
        assert_eq!(volumes[1]["name"], "data");
        assert_eq!(volumes[1]["persistentVolumeClaim"]["claimName"], "data-practice-order-0123abcd-0");
        let set = body(&with.set());
        assert_eq!(set["spec"]["persistentVolumeClaimRetentionPolicy"], json!({ "whenDeleted": "Delete" }));
        assert_eq!(with.claim_names(), ["data-practice-order-0123abcd-0", "data-practice-order-0123abcd-1"]);
    }
}
