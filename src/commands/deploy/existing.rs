//! What is there already of each object that shall be.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;

use crate::kubernetes::Object;
use crate::observe::{Reading, Snapshot};

/// The metadata of the object that is there under the name of this one.
pub fn of<'a>(object: &Object, snapshot: &'a Snapshot) -> Reading<&'a ObjectMeta> {
    match object.resource.kind.as_str() {
        "StatefulSet" => meta(&snapshot.statefulset),
        "PersistentVolumeClaim" => {
            let member = snapshot.members.iter().find(|member| member.claim_name == object.name);
            member.map_or(Reading::NotAsked, |member| meta(&member.claim))
        }
        // It is made for one server alone: the volumes of several are provisioned.
        "PersistentVolume" => snapshot.members.first().map_or(Reading::NotAsked, |member| meta(&member.volume)),
        "Deployment" => snapshot.deployments.get(&object.name).map_or(Reading::NotAsked, meta),
        "NetworkPolicy" => meta(&snapshot.network_policy),
        "Service" => snapshot.services.get(&object.name).map_or(Reading::NotAsked, meta),
        _ => Reading::NotAsked,
    }
}

fn meta<K: Resource>(reading: &Reading<K>) -> Reading<&ObjectMeta> {
    match reading {
        Reading::Present(object) => Reading::Present(object.meta()),
        Reading::Absent => Reading::Absent,
        Reading::Unknown(reason) => Reading::Unknown(reason.clone()),
        Reading::NotAsked => Reading::NotAsked,
    }
}
