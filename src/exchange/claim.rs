//! A claim that the cluster is to look at again.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use serde_json::json;

use crate::kubernetes::Object;
use crate::kubernetes::act::Patch;

/// At which version of itself a claim was last touched to be looked at again.
const TOUCHED: &str = "kubectl-kubecoin/touched-at-version";

/// Touches a claim that waits already: left alone, the cluster looks at it again only after some 15 s. Of one version of a
/// claim it is always the same act, so what was shown is what is done.
///
/// # Errors
/// If the claim has no form in JSON, which is a mistake of this program.
pub fn touch(claim: &PersistentVolumeClaim) -> anyhow::Result<Patch> {
    let version = claim.metadata.resource_version.as_deref().unwrap_or_default();
    let body = json!({ "metadata": { "annotations": { TOUCHED: version } } });
    Ok(Patch { object: Object { body, ..Object::of(claim)? } })
}
