use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ObjectReference, PersistentVolume, PersistentVolumeClaimSpec, PersistentVolumeSpec};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::ResourceExt;
use serde_json::json;

use super::{claim_overlooked, claim_unbound};
use crate::exchange::names;
use crate::exchange::settings::quantity;
use crate::findings::claims::{self, Owner, Unbound};
use crate::findings::{Cause, Finding, Need, Observed};
use crate::text::Hint;

/// The volume that a claim waits for is not what the claim asks for.
pub static CAUSE: Cause = Cause {
    id: "KC012",
    slug: "volume-mismatch",
    title: "The volume does not fit the claim",
    text: include_str!("volume_mismatch.md"),
    explains: &[&claim_unbound::CAUSE, &claim_overlooked::CAUSE],
    needs: &[Need::Events(claims::not_bound_objects)],
    mend: None,
    judge: |observed| claims::unbound(observed).filter_map(|claim| mismatch(observed, claim)).collect(),
};

fn mismatch(observed: &Observed, claim: Unbound) -> Option<Finding> {
    // One that has been looked for in vain: where the claim names none, another one may fit.
    let in_vain = || observed.details.newest(claim.claim, &["FailedBinding"]).is_some();
    let volume = match claim.named_volume() {
        Some(volume) => volume,
        None => claim.awaited_volume().filter(|_| in_vain())?,
    };
    let differences = match claims::owner(observed, claim.member, volume) {
        Owner::Other(owner) if owner.namespace.as_deref() == Some(observed.namespace) => {
            return claim.named_volume().map(|volume| reserved(observed, claim, volume, owner));
        }
        Owner::Other(_) | Owner::Earlier => return None,
        // The cluster binds two that name each other, whatever they ask for.
        Owner::This if claim.named_volume().is_some() => return None,
        Owner::This | Owner::Anyone => differences(claim.claim.spec.as_ref()?, volume),
    };
    if differences.is_empty() {
        return None;
    }
    let says = format!("cannot use {}: {}", claims::reference(volume), differences.join("; "));
    let hint = if volume.name_any() == names::volume(observed.namespace) {
        observed.by_hand.own("deploy").to("create it again, so that both fit")
    } else {
        let look = ["describe", "persistentvolume", &volume.name_any()];
        observed.by_hand.kubectl_of_cluster(look).to("create one that asks for what the volume has")
    };
    Some(claim.finding(&CAUSE, says, claim.delete(observed).and(hint)))
}

/// What the claim asks for and the volume does not have, with both.
fn differences(claim: &PersistentVolumeClaimSpec, volume: &PersistentVolume) -> Vec<String> {
    let Some(has) = &volume.spec else { return vec![] };
    // A volume that names the claim may be of any class.
    let class = class(claim, has).filter(|_| has.claim_ref.is_none());
    // Labels are looked at only where neither names the other.
    let labels = labels(claim, volume).filter(|_| has.claim_ref.is_none() && claim.volume_name.is_none());
    [class, size(claim, has), modes(claim, has), mode(claim, has), labels].into_iter().flatten().collect()
}

fn class(claim: &PersistentVolumeClaimSpec, volume: &PersistentVolumeSpec) -> Option<String> {
    let words = |class: &str| if class.is_empty() { "none".to_owned() } else { format!("{class:?}") };
    // Without one, the cluster's default may still be filled in.
    let wanted = claim.storage_class_name.as_deref()?;
    let has = volume.storage_class_name.as_deref().unwrap_or_default();
    (wanted != has).then(|| format!("its StorageClass is {}, that of the volume is {}", words(wanted), words(has)))
}

fn size(claim: &PersistentVolumeClaimSpec, volume: &PersistentVolumeSpec) -> Option<String> {
    let storage = |of: &Option<BTreeMap<String, Quantity>>| of.as_ref()?.get("storage").map(|size| size.0.clone());
    let (wanted, has) = (storage(&claim.resources.as_ref()?.requests)?, storage(&volume.capacity)?);
    (quantity(&wanted)? > quantity(&has)?).then(|| format!("it asks for {wanted}, and the volume has {has}"))
}

fn modes(claim: &PersistentVolumeClaimSpec, volume: &PersistentVolumeSpec) -> Option<String> {
    let (wanted, has) = (claim.access_modes.as_ref()?, volume.access_modes.as_ref()?);
    let lacks = wanted.iter().any(|mode| !has.contains(mode));
    lacks.then(|| format!("it asks for access mode {}, and the volume has {}", wanted.join(","), has.join(",")))
}

fn mode(claim: &PersistentVolumeClaimSpec, volume: &PersistentVolumeSpec) -> Option<String> {
    let or_default = |mode: &Option<String>| mode.clone().unwrap_or_else(|| "Filesystem".to_owned());
    let (wanted, has) = (or_default(&claim.volume_mode), or_default(&volume.volume_mode));
    (wanted != has).then(|| format!("it asks for volume mode {wanted}, and the volume has {has}"))
}

fn labels(claim: &PersistentVolumeClaimSpec, volume: &PersistentVolume) -> Option<String> {
    let wanted = claim.selector.as_ref()?.match_labels.as_ref()?;
    let mut lacking = wanted.iter().filter(|(label, value)| volume.labels().get(*label) != Some(*value));
    lacking.next().map(|(label, value)| format!("its selector asks for the label {label}={value}"))
}

/// The volume is for another claim of the same namespace.
fn reserved(observed: &Observed, claim: Unbound, volume: &PersistentVolume, owner: &ObjectReference) -> Finding {
    let (name, other) = (volume.name_any(), owner.name.as_deref().unwrap_or_default());
    let says = format!("cannot use persistentvolume/{name}: it is for the claim {other} of this namespace");
    // Without a UID, no claim ever had it.
    let hint: Hint = if owner.uid.is_some() {
        observed.by_hand.kubectl("get pvc").to("see which claim has which volume")
    } else {
        let patch = json!({ "spec": { "claimRef": { "name": claim.member.claim_name } } }).to_string();
        let patch = ["patch", "persistentvolume", &name, "-p", &patch];
        observed.by_hand.kubectl_of_cluster(patch).to("no claim has it yet, so reserve it for this one")
    };
    claim.finding(&CAUSE, says, hint)
}
