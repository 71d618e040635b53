//! A volume that an earlier claim has left behind with its data.

use k8s_openapi::api::core::v1::PersistentVolume;
use serde_json::json;

use crate::kubernetes::Object;
use crate::kubernetes::act::Patch;

/// The UID of the claim that the volume was bound to.
#[must_use]
pub fn claim(volume: &PersistentVolume) -> Option<&str> {
    volume.spec.as_ref()?.claim_ref.as_ref()?.uid.as_deref()
}

/// Makes the volume forget which claim it was bound to; for whom it is reserved stays. Holds only for the version of the
/// volume that was read.
///
/// # Errors
/// If the volume has no form in JSON, which is a mistake of this program.
pub fn forget_claim(volume: &PersistentVolume) -> anyhow::Result<Patch> {
    let body = json!({
        "metadata": { "resourceVersion": volume.metadata.resource_version },
        "spec": { "claimRef": { "uid": null, "resourceVersion": null } },
    });
    Ok(Patch { object: Object { body, ..Object::of(volume)? } })
}
