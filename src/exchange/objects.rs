//! The manifests in typed form, with the user's choices.

use anyhow::Context;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet, StatefulSetSpec};
use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMap, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PersistentVolume,
    PersistentVolumeClaim, PersistentVolumeClaimVolumeSource, Pod, PodSpec, PodTemplateSpec, Secret, Service,
    ServiceAccount, Volume, VolumeNodeAffinity,
};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::serde::de::DeserializeOwned;
use kube::{Resource, ResourceExt};
use rand::RngExt as _;
use rand::distr::{Alphanumeric, SampleString};
use serde_json::Value;

use super::manifests::Manifest;
use super::settings::{Settings, Storage};
use super::{manifests, names};
use crate::kubernetes::Object;

/// The objects of the exchange.
#[derive(Clone, Debug)]
pub struct Objects {
    /// The lesson's volume, or one for each member of a replicated database. None with dynamic storage.
    pub volumes: Vec<PersistentVolume>,
    /// The claim of the one server. None with a replicated database, whose set makes a claim for each member.
    pub claim: Option<PersistentVolumeClaim>,
    /// What a replicated database has beside it.
    pub replicated: Option<Replicated>,
    /// Who may reach the database. None if nobody has asked for it.
    pub network_policy: Option<NetworkPolicy>,
    /// The headless Service of the set.
    pub postgres_service: Service,
    /// The set.
    pub postgres: StatefulSet,
    pub backend_service: Service,
    pub backend: Deployment,
    /// The Service of the page.
    pub frontend_service: Service,
    /// The page.
    pub frontend: Deployment,
}

/// What a replicated database has beside its set, and one server has not.
#[derive(Clone, Debug)]
pub struct Replicated {
    /// As whom the members ask the API server.
    pub account: ServiceAccount,
    /// What they may do there.
    pub role: Role,
    pub binding: RoleBinding,
    /// What each member is told before it starts.
    pub settings: ConfigMap,
    /// The Service of the member that takes writes.
    pub primary_service: Service,
    /// The Service of the others.
    pub replicas_service: Service,
    /// How many members may be evicted at once.
    pub budget: PodDisruptionBudget,
}

/// The user and group `postgres` of the official image.
pub const POSTGRES_UID: i64 = 999;

/// As many characters as two random UUIDs hold.
const PASSWORD_LENGTH: usize = 43;

/// The object in a manifest of the lesson, typed.
///
/// # Errors
/// If the manifest is not what it should be, which is a mistake of this program.
pub fn manifest<K: DeserializeOwned>(file: &str) -> anyhow::Result<K> {
    typed(manifests::ALL.iter().chain([&manifests::NETWORK_POLICY]), file)
}

/// The same of the exchange with a replicated database.
fn replicated_manifest<K: DeserializeOwned>(file: &str) -> anyhow::Result<K> {
    typed(manifests::REPLICATED.iter().chain([&manifests::REPLICATED_NETWORK_POLICY]), file)
}

fn typed<'a, K: DeserializeOwned>(mut all: impl Iterator<Item = &'a Manifest>, file: &str) -> anyhow::Result<K> {
    let manifest = all.find(|manifest| manifest.file == file).context("no such manifest")?;
    // Through a value: the typed structs' own code for YAML would be another megabyte.
    let value: Value = serde_saphyr::from_str(manifest.yaml)?;
    Ok(serde_json::from_value(value)?)
}

/// A Service as the manifests have it, by its name.
#[must_use]
pub fn service(name: &str) -> Option<Service> {
    let files = ["postgres-headless-service.yaml", "backend-service.yaml", "frontend-service.yaml"];
    let all = files.into_iter().filter_map(|file| manifest::<Service>(file).ok());
    all.into_iter().find(|service| service.metadata.name.as_deref() == Some(name))
}

/// A namespaced object of a manifest, in a namespace.
fn placed<K>(read: anyhow::Result<K>, namespace: &str) -> anyhow::Result<K>
where
    K: Resource,
{
    let mut object = read?;
    object.meta_mut().namespace = Some(namespace.to_owned());
    Ok(object)
}

impl Replicated {
    fn new(namespace: &str) -> anyhow::Result<Self> {
        let mut binding: RoleBinding = placed(replicated_manifest("postgres-rolebinding.yaml"), namespace)?;
        for subject in binding.subjects.iter_mut().flatten() {
            subject.namespace = Some(namespace.to_owned());
        }
        Ok(Self {
            account: placed(replicated_manifest("postgres-serviceaccount.yaml"), namespace)?,
            role: placed(replicated_manifest("postgres-role.yaml"), namespace)?,
            binding,
            settings: placed(replicated_manifest("postgres-configmap.yaml"), namespace)?,
            primary_service: placed(replicated_manifest("postgres-primary-service.yaml"), namespace)?,
            replicas_service: placed(replicated_manifest("postgres-replicas-service.yaml"), namespace)?,
            budget: placed(replicated_manifest("postgres-poddisruptionbudget.yaml"), namespace)?,
        })
    }

    /// What the set refers to, and what leads to it.
    fn in_order(&self) -> anyhow::Result<[Object; 7]> {
        Ok([
            Object::of(&self.account)?,
            Object::of(&self.role)?,
            Object::of(&self.binding)?,
            Object::of(&self.settings)?,
            Object::of(&self.primary_service)?,
            Object::of(&self.replicas_service)?,
            Object::of(&self.budget)?,
        ])
    }
}

impl Objects {
    /// The manifests, with the choices.
    ///
    /// # Errors
    /// If a manifest is not what it should be, which is a mistake of this program.
    pub fn new(settings: &Settings) -> anyhow::Result<Self> {
        let namespace = settings.namespace.as_str();
        let mut objects = match settings.members {
            None => Self::of_one_server(namespace)?,
            Some(members) => Self::of_members(settings, members)?,
        };
        if settings.network_policy {
            let policy = match settings.members {
                None => manifest(manifests::NETWORK_POLICY.file),
                Some(_) => replicated_manifest(manifests::REPLICATED_NETWORK_POLICY.file),
            };
            objects.network_policy = Some(placed(policy, namespace)?);
        }
        objects.set_storage(settings);
        objects.set_images(settings);
        objects.set_service(settings);
        objects.set_credentials(settings);
        Ok(objects)
    }

    fn of_one_server(namespace: &str) -> anyhow::Result<Self> {
        Ok(Self {
            volumes: vec![manifest("postgres-pv.yaml")?],
            claim: Some(placed(manifest("postgres-pvc.yaml"), namespace)?),
            replicated: None,
            network_policy: None,
            postgres_service: placed(manifest("postgres-headless-service.yaml"), namespace)?,
            postgres: placed(manifest("postgres-statefulset.yaml"), namespace)?,
            backend_service: placed(manifest("backend-service.yaml"), namespace)?,
            backend: placed(manifest("backend-deployment.yaml"), namespace)?,
            frontend_service: placed(manifest("frontend-service.yaml"), namespace)?,
            frontend: placed(manifest("frontend-deployment.yaml"), namespace)?,
        })
    }

    fn of_members(settings: &Settings, members: u32) -> anyhow::Result<Self> {
        let namespace = settings.namespace.as_str();
        let mut postgres: StatefulSet = placed(replicated_manifest("postgres-statefulset.yaml"), namespace)?;
        if let Some(spec) = &mut postgres.spec {
            spec.replicas = Some(i32::try_from(members)?);
        }
        Ok(Self {
            volumes: volumes_of_members(settings)?,
            claim: None,
            replicated: Some(Replicated::new(namespace)?),
            network_policy: None,
            postgres_service: placed(replicated_manifest("postgres-headless-service.yaml"), namespace)?,
            postgres,
            backend_service: placed(replicated_manifest("backend-service.yaml"), namespace)?,
            backend: placed(replicated_manifest("backend-deployment.yaml"), namespace)?,
            frontend_service: placed(replicated_manifest("frontend-service.yaml"), namespace)?,
            frontend: placed(replicated_manifest("frontend-deployment.yaml"), namespace)?,
        })
    }

    /// Makes them those of the chosen storage, if they are the lesson's.
    pub fn set_storage(&mut self, settings: &Settings) {
        let size = settings.volume_size.clone().map(Quantity);
        let templates = self.postgres.spec.iter_mut().flat_map(|spec| spec.volume_claim_templates.iter_mut().flatten());
        for spec in self.claim.iter_mut().chain(templates).filter_map(|claim| claim.spec.as_mut()) {
            if let Some(size) = size.clone() {
                let requests = spec.resources.get_or_insert_default().requests.get_or_insert_default();
                requests.insert("storage".to_owned(), size);
            }
            match &settings.storage {
                Storage::Static { .. } => spec.volume_name = Some(names::volume(&settings.namespace)),
                // Left out, the cluster would make a volume for each claim if it has a default StorageClass.
                Storage::Local { .. } => spec.storage_class_name = Some(String::new()),
                Storage::Dynamic { class } => {
                    spec.volume_name = None;
                    spec.storage_class_name.clone_from(class);
                }
            }
        }
        match &settings.storage {
            Storage::Static { host_path, hostname } => {
                for volume in &mut self.volumes {
                    let path = host_path.clone().unwrap_or_else(|| names::host_path(&settings.namespace));
                    set_volume(volume, &names::volume(&settings.namespace), settings, path, hostname.as_deref());
                }
            }
            Storage::Local { .. } => {}
            Storage::Dynamic { .. } => {
                self.volumes.clear();
                if let Some(pod) = self.postgres.spec.as_mut().and_then(|spec| spec.template.spec.as_mut()) {
                    run_as_plain_user(pod);
                }
            }
        }
        for spec in self.volumes.iter_mut().filter_map(|volume| volume.spec.as_mut()) {
            if let Some(size) = size.clone() {
                spec.capacity.get_or_insert_default().insert("storage".to_owned(), size);
            }
        }
    }

    fn set_images(&mut self, settings: &Settings) {
        let images = &settings.images;
        let templates = [
            (self.postgres.spec.as_mut().map(|spec| &mut spec.template), &images.postgres),
            (self.backend.spec.as_mut().map(|spec| &mut spec.template), &images.backend),
            (self.frontend.spec.as_mut().map(|spec| &mut spec.template), &images.frontend),
        ];
        for (template, chosen) in templates {
            for container in
                template.and_then(|template| template.spec.as_mut()).into_iter().flat_map(|pod| &mut pod.containers)
            {
                let original = container.image.take().unwrap_or_default();
                container.image = Some(images.replace(chosen.as_ref(), &original));
            }
        }
    }

    fn set_service(&mut self, settings: &Settings) {
        let Some(spec) = &mut self.frontend_service.spec else { return };
        if let Some(service) = settings.service {
            spec.type_ = Some(service.name().to_owned());
        }
        for port in spec.ports.iter_mut().flatten() {
            port.node_port = settings.node_port.map(i32::from);
        }
    }

    /// The database keeps the exchange's first Secret, of which it takes the password at its first start alone.
    fn set_credentials(&mut self, settings: &Settings) {
        let backend = self.backend.spec.as_mut().map(|spec| &mut spec.template);
        let set = self.postgres.spec.as_mut().map(|spec| &mut spec.template);
        let chosen =
            [(backend, names::SECRET, &settings.credentials), (set, names::MEMBERS_SECRET, &settings.members_secret)];
        for (template, first, chosen) in chosen {
            if let (Some(template), Some(name)) = (template, chosen) {
                use_secret(template, first, name);
            }
        }
    }

    /// All objects in the order in which they are needed: each after what it refers to. The Secret, which is created
    /// and never applied, comes before them.
    ///
    /// # Errors
    /// If one has no form in JSON, which is a mistake of this program.
    pub fn in_order(&self) -> anyhow::Result<Vec<Object>> {
        let mut all = Vec::new();
        for volume in &self.volumes {
            all.push(Object::of(volume)?);
        }
        if let Some(claim) = &self.claim {
            all.push(Object::of(claim)?);
        }
        // Before the first pod that it is for.
        if let Some(policy) = &self.network_policy {
            all.push(Object::of(policy)?);
        }
        all.push(Object::of(&self.postgres_service)?);
        if let Some(replicated) = &self.replicated {
            all.extend(replicated.in_order()?);
        }
        all.extend([
            Object::of(&self.postgres)?,
            Object::of(&self.backend_service)?,
            Object::of(&self.backend)?,
            Object::of(&self.frontend_service)?,
            Object::of(&self.frontend)?,
        ]);
        Ok(all)
    }

    /// A pod of each workload, as the workload would make it.
    #[must_use]
    pub fn pods(&self) -> Vec<Pod> {
        let templates = [
            self.postgres.spec.as_ref().map(|spec| (self.postgres.name_any(), first_member(spec))),
            self.backend.spec.as_ref().map(|spec| (self.backend.name_any(), spec.template.clone())),
            self.frontend.spec.as_ref().map(|spec| (self.frontend.name_any(), spec.template.clone())),
        ];
        let namespace = self.postgres.metadata.namespace.as_ref();
        templates.into_iter().flatten().map(|(name, template)| pod_of(&name, namespace, &template)).collect()
    }
}

/// A pod of the database's set, as the set would make it; none without a template.
#[must_use]
pub fn pod_of_set(set: &StatefulSet) -> Option<Pod> {
    let spec = set.spec.as_ref().filter(|spec| spec.template.spec.is_some())?;
    Some(pod_of(&set.name_any(), set.metadata.namespace.as_ref(), &first_member(spec)))
}

/// The template of the database's pods, for its first member: with a volume of each claim that the set makes for it.
fn first_member(set: &StatefulSetSpec) -> PodTemplateSpec {
    let mut template = set.template.clone();
    let (_, claim_name) = names::member(0);
    let volumes = set.volume_claim_templates.iter().flatten().map(|claim| Volume {
        name: claim.name_any(),
        persistent_volume_claim: Some(PersistentVolumeClaimVolumeSource {
            claim_name: claim_name.clone(),
            ..PersistentVolumeClaimVolumeSource::default()
        }),
        ..Volume::default()
    });
    if let Some(pod) = &mut template.spec {
        pod.volumes.get_or_insert_default().extend(volumes);
    }
    template
}

/// Takes from a Secret what was to be taken from the first one.
fn use_secret(template: &mut PodTemplateSpec, first: &str, name: &str) {
    let containers = template.spec.as_mut().map(|pod| &mut pod.containers);
    let variables = containers.into_iter().flatten().flat_map(|container| container.env.iter_mut().flatten());
    let sources = variables.filter_map(|variable| variable.value_from.as_mut()?.secret_key_ref.as_mut());
    for source in sources.filter(|source| source.name == first) {
        name.clone_into(&mut source.name);
    }
}

/// What the name of a pod ends with that is only tried.
const TRIED: &str = "-check";

/// The workload whose pod this is, one of `Objects::pods`.
#[must_use]
pub fn workload(pod: &Pod) -> &str {
    pod.metadata.name.as_deref().unwrap_or_default().trim_end_matches(TRIED)
}

/// A pod of a workload's template, as the workload would make it.
#[must_use]
pub fn pod_of(name: &str, namespace: Option<&String>, template: &PodTemplateSpec) -> Pod {
    let mut metadata = template.metadata.clone().unwrap_or_default();
    metadata.name = Some(format!("{name}{TRIED}"));
    metadata.namespace = namespace.cloned();
    Pod { metadata, spec: template.spec.clone(), status: None }
}

/// A volume for each member that is to have its data on a node.
fn volumes_of_members(settings: &Settings) -> anyhow::Result<Vec<PersistentVolume>> {
    let Storage::Local { host_path, hostnames } = &settings.storage else { return Ok(Vec::new()) };
    let parent = host_path.clone().unwrap_or_else(|| names::host_path(&settings.namespace));
    let volumes = (0..).zip(hostnames).map(|(number, hostname)| {
        let mut volume: PersistentVolume = typed([&manifests::LOCAL_VOLUME].into_iter(), manifests::LOCAL_VOLUME.file)?;
        let (pod, claim) = names::member(number);
        let name = names::volume_of_member(&settings.namespace, number);
        let path = format!("{}/{pod}", parent.trim_end_matches('/'));
        set_volume(&mut volume, &name, settings, path, Some(hostname));
        if let Some(reserved) = volume.spec.as_mut().and_then(|spec| spec.claim_ref.as_mut()) {
            reserved.name = Some(claim);
        }
        Ok(volume)
    });
    volumes.collect()
}

fn set_volume(volume: &mut PersistentVolume, name: &str, settings: &Settings, path: String, hostname: Option<&str>) {
    volume.metadata.name = Some(name.to_owned());
    let Some(spec) = &mut volume.spec else { return };
    if let Some(claim) = &mut spec.claim_ref {
        claim.namespace = Some(settings.namespace.clone());
    }
    if let Some(host_path) = &mut spec.host_path {
        host_path.path = path;
    } else if let Some(local) = &mut spec.local {
        local.path = path;
    }
    spec.node_affinity = hostname.map(|hostname| VolumeNodeAffinity {
        required: Some(NodeSelector {
            node_selector_terms: vec![NodeSelectorTerm {
                match_expressions: Some(vec![NodeSelectorRequirement {
                    key: names::HOSTNAME.to_owned(),
                    operator: "In".to_owned(),
                    values: Some(vec![hostname.to_owned()]),
                }]),
                ..NodeSelectorTerm::default()
            }],
        }),
    });
}

/// A volume that the cluster makes takes the pod's fsGroup, so nothing has to run as root: Pod Security `restricted`.
pub(super) fn run_as_plain_user(pod: &mut PodSpec) {
    let security = pod.security_context.get_or_insert_default();
    security.run_as_non_root = Some(true);
    security.run_as_user = Some(POSTGRES_UID);
    security.run_as_group = Some(POSTGRES_UID);
    security.fs_group = Some(POSTGRES_UID);
    // A volume that is already the group's is not walked through again at every start.
    security.fs_group_change_policy = Some("OnRootMismatch".to_owned());
    for container in &mut pod.containers {
        let security = container.security_context.get_or_insert_default();
        security.capabilities = Some(Capabilities { add: None, drop: Some(vec!["ALL".to_owned()]) });
    }
}

/// The manifest's own image of the database: of one server, or of a replicated database.
///
/// # Errors
/// If the manifest is not what it should be, which is a mistake of this program.
pub fn postgres_image(replicated: bool) -> anyhow::Result<String> {
    const FILE: &str = "postgres-statefulset.yaml";
    let set: StatefulSet = if replicated { replicated_manifest(FILE)? } else { manifest(FILE)? };
    let image = || set.spec?.template.spec?.containers.pop()?.image;
    image().context("the manifest names no image")
}

/// A claim for exactly this volume, whichever way the volume was made.
///
/// # Errors
/// If the manifest is not what it should be, which is a mistake of this program.
pub fn claim_of(volume: &PersistentVolume, namespace: &str, name: &str) -> anyhow::Result<PersistentVolumeClaim> {
    let mut claim: PersistentVolumeClaim = manifest("postgres-pvc.yaml")?;
    claim.metadata.name = Some(name.to_owned());
    claim.metadata.namespace = Some(namespace.to_owned());
    if let (Some(spec), Some(volume_spec)) = (&mut claim.spec, &volume.spec) {
        spec.volume_name.clone_from(&volume.metadata.name);
        // None would be the cluster's default.
        spec.storage_class_name = Some(volume_spec.storage_class_name.clone().unwrap_or_default());
        spec.access_modes.clone_from(&volume_spec.access_modes);
        spec.volume_mode.clone_from(&volume_spec.volume_mode);
        if let Some(size) = volume_spec.capacity.as_ref().and_then(|capacity| capacity.get("storage")) {
            let requests = spec.resources.get_or_insert_default().requests.get_or_insert_default();
            requests.insert("storage".to_owned(), size.clone());
        }
    }
    Ok(claim)
}

/// The Secret with a new random password, which stands in `stringData`.
///
/// # Errors
/// If the manifest is not what it should be, which is a mistake of this program.
pub fn secret(namespace: &str) -> anyhow::Result<Secret> {
    secret_with(namespace, names::SECRET)
}

/// The Secrets without which pods of these settings do not start, each with new random passwords in `stringData`. The members use
/// their first one no more once another has taken its place. The exchange's stays: the database's pod cannot start without it.
///
/// # Errors
/// As above.
pub fn secrets(settings: &Settings) -> anyhow::Result<Vec<Secret>> {
    let mut all = first_secrets(&settings.namespace, settings.members.is_some())?;
    all.retain(|secret| settings.members_secret.is_none() || secret.name_any() != names::MEMBERS_SECRET);
    Ok(all)
}

/// The Secrets of a first deployment: of one server, or of a replicated database.
fn first_secrets(namespace: &str, replicated: bool) -> anyhow::Result<Vec<Secret>> {
    if !replicated {
        return Ok(vec![secret(namespace)?]);
    }
    let with_passwords = |file, keys: &[&str]| {
        let mut secret: Secret = placed(replicated_manifest(file), namespace)?;
        make_passwords(&mut secret, keys);
        anyhow::Ok(secret)
    };
    Ok(vec![
        with_passwords("postgres-secret.yaml", &[names::SECRET_PASSWORD])?,
        with_passwords("postgres-members-secret.yaml", &names::MEMBERS_SECRET_KEYS)?,
    ])
}

/// What the names of the Secrets of a rotation end with: one that no Secret ever had, for the kubelet hands out the old value of a
/// name as long as any pod of the node uses it.
#[must_use]
pub fn new_rotation() -> String {
    format!("{:08x}", rand::rng().random::<u32>())
}

/// Secrets like the first ones, for the next passwords.
///
/// # Errors
/// If a manifest is not what it should be, which is a mistake of this program.
pub fn rotated_secrets(namespace: &str, replicated: bool, rotation: &str) -> anyhow::Result<Vec<Secret>> {
    let mut all = first_secrets(namespace, replicated)?;
    for secret in &mut all {
        secret.metadata.name = Some(names::rotated(&secret.name_any(), rotation));
        secret.metadata.labels.get_or_insert_default().insert(names::ROTATED.to_owned(), "true".to_owned());
    }
    Ok(all)
}

/// A Secret like it that only an exercise uses, with a password that is not the database's.
///
/// # Errors
/// If the manifest is not what it should be, which is a mistake of this program.
pub fn secret_of_exercise(namespace: &str, name: &str) -> anyhow::Result<Secret> {
    let mut secret = secret_with(namespace, name)?;
    secret.metadata.labels.get_or_insert_default().insert(names::EXERCISE_LABEL.to_owned(), "true".to_owned());
    Ok(secret)
}

fn secret_with(namespace: &str, name: &str) -> anyhow::Result<Secret> {
    let mut secret: Secret = manifest("postgres-secret.yaml")?;
    secret.metadata.name = Some(name.to_owned());
    secret.metadata.namespace = Some(namespace.to_owned());
    make_passwords(&mut secret, &[names::SECRET_PASSWORD]);
    Ok(secret)
}

/// Puts a new random password under each key, in place of the manifest's.
fn make_passwords(secret: &mut Secret, keys: &[&str]) {
    if let Some(data) = &mut secret.data {
        data.retain(|key, _| !keys.contains(&key.as_str()));
    }
    let password = |key: &&str| ((*key).to_owned(), Alphanumeric.sample_string(&mut rand::rng(), PASSWORD_LENGTH));
    secret.string_data = Some(keys.iter().map(password).collect());
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::exchange::settings::ServiceType;

    fn lesson() -> Settings {
        Settings::of("default", Storage::Static { host_path: None, hostname: None })
    }

    fn bodies(settings: &Settings) -> BTreeMap<String, Value> {
        let objects = Objects::new(settings).unwrap().in_order().unwrap();
        objects.into_iter().map(|object| (object.reference(), object.body)).collect()
    }

    #[test]
    fn the_lessons_own_setting_is_the_manifests_as_they_stand() {
        let objects = Objects::new(&lesson()).unwrap().in_order().unwrap();
        let mut manifests: Vec<Value> = super::super::manifests::ALL
            .iter()
            .map(|manifest| serde_saphyr::from_str(manifest.yaml).unwrap())
            .filter(|object: &Value| object["kind"] != "Secret")
            .collect();
        for manifest in &mut manifests {
            if manifest["kind"] != "PersistentVolume" {
                manifest["metadata"]["namespace"] = "default".into();
            }
        }
        assert_eq!(objects.into_iter().map(|object| object.body).collect::<Vec<_>>(), manifests);
    }

    #[test]
    fn names_are_the_manifests() {
        let objects = bodies(&lesson());
        let expected = [
            format!("deployment.apps/{}", names::BACKEND),
            format!("deployment.apps/{}", names::FRONTEND),
            format!("persistentvolume/{}", names::volume("default")),
            format!("persistentvolumeclaim/{}", names::CLAIM),
            format!("service/{}", names::BACKEND_SERVICE),
            format!("service/{}", names::FRONTEND_SERVICE),
            format!("service/{}", names::POSTGRES_SERVICE),
            format!("statefulset.apps/{}", names::POSTGRES),
        ];
        assert_eq!(objects.keys().collect::<Vec<_>>(), expected.iter().collect::<Vec<_>>());
        let secret = secret("default").unwrap();
        assert_eq!(secret.metadata.name.as_deref(), Some(names::SECRET));
        assert_eq!(objects["persistentvolume/postgres-pv"]["spec"]["hostPath"]["path"], names::host_path("default"));
        for body in objects.values() {
            assert_eq!(body["metadata"]["labels"][names::PART_OF.0], names::PART_OF.1);
        }
    }

    #[test]
    fn two_namespaces_share_neither_volume_nor_folder() {
        let of = |namespace| bodies(&Settings::of(namespace, Storage::Static { host_path: None, hostname: None }));
        let (alice, bob) = (of("alice"), of("bob"));
        let (alice, bob) = (&alice["persistentvolume/postgres-pv-alice"], &bob["persistentvolume/postgres-pv-bob"]);
        assert_ne!(alice["spec"]["hostPath"]["path"], bob["spec"]["hostPath"]["path"]);
        assert_eq!(alice["spec"]["claimRef"]["namespace"], "alice");
        assert_eq!(of("alice")["persistentvolumeclaim/postgres-pvc"]["spec"]["volumeName"], "postgres-pv-alice");
    }

    #[test]
    fn a_claim_for_a_volume_asks_for_what_the_volume_is() {
        let claim = |spec: Value| {
            let volume = serde_json::json!({ "metadata": { "name": "pv" }, "spec": spec });
            let claim = claim_of(&serde_json::from_value(volume).unwrap(), "alice", "postgres-pvc").unwrap();
            serde_json::to_value(claim).unwrap()
        };
        let own = claim(serde_json::json!({ "capacity": { "storage": "2Gi" }, "accessModes": ["ReadWriteOnce"] }));
        assert_eq!(
            (&own["metadata"]["name"], &own["metadata"]["namespace"]),
            (&"postgres-pvc".into(), &"alice".into())
        );
        assert_eq!(own["metadata"]["labels"][names::PART_OF.0], names::PART_OF.1);
        assert_eq!((&own["spec"]["volumeName"], &own["spec"]["storageClassName"]), (&"pv".into(), &"".into()));
        assert_eq!(own["spec"]["accessModes"], serde_json::json!(["ReadWriteOnce"]));
        assert_eq!(own["spec"]["resources"]["requests"]["storage"], "2Gi");
        assert_eq!(claim(serde_json::json!({ "storageClassName": "fast" }))["spec"]["storageClassName"], "fast");
    }

    #[test]
    fn a_pinned_volume_names_its_node() {
        let pinned = Storage::Static { host_path: Some("/srv".to_owned()), hostname: Some("node-2".to_owned()) };
        let volume = &bodies(&Settings::of("default", pinned))["persistentvolume/postgres-pv"]["spec"];
        let term = &volume["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"][0];
        assert_eq!((&term["key"], &term["values"][0]), (&names::HOSTNAME.into(), &"node-2".into()));
        assert_eq!(volume["hostPath"]["path"], "/srv");
    }

    #[test]
    fn dynamic_storage_needs_no_root() {
        let objects = bodies(&Settings::of("alice", Storage::Dynamic { class: None }));
        assert!(!objects.keys().any(|name| name.starts_with("persistentvolume/")));
        let claim = &objects["persistentvolumeclaim/postgres-pvc"]["spec"];
        assert_eq!((claim.get("storageClassName"), claim.get("volumeName")), (None, None));
        let pod = &objects["statefulset.apps/postgres"]["spec"]["template"]["spec"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
        assert_eq!(pod["securityContext"]["fsGroup"], 999);
        assert_eq!(pod["containers"][0]["securityContext"]["capabilities"], serde_json::json!({ "drop": ["ALL"] }));

        let named = bodies(&Settings::of("alice", Storage::Dynamic { class: Some("fast".to_owned()) }));
        assert_eq!(named["persistentvolumeclaim/postgres-pvc"]["spec"]["storageClassName"], "fast");
    }

    #[test]
    fn size_images_and_service_are_the_users() {
        let mut settings = lesson();
        settings.volume_size = Some("2Gi".to_owned());
        settings.images.registry = Some("localhost:5001".to_owned());
        settings.service = Some(ServiceType::NodePort);
        settings.node_port = Some(30_080);
        let objects = bodies(&settings);
        assert_eq!(objects["persistentvolume/postgres-pv"]["spec"]["capacity"]["storage"], "2Gi");
        assert_eq!(objects["persistentvolumeclaim/postgres-pvc"]["spec"]["resources"]["requests"]["storage"], "2Gi");
        let image = "/spec/template/spec/containers/0/image";
        assert_eq!(objects["statefulset.apps/postgres"].pointer(image).unwrap(), "localhost:5001/postgres:17");
        assert_eq!(objects["service/frontend-service"]["spec"]["ports"][0]["nodePort"], 30_080);
        assert_eq!(objects["service/backend-service"]["spec"]["ports"][0].get("nodePort"), None);
    }

    #[test]
    fn only_the_backend_uses_another_secret() {
        let rotated = Settings { credentials: Some("postgres-credentials-ab12".to_owned()), ..lesson() };
        let (before, after) = (bodies(&lesson()), bodies(&rotated));
        for (name, body) in &before {
            assert_eq!(after[name] == *body, name != "deployment.apps/backend", "{name}");
        }
        let backend = after["deployment.apps/backend"].to_string();
        assert_eq!(
            (backend.matches("postgres-credentials-ab12").count(), backend.matches(names::SECRET).count()),
            (2, 2)
        );
    }

    #[test]
    fn a_pod_on_trial_has_the_volumes_that_it_mounts() {
        for settings in [lesson(), replicated()] {
            for pod in Objects::new(&settings).unwrap().pods() {
                let spec = pod.spec.unwrap();
                let volumes: Vec<_> = spec.volumes.iter().flatten().map(|volume| &volume.name).collect();
                let mounts = spec.containers.iter().flat_map(|container| container.volume_mounts.iter().flatten());
                assert!(mounts.into_iter().all(|mount| volumes.contains(&&mount.name)), "{volumes:?}");
            }
        }
    }

    fn replicated() -> Settings {
        Settings { members: Some(3), ..Settings::of("alice", Storage::Dynamic { class: None }) }
    }

    #[test]
    fn a_replicated_database_is_its_manifests_as_they_stand() {
        let read = |manifest: &Manifest| serde_saphyr::from_str::<Value>(manifest.yaml).unwrap();
        let mut manifests: Vec<Value> = manifests::REPLICATED.iter().map(read).collect();
        manifests.retain(|object| object["kind"] != "Secret");
        for manifest in &mut manifests {
            manifest["metadata"]["namespace"] = "alice".into();
            if manifest["kind"] == "RoleBinding" {
                manifest["subjects"][0]["namespace"] = "alice".into();
            }
        }
        let by_name = |all: Vec<Value>| -> BTreeMap<String, Value> {
            all.into_iter().map(|body| (format!("{}/{}", body["kind"], body["metadata"]["name"]), body)).collect()
        };
        let objects = Objects::new(&replicated()).unwrap().in_order().unwrap();
        assert_eq!(by_name(objects.into_iter().map(|object| object.body).collect()), by_name(manifests));
    }

    #[test]
    fn what_both_kinds_have_in_common_is_the_same_file() {
        let same = ["backend-service.yaml", "frontend-service.yaml", "frontend-deployment.yaml"];
        for file in same {
            let text = |all: &[Manifest]| all.iter().find(|manifest| manifest.file == file).unwrap().yaml;
            assert_eq!(text(&manifests::REPLICATED), text(&manifests::ALL), "{file}");
        }
    }

    #[test]
    fn members_number_class_and_size_are_the_users() {
        let storage = Storage::Dynamic { class: Some("fast".to_owned()) };
        let settings = Settings { members: Some(5), storage, volume_size: Some("2Gi".to_owned()), ..replicated() };
        let set = &bodies(&settings)["statefulset.apps/postgres"]["spec"];
        let claim = &set["volumeClaimTemplates"][0]["spec"];
        assert_eq!((&set["replicas"], &claim["storageClassName"]), (&5.into(), &"fast".into()));
        assert_eq!(claim["resources"]["requests"]["storage"], "2Gi");
    }

    #[test]
    fn members_on_nodes_have_a_volume_each_with_its_claim_its_directory_and_its_node() {
        let hostnames = ["a.host", "b.host", "a.host"].map(str::to_owned).to_vec();
        let storage = Storage::Local { host_path: Some("/srv/coins/".to_owned()), hostnames };
        let settings = Settings { storage, volume_size: Some("2Gi".to_owned()), ..replicated() };
        let objects = bodies(&settings);
        for (number, hostname) in [(0, "a.host"), (1, "b.host"), (2, "a.host")] {
            let volume = &objects[&format!("persistentvolume/postgres-{number}-pv-alice")];
            let spec = &volume["spec"];
            assert_eq!(volume["metadata"]["labels"][names::PART_OF.0], names::PART_OF.1);
            assert_eq!(spec["local"]["path"], format!("/srv/coins/postgres-{number}"));
            assert_eq!(
                (&spec["claimRef"]["namespace"], &spec["claimRef"]["name"]),
                (&"alice".into(), &names::member(number).1.into())
            );
            let term = &spec["nodeAffinity"]["required"]["nodeSelectorTerms"][0]["matchExpressions"][0];
            assert_eq!((&term["key"], &term["values"][0]), (&names::HOSTNAME.into(), &hostname.into()));
            assert_eq!(spec["capacity"]["storage"], "2Gi");
        }
        let claim = &objects["statefulset.apps/postgres"]["spec"]["volumeClaimTemplates"][0]["spec"];
        assert_eq!((&claim["storageClassName"], claim.get("volumeName")), (&"".into(), None));
        assert_eq!(claim["resources"]["requests"]["storage"], "2Gi");
        // The volume comes before the claim that it is reserved for: left alone, that is looked at again only after some seconds.
        let order = Objects::new(&settings).unwrap().in_order().unwrap();
        assert!(order[..3].iter().all(|object| object.resource.kind == "PersistentVolume"));
    }

    #[test]
    fn the_members_passwords_are_not_the_exchanges() {
        let secrets = secrets(&replicated()).unwrap();
        let passwords: BTreeSet<_> =
            secrets.iter().flat_map(|secret| secret.string_data.clone().unwrap().into_values()).collect();
        assert_eq!(passwords.len(), 5);
        let names: Vec<_> = secrets.iter().map(ResourceExt::name_any).collect();
        assert_eq!(names, [names::SECRET, names::MEMBERS_SECRET]);
        let data = secrets[0].data.clone().unwrap();
        assert_eq!(data[names::SECRET_USERNAME].0, b"kubecoin", "no superuser");
    }

    #[test]
    fn every_secret_has_a_password_of_its_own() {
        let password = || secret("alice").unwrap().string_data.unwrap()[names::SECRET_PASSWORD].clone();
        let (one, other) = (password(), password());
        assert_ne!(one, other);
        assert_eq!(one.len(), PASSWORD_LENGTH);
        assert!(one.chars().all(|character| character.is_ascii_alphanumeric()));
    }
}
