//! Storage that ends with the pod that uses it. Who deletes a claim in use deletes it for when no pod uses it any more: the pod
//! runs on as if nothing were, and its end is the claim's.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::ResourceExt;

use crate::observe::Reading;

/// The patch that keeps a volume, and its data, when its claim goes.
pub const RETAIN: &str = r#"{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}"#;

/// What ends, and what becomes of the data.
#[derive(Debug, PartialEq, Eq)]
pub struct Ending {
    /// Both in one sentence.
    pub says: String,
    /// The volume whose data would be deleted too, and can still be kept from that.
    pub keep: Option<String>,
}

/// Whether the storage under a claim that a pod names ends with the pod.
#[must_use]
pub fn of(name: &str, claim: &Reading<PersistentVolumeClaim>, volume: &Reading<PersistentVolume>) -> Option<Ending> {
    let policy = |volume: &PersistentVolume| volume.spec.as_ref()?.persistent_volume_reclaim_policy.clone();
    let deleted = volume.present().filter(|volume| policy(volume).as_deref() == Some("Delete"));
    let fate = match volume {
        Reading::Present(volume) if deleted.is_some() => {
            format!("with it the data on pv/{} is deleted (reclaim policy Delete)", volume.name_any())
        }
        Reading::Present(volume) => format!("the data stays on pv/{}, which no other claim can use", volume.name_any()),
        _ => "it is unknown what happens to its data".to_owned(),
    };
    let keep = deleted.map(ResourceExt::name_any);
    let ending = |says| Some(Ending { says, keep: keep.clone() });
    match (claim, volume) {
        (Reading::Absent, _) => {
            ending(format!("pvc/{name} does not exist any more: a new pod gets an empty one, or none"))
        }
        (Reading::Present(claim), _) if claim.metadata.deletion_timestamp.is_some() => {
            ending(format!("pvc/{name} is Terminating and disappears when no pod uses it: {fate}"))
        }
        (_, Reading::Present(volume)) if volume.metadata.deletion_timestamp.is_some() => {
            ending(format!("pv/{} under pvc/{name} is Terminating and disappears with its claim", volume.name_any()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn claim(deleted: &Value) -> Reading<PersistentVolumeClaim> {
        Reading::Present(
            serde_json::from_value(json!({ "metadata": { "name": "data-0", "deletionTimestamp": deleted } })).unwrap(),
        )
    }

    fn volume(policy: &str, deleted: &Value) -> Reading<PersistentVolume> {
        let metadata = json!({ "name": "pv-7", "deletionTimestamp": deleted });
        let volume = json!({ "metadata": metadata, "spec": { "persistentVolumeReclaimPolicy": policy } });
        Reading::Present(serde_json::from_value(volume).unwrap())
    }

    #[test]
    fn what_is_terminating_goes_with_the_pod_and_its_data_as_the_policy_says() {
        let (gone, stays) = (json!("2026-11-28T00:00:00Z"), Value::Null);
        let unread = || Reading::<PersistentVolume>::NotAsked;
        let ends = |claim: Reading<PersistentVolumeClaim>, volume: Reading<PersistentVolume>, says: &str, keep| {
            let ending = of("data-0", &claim, &volume).unwrap();
            assert!(ending.says.contains(says), "no {says:?} in {ending:?}");
            assert_eq!(ending.keep.as_deref(), keep, "{ending:?}");
        };
        ends(claim(&gone), volume("Delete", &stays), "the data on pv/pv-7 is deleted", Some("pv-7"));
        ends(claim(&gone), volume("Retain", &stays), "the data stays on pv/pv-7", None);
        ends(claim(&gone), unread(), "it is unknown", None);
        ends(claim(&stays), volume("Delete", &gone), "pv/pv-7 under pvc/data-0 is Terminating", Some("pv-7"));
        ends(claim(&stays), volume("Retain", &gone), "pv/pv-7 under pvc/data-0 is Terminating", None);
        ends(Reading::Absent, unread(), "pvc/data-0 does not exist any more", None);
        assert_eq!(of("data-0", &claim(&stays), &volume("Delete", &stays)), None);
        assert_eq!(of("data-0", &claim(&stays), &unread()), None);
    }
}
