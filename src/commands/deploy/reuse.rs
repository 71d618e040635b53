//! A volume that an earlier claim has left behind, offered again with its data.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use serde_json::json;

use crate::kubernetes::Object;
use crate::kubernetes::act::Patch;

/// When a claim was last touched to be looked at again.
const TOUCHED: &str = "kubectl-kubecoin/touched-at";

/// The UID of the claim that the volume was bound to.
#[must_use]
pub fn claim(volume: &PersistentVolume) -> Option<&str> {
    volume.spec.as_ref()?.claim_ref.as_ref()?.uid.as_deref()
}

/// Makes the volume forget which claim it was bound to; for whom it is reserved stays. Holds only for the version of the
/// volume that was read.
pub fn offer(volume: &PersistentVolume) -> anyhow::Result<Patch> {
    let body = json!({
        "metadata": { "resourceVersion": volume.metadata.resource_version },
        "spec": { "claimRef": { "uid": null, "resourceVersion": null } },
    });
    Ok(Patch { object: Object { body, ..Object::of(volume)? } })
}

/// Touches a claim that waits already: left alone, the cluster looks at it again only after some 15 s.
pub fn touch(claim: &PersistentVolumeClaim) -> anyhow::Result<Patch> {
    let body = json!({ "metadata": { "annotations": { TOUCHED: Timestamp::now().to_string() } } });
    Ok(Patch { object: Object { body, ..Object::of(claim)? } })
}
