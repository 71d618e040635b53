//! What is there already of each object that shall be.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use k8s_openapi::api::core::v1::PersistentVolume;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{Resource, ResourceExt};

use crate::exchange::names;
use crate::kubernetes::{Cluster, Object};
use crate::observe::{Reading, Reason, Snapshot};

/// As whom the members of a replicated database ask the API server.
const ACCOUNT: &str = "serviceaccount/postgres";

/// The metadata of what is there of the kinds that no snapshot has, by their references.
#[derive(Default)]
pub struct Existing(BTreeMap<String, Reading<ObjectMeta>>);

impl Existing {
    /// Of these objects what the snapshot does not have, read now.
    pub async fn read(cluster: &Cluster, snapshot: &Snapshot, objects: &[Object]) -> Self {
        let others = objects.iter().filter(|object| matches!(in_snapshot(object, snapshot), Reading::NotAsked));
        let read = others.map(|object| async {
            let there = cluster.get_object(object).await.map(|there| there.map(|there| there.metadata));
            (object.reference(), there.into())
        });
        Self(join_all(read).await.into_iter().collect())
    }

    /// Whether an administrator has created an object that one may not apply. The role `edit` may not read Roles: then the
    /// `ServiceAccount` that they are for says it.
    pub fn is_given(&self, reference: &str) -> bool {
        let account = || self.0.get(ACCOUNT).is_some_and(|there| there.present().is_some());
        match self.0.get(reference) {
            Some(Reading::Present(_)) => true,
            Some(Reading::Unknown(Reason::Forbidden(_))) => account(),
            _ => false,
        }
    }

    /// Of the object that is there under the name of this one.
    pub fn of<'a>(&'a self, object: &Object, snapshot: &'a Snapshot) -> Reading<&'a ObjectMeta> {
        match self.0.get(&object.reference()) {
            Some(there) => by_reference(there),
            None => in_snapshot(object, snapshot),
        }
    }
}

fn in_snapshot<'a>(object: &Object, snapshot: &'a Snapshot) -> Reading<&'a ObjectMeta> {
    match object.resource.kind.as_str() {
        "StatefulSet" => meta(&snapshot.statefulset),
        "PersistentVolumeClaim" => {
            let member = snapshot.members.iter().find(|member| member.claim_name == object.name);
            member.map_or(Reading::NotAsked, |member| meta(&member.claim))
        }
        "PersistentVolume" if names::number_of_volume(&object.name).is_some() => {
            let is_it = |volume: &PersistentVolume| volume.name_any() == object.name;
            let mut volumes = snapshot.members.iter().map(|member| &member.volume);
            volumes.find(|volume| volume.present().is_some_and(is_it)).map_or(Reading::NotAsked, meta)
        }
        "PersistentVolume" => snapshot.members.first().map_or(Reading::NotAsked, |member| meta(&member.volume)),
        "Deployment" => snapshot.deployments.get(&object.name).map_or(Reading::NotAsked, meta),
        "NetworkPolicy" => meta(&snapshot.network_policy),
        "Service" => snapshot.services.get(&object.name).map_or(Reading::NotAsked, meta),
        _ => Reading::NotAsked,
    }
}

fn meta<K: Resource>(reading: &Reading<K>) -> Reading<&ObjectMeta> {
    match by_reference(reading) {
        Reading::Present(object) => Reading::Present(object.meta()),
        Reading::Absent => Reading::Absent,
        Reading::Unknown(reason) => Reading::Unknown(reason),
        Reading::NotAsked => Reading::NotAsked,
    }
}

fn by_reference<T>(reading: &Reading<T>) -> Reading<&T> {
    match reading {
        Reading::Present(value) => Reading::Present(value),
        Reading::Absent => Reading::Absent,
        Reading::Unknown(reason) => Reading::Unknown(reason.clone()),
        Reading::NotAsked => Reading::NotAsked,
    }
}
