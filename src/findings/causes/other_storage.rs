use k8s_openapi::api::core::v1::PersistentVolume;
use kube::ResourceExt;

use super::{reclaim_delete, terminating};
use crate::exchange::names;
use crate::findings::claims::{self, Owner};
use crate::findings::{Cause, Finding, Observed, Weight};
use crate::kubernetes::adopt;
use crate::observe::Member;

/// The claim of the lesson's volume is bound to another one: that of a `StorageClass`.
///
/// It is a warning, for the database works: only its data is not where the lesson's volume says, and lasts as long as the other
/// volume does.
pub static CAUSE: Cause = Cause {
    id: "KC016",
    slug: "other-storage",
    title: "The claim is bound to another volume than the lesson's",
    text: include_str!("other_storage.md"),
    explains: &[&reclaim_delete::CAUSE],
    needs: &[],
    mend: None,
    judge: |observed| claims::bound(observed).filter_map(|(member, volume)| other(observed, member, volume)).collect(),
};

fn other(observed: &Observed, member: &Member, volume: &PersistentVolume) -> Option<Finding> {
    let lessons = member.set_aside.present()?;
    let waits =
        claims::volume_phase(lessons) == Some("Available") && claims::owner(observed, member, lessons) == Owner::This;
    // What `deploy` applies either names the lesson's volume, or is for another one on purpose.
    let by_deploy = member.claim.present().is_some_and(|claim| adopt::own(&claim.metadata).is_some());
    if !waits || by_deploy {
        return None;
    }
    let class = volume.spec.as_ref().and_then(|spec| spec.storage_class_name.as_deref()).unwrap_or_default();
    let of_class = if class.is_empty() { String::new() } else { format!(" (StorageClass {class:?})") };
    let keep = (claims::reclaim_policy(volume) == Some("Delete")).then(|| volume.name_any());
    Some(Finding {
        cause: &CAUSE,
        weight: Weight::Warning,
        app: names::POSTGRES,
        object: member.claim_reference(),
        says: format!(
            "is bound to {}{of_class}, while {}, which is for this claim, is not used",
            claims::reference(volume),
            lessons.name_any()
        ),
        hint: terminating::rescue(observed.by_hand, &member.pod, keep.as_deref())
            .and(observed.by_hand.own(["explain", CAUSE.id]).to("read how to move it")),
    })
}
