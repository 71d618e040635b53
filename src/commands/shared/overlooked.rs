//! A claim that waits for a volume that is there: it is to be looked at again.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use serde_json::json;

use crate::kubernetes::Object;
use crate::kubernetes::act::Patch;
use crate::observe::{Member, Snapshot};

/// When a claim was last touched to be looked at again.
const TOUCHED: &str = "kubectl-kubecoin/touched-at";

/// Touches a claim that waits already: left alone, the cluster looks at it again only after some 15 s.
pub fn touch(claim: &PersistentVolumeClaim) -> anyhow::Result<Patch> {
    let body = json!({ "metadata": { "annotations": { TOUCHED: Timestamp::now().to_string() } } });
    Ok(Patch { object: Object { body, ..Object::of(claim)? } })
}

/// A claim that waits for its static volume though that is there and free. The cluster looks at claims and at volumes
/// apart from each other: at this one it has looked before it knew the volume, and in vain.
#[must_use]
pub fn find(snapshot: &Snapshot) -> Option<&PersistentVolumeClaim> {
    snapshot.members.iter().find_map(of_member)
}

fn of_member(member: &Member) -> Option<&PersistentVolumeClaim> {
    let (claim, volume) = (member.claim.present()?, member.volume.present()?);
    let spec = claim.spec.as_ref()?;
    let phase = claim.status.as_ref().and_then(|status| status.phase.as_deref());
    let volume_phase = volume.status.as_ref().and_then(|status| status.phase.as_deref());
    let names_it = spec.volume_name.is_some() && spec.volume_name == volume.metadata.name;
    let is_static = spec.storage_class_name.as_deref() == Some("") && names_it;
    let waits = matches!(phase, None | Some("Pending"));
    let is_free = matches!(volume_phase, None | Some("Pending" | "Available"));
    (is_static && waits && is_free).then_some(claim)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::exchange::names;
    use crate::observe::Reading;

    fn is_overlooked(claim: &Value, volume: &Value) -> bool {
        let of = |value: &Value| serde_json::from_value(value.clone()).unwrap();
        let volume = serde_json::from_value(volume.clone()).unwrap();
        let (claim, volume) = (Reading::Present(of(claim)), Reading::Present(volume));
        of_member(&Member { claim, volume, ..Member::new(names::MEMBERS[0]) }).is_some()
    }

    #[test]
    fn only_a_static_claim_that_waits_for_a_free_volume_is_overlooked() {
        let claim = json!({ "spec": { "storageClassName": "", "volumeName": "pv" }, "status": { "phase": "Pending" } });
        let volume = json!({ "metadata": { "name": "pv" }, "status": { "phase": "Available" } });
        assert!(is_overlooked(&claim, &volume));
        for (path, value) in [
            ("/spec/storageClassName", json!("fast")),
            ("/spec/storageClassName", Value::Null),
            ("/spec/volumeName", json!("another")),
            ("/status/phase", json!("Bound")),
        ] {
            let mut other = claim.clone();
            *other.pointer_mut(path).unwrap() = value;
            assert!(!is_overlooked(&other, &volume), "{other}");
        }
        for phase in ["Released", "Bound", "Failed"] {
            let mut other = volume.clone();
            other["status"]["phase"] = phase.into();
            assert!(!is_overlooked(&claim, &other), "{other}");
        }
    }
}
