//! The objects that topics are shown with: those of a cluster, or of the recorded example.

use anyhow::Context as _;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{Pod, PodSpec, Volume};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::ResourceExt;

use crate::exchange::names;
use crate::observe::saved::Case;
use crate::observe::{Reading, Snapshot};

/// What was read of an exchange.
#[derive(Clone, Debug, Default)]
pub struct Live {
    pub namespace: String,
    pub snapshot: Snapshot,
    /// The `StorageClasses` of the cluster. Many may not read them.
    pub classes: Reading<Vec<StorageClass>>,
}

/// A healthy exchange with static storage, as `doctor --save` wrote it, without the fields that no topic shows.
const RECORDED: &str = include_str!("recorded.json");

impl Live {
    /// The recorded example.
    ///
    /// # Errors
    /// If it is none, which is a mistake of this program.
    pub fn recorded() -> anyhow::Result<Self> {
        let case = Case::<()>::parse(RECORDED).context("the recorded example")?;
        Ok(Self { namespace: case.namespace, snapshot: case.snapshot, classes: case.details.classes })
    }

    /// The set, if it is there.
    pub(super) fn set(&self) -> Option<&StatefulSet> {
        self.snapshot.statefulset.present()
    }

    /// How many pods the set shall have, if that is known.
    pub(super) fn replicas(&self) -> Option<i32> {
        Some(self.set()?.spec.as_ref()?.replicas.unwrap_or(1))
    }

    /// The names of the set's claim templates, if that is known.
    pub(super) fn claim_templates(&self) -> Option<Vec<String>> {
        let templates = self.set()?.spec.as_ref()?.volume_claim_templates.iter().flatten();
        Some(templates.map(ResourceExt::name_any).collect())
    }

    /// The pods of the set that are there.
    pub(super) fn set_pods(&self) -> impl Iterator<Item = &Pod> {
        self.snapshot.pods_of(names::POSTGRES)
    }

    /// Says that the database has no pod, if that is so.
    pub(super) fn without_pod(&self) -> Option<String> {
        self.snapshot.pods.present().filter(|_| self.set_pods().next().is_none())?;
        Some("the pod of the database: there is none now".to_owned())
    }

    /// The name by which the backend reaches the database, if that is known.
    pub(super) fn database_host(&self) -> Option<&str> {
        let backend = self.snapshot.deployments.get(names::BACKEND)?.present()?;
        let pod = backend.spec.as_ref()?.template.spec.as_ref()?;
        let mut variables = pod.containers.iter().flat_map(|container| container.env.iter().flatten());
        variables.find(|variable| variable.name == names::DATABASE_HOST)?.value.as_deref()
    }
}

/// The volumes of a pod that are claims, each with the name of its claim.
pub(super) fn claims(pod: &PodSpec) -> impl Iterator<Item = (&Volume, &str)> {
    pod.volumes
        .iter()
        .flatten()
        .filter_map(|volume| Some((volume, volume.persistent_volume_claim.as_ref()?.claim_name.as_str())))
}

/// Where the containers of a pod see a volume.
pub(super) fn mounted_at<'a>(pod: &'a PodSpec, volume: &str) -> Option<&'a str> {
    let mut mounts = pod.containers.iter().flat_map(|container| container.volume_mounts.iter().flatten());
    mounts.find(|mount| mount.name == volume).map(|mount| mount.mount_path.as_str())
}

/// The object that controls a pod, as kubectl names it.
pub(super) fn owner(pod: &Pod) -> Option<String> {
    let owner = pod.owner_references().iter().find(|owner| owner.controller == Some(true))?;
    Some(format!("{}/{}", owner.kind.to_lowercase(), owner.name))
}

/// A pod as kubectl names it.
pub(super) fn reference(pod: &Pod) -> String {
    format!("pod/{}", pod.name_any())
}
