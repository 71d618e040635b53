//! Whether the files of a member can be deleted, and by which way. Judged before anything is deleted.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::{Resource, ResourceExt};

use crate::exchange::marks::is_ours;
use crate::observe::{Member, Reading, Reason};

/// How the files are reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reach<'a> {
    /// There are none, or they go by themselves.
    Nothing,
    /// By the claim, which is bound.
    Bound,
    /// No pod can mount them as it is: the volume needs a claim of its own again, and may have to be created again too.
    Again(&'a PersistentVolume),
    /// Not at all.
    Out(Why),
}

/// Why no pod can mount the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The volume, which the cluster made, goes with its claim, and was not emptied by an earlier run of this program.
    VolumeGoes,
    /// The claim goes, and the volume cannot be read: it may stay, and it may go too.
    Unread,
    /// The claim is gone, and no volume can be read: there may be one, or none.
    Unseen,
    /// A claim of someone else has the name for which the volume is reserved.
    NameTaken,
    /// The volume is reserved for another claim.
    Reserved,
}

/// The way to the files of a member. It matters whether the server still runs, or would: a run of this program deletes a
/// volume only when nothing does.
pub fn judge<'a>(member: &'a Member, namespace: &str, runs: bool) -> Reach<'a> {
    match member.claim.present() {
        Some(claim) if !is_ours(claim.meta()) => without_claim(member, namespace, true, runs),
        None => without_claim(member, namespace, false, runs),
        Some(claim) if goes(claim) => going(member, claim, namespace, runs),
        Some(claim) => match claim.status.as_ref().and_then(|status| status.phase.as_deref()) {
            Some("Bound") => Reach::Bound,
            Some("Lost") => Reach::Nothing,
            _ => pending(member, claim, namespace),
        },
    }
}

fn goes<K: Resource>(object: &K) -> bool {
    object.meta().deletion_timestamp.is_some()
}

fn going<'a>(member: &'a Member, claim: &PersistentVolumeClaim, namespace: &str, runs: bool) -> Reach<'a> {
    let was_bound = claim.spec.as_ref().is_some_and(|spec| spec.volume_name.is_some());
    match &member.volume {
        // It is created again when it is gone. Of one that the cluster made, it is the cluster that knows how.
        Reading::Present(volume) if goes(volume) && runs && is_ours(volume.meta()) => again(volume, member, namespace),
        Reading::Present(volume) if goes(volume) && runs => Reach::Out(Why::VolumeGoes),
        // What emptied it has deleted it then.
        Reading::Present(volume) if goes(volume) || is_deleted_with_claim(volume) || !was_bound => Reach::Nothing,
        Reading::Present(volume) => again(volume, member, namespace),
        Reading::Unknown(_) | Reading::NotAsked if was_bound => Reach::Out(Why::Unread),
        Reading::Absent | Reading::Unknown(_) | Reading::NotAsked => Reach::Nothing,
    }
}

/// A claim that waits has no files. Its volume may have those of an earlier one.
fn pending<'a>(member: &'a Member, claim: &PersistentVolumeClaim, namespace: &str) -> Reach<'a> {
    let names =
        |volume: &&PersistentVolume| claim.spec.as_ref().is_some_and(|spec| spec.volume_name == volume.metadata.name);
    match member.volume.present().filter(names) {
        Some(volume) if !goes(volume) && is_ours(volume.meta()) => again(volume, member, namespace),
        _ => Reach::Nothing,
    }
}

fn without_claim<'a>(member: &'a Member, namespace: &str, is_taken: bool, runs: bool) -> Reach<'a> {
    match &member.volume {
        Reading::Present(volume) if goes(volume) || !is_ours(volume.meta()) => Reach::Nothing,
        Reading::Present(_) if is_taken => Reach::Out(Why::NameTaken),
        Reading::Present(volume) => again(volume, member, namespace),
        Reading::Unknown(_) if runs && !is_taken => Reach::Out(Why::Unseen),
        Reading::Absent | Reading::Unknown(_) | Reading::NotAsked => Reach::Nothing,
    }
}

fn again<'a>(volume: &'a PersistentVolume, member: &Member, namespace: &str) -> Reach<'a> {
    let claim = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref());
    let is = |field: &Option<String>, wanted: &str| field.as_deref().is_none_or(|field| field == wanted);
    match claim {
        Some(claim) if !is(&claim.namespace, namespace) || !is(&claim.name, &member.claim_name) => {
            Reach::Out(Why::Reserved)
        }
        _ => Reach::Again(volume),
    }
}

/// Whether the cluster deletes the volume, and the files, when the claim is gone. It cannot for the lesson's own volume,
/// which no provisioner has made.
pub fn is_deleted_with_claim(volume: &PersistentVolume) -> bool {
    let policy = volume.spec.as_ref().and_then(|spec| spec.persistent_volume_reclaim_policy.as_deref());
    policy == Some("Delete") && !is_ours(volume.meta())
}

/// The name of a member's volume, as far as it is known.
pub fn volume(member: &Member) -> Option<String> {
    let read = member.volume.present().map(ResourceExt::name_any);
    read.or_else(|| member.volume_name().map(str::to_owned))
}

impl Why {
    /// What happens to the files, which are in this place, and why.
    pub fn says(self, member: &Member, place: &str) -> String {
        let claim = member.claim_reference();
        let volume = format!("persistentvolume/{}", volume(member).unwrap_or_default());
        let why = match self {
            Self::Unseen => {
                return format!(
                    "{claim} does not exist, and {}: if one still has the files of this claim, they are not deleted",
                    unread(member, "volumes")
                );
            }
            Self::VolumeGoes => {
                format!("{claim} and {volume} are both being deleted already, so no other pod can mount them")
            }
            Self::Unread => format!(
                "{claim} is being deleted already, and {}: they stay if its reclaim policy is Retain",
                unread(member, &volume)
            ),
            Self::NameTaken => format!("{volume} is reserved for {claim}, but that belongs to someone else"),
            Self::Reserved => format!("{volume} is reserved for another claim"),
        };
        format!("the files {place} are not deleted: {why}")
    }
}

/// Why a volume is not known.
fn unread(member: &Member, what: &str) -> String {
    match &member.volume {
        Reading::Unknown(Reason::Failed(why)) => format!("{what} could not be read ({why})"),
        _ => format!("you may not read {what}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::exchange::names;

    fn claim(phase: &str) -> Value {
        json!({ "metadata": { "name": "postgres-pvc", "labels": { "app.kubernetes.io/part-of": "kubecoin" } },
                "spec": { "volumeName": "pv" }, "status": { "phase": phase } })
    }

    fn volume(phase: &str) -> Value {
        json!({ "metadata": { "name": "pv", "labels": { "app.kubernetes.io/part-of": "kubecoin" } },
                "spec": { "persistentVolumeReclaimPolicy": "Retain",
                          "claimRef": { "namespace": "alice", "name": "postgres-pvc", "uid": "1" } },
                "status": { "phase": phase } })
    }

    fn made(phase: &str, policy: &str) -> Value {
        let mut volume = volume(phase);
        volume["metadata"]["labels"] = Value::Null;
        volume["spec"]["persistentVolumeReclaimPolicy"] = policy.into();
        volume
    }

    fn ending(mut object: Value) -> Value {
        object["metadata"]["deletionTimestamp"] = "2026-11-24T02:00:00Z".into();
        object
    }

    fn forbidden<T>() -> Reading<T> {
        Reading::Unknown(Reason::Forbidden("no".to_owned()))
    }

    fn way_of(member: &Member, runs: bool) -> String {
        match judge(member, "alice", runs) {
            Reach::Again(volume) => format!("Again({})", volume.name_any()),
            other => format!("{other:?}"),
        }
    }

    /// Null is one that is not there.
    fn way(claim: Value, volume: Value, runs: bool) -> String {
        let reading = |object: Value| if object.is_null() { Reading::Absent } else { Reading::Present(object) };
        let claim = reading(claim).map(|claim| serde_json::from_value(claim.clone()).unwrap());
        let volume = reading(volume).map(|volume| serde_json::from_value(volume.clone()).unwrap());
        way_of(&Member { claim, volume, ..Member::new(names::MEMBER) }, runs)
    }

    #[test]
    fn a_claim_that_is_bound_leads_to_the_files_and_a_lost_one_has_none() {
        assert_eq!(way(claim("Bound"), volume("Bound"), true), "Bound");
        // An earlier run was stopped between the volume and the claim.
        assert_eq!(way(claim("Bound"), ending(volume("Bound")), false), "Bound");
        assert_eq!(way(claim("Lost"), Value::Null, true), "Nothing");
    }

    #[test]
    fn a_volume_without_its_claim_gets_one_again() {
        for phase in ["Released", "Failed", "Available", "Bound"] {
            assert_eq!(way(Value::Null, volume(phase), false), "Again(pv)", "{phase}");
        }
        assert_eq!(way(claim("Pending"), volume("Released"), true), "Again(pv)");
        assert_eq!(way(ending(claim("Bound")), volume("Bound"), true), "Again(pv)");
        assert_eq!(way(ending(claim("Bound")), made("Bound", "Retain"), true), "Again(pv)");
        // The volume is being deleted too.
        assert_eq!(way(ending(claim("Bound")), ending(volume("Bound")), true), "Again(pv)");
    }

    #[test]
    fn what_goes_by_itself_is_left_alone() {
        assert_eq!(way(ending(claim("Bound")), made("Bound", "Delete"), true), "Nothing");
        assert_eq!(way(ending(claim("Bound")), ending(volume("Bound")), false), "Nothing");
        assert_eq!(way(Value::Null, ending(volume("Released")), false), "Nothing");
        assert_eq!(way(Value::Null, made("Released", "Retain"), false), "Nothing");
        assert_eq!(way(Value::Null, Value::Null, true), "Nothing");
        let mut waiting = claim("Pending");
        waiting["spec"] = json!({});
        assert_eq!(way(waiting.clone(), volume("Released"), true), "Nothing");
        assert_eq!(way(ending(waiting), volume("Released"), true), "Nothing");
    }

    #[test]
    fn what_cannot_be_reached_is_known_before() {
        assert_eq!(way(ending(claim("Bound")), ending(made("Bound", "Retain")), true), "Out(VolumeGoes)");
        let mut foreign = claim("Pending");
        foreign["metadata"]["labels"] = Value::Null;
        assert_eq!(way(foreign, volume("Released"), true), "Out(NameTaken)");
        let mut reserved = volume("Released");
        reserved["spec"]["claimRef"]["name"] = "another".into();
        assert_eq!(way(Value::Null, reserved, true), "Out(Reserved)");

        let claim: PersistentVolumeClaim = serde_json::from_value(ending(claim("Bound"))).unwrap();
        let member = |claim| Member { claim, volume: forbidden(), ..Member::new(names::MEMBER) };
        assert_eq!(way_of(&member(Reading::Present(claim)), true), "Out(Unread)");
        assert_eq!(way_of(&member(Reading::Absent), true), "Out(Unseen)");
        // After the end of it all, nothing is missing.
        assert_eq!(way_of(&member(Reading::Absent), false), "Nothing");
    }
}
