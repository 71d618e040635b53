//! What several causes look at in claims and their volumes.

use k8s_openapi::api::core::v1::{ObjectReference, PersistentVolume, PersistentVolumeClaim};
use kube::core::ObjectMeta;
use kube::{Resource, ResourceExt};

use super::finding::{Cause, Finding, Observed, Weight};
use crate::exchange::names;
use crate::observe::{Member, Snapshot};
use crate::text::Hint;

/// A claim that waits for a volume.
#[derive(Clone, Copy)]
pub struct Unbound<'a> {
    pub member: &'a Member,
    pub claim: &'a PersistentVolumeClaim,
}

/// For which claim a volume is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Owner<'a> {
    /// For none, or for any.
    Anyone,
    /// For this one.
    This,
    /// For an earlier one of the same name.
    Earlier,
    /// For another one, of this namespace or of another.
    Other(&'a ObjectReference),
}

/// The claims that have no volume yet.
pub fn unbound<'a>(observed: &Observed<'a>) -> impl Iterator<Item = Unbound<'a>> {
    let all = observed.snapshot.members.iter().filter_map(|member| Some((member, member.claim.present()?)));
    all.filter(|(_, claim)| phase(claim) == "Pending").map(|(member, claim)| Unbound { member, claim })
}

/// The claims that are not bound, as objects whose events explain them.
pub fn not_bound_objects(snapshot: &Snapshot) -> Vec<&ObjectMeta> {
    snapshot.claims().filter(|claim| phase(claim) != "Bound").map(Resource::meta).collect()
}

/// The claims that are bound to a volume that could be read.
pub fn bound<'a>(observed: &Observed<'a>) -> impl Iterator<Item = (&'a Member, &'a PersistentVolume)> {
    let all = observed.snapshot.members.iter();
    let is_bound = |member: &&Member| member.claim.present().is_some_and(|claim| phase(claim) == "Bound");
    all.filter(is_bound).filter_map(|member| Some((member, member.volume.present()?)))
}

/// Where a claim is in its life. Until the cluster has said so, it waits.
pub fn phase(claim: &PersistentVolumeClaim) -> &str {
    claim.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or("Pending")
}

/// Where a volume is in its life.
pub fn volume_phase(volume: &PersistentVolume) -> Option<&str> {
    volume.status.as_ref()?.phase.as_deref()
}

/// What becomes of a volume when its claim is deleted.
pub fn reclaim_policy(volume: &PersistentVolume) -> Option<&str> {
    volume.spec.as_ref()?.persistent_volume_reclaim_policy.as_deref()
}

/// The volume as kubectl names it.
pub fn reference(volume: &PersistentVolume) -> String {
    format!("persistentvolume/{}", volume.name_any())
}

/// For which claim a volume is, seen from the claim of a member.
pub fn owner<'a>(observed: &Observed, member: &Member, volume: &'a PersistentVolume) -> Owner<'a> {
    let Some(of) = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref()) else { return Owner::Anyone };
    if of.name.as_deref() != Some(&member.claim_name) || of.namespace.as_deref() != Some(observed.namespace) {
        return Owner::Other(of);
    }
    let uid = member.claim.present().and_then(|claim| claim.metadata.uid.as_ref());
    match &of.uid {
        Some(of) if uid.is_some_and(|uid| uid != of) => Owner::Earlier,
        _ => Owner::This,
    }
}

impl<'a> Unbound<'a> {
    /// The class that the claim asks for; none if it leaves that to the cluster.
    pub fn class(self) -> Option<&'a str> {
        self.claim.spec.as_ref()?.storage_class_name.as_deref()
    }

    /// The volume that the claim names.
    pub fn named_volume(self) -> Option<&'a PersistentVolume> {
        self.member.volume_name().and(self.member.volume.present())
    }

    /// The only volume that it waits for, as far as is known: the one that it names, or without a class the lesson's.
    pub fn awaited_volume(self) -> Option<&'a PersistentVolume> {
        let awaits = self.member.volume_name().is_some() || self.class() == Some("");
        self.member.volume.present().filter(|_| awaits)
    }

    /// What does not get better by itself.
    pub fn finding(self, cause: &'static Cause, says: String, hint: Hint) -> Finding {
        let object = self.member.claim_reference();
        Finding { cause, weight: Weight::Problem, app: names::POSTGRES, object, says, hint }
    }

    /// Deletes the claim, whose specification cannot be changed; for what then comes.
    pub fn delete(self, observed: &Observed) -> Hint {
        let delete = observed.by_hand.kubectl(["delete", "pvc", &self.member.claim_name]);
        delete.to("delete the claim, which has no data")
    }
}
