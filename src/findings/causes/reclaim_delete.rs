use kube::{Resource, ResourceExt};

use crate::exchange::names;
use crate::findings::{Cause, Finding, Weight, claims};
use crate::persistence::ending;

/// The data is deleted with the claim.
pub static CAUSE: Cause = Cause {
    id: "KC017",
    slug: "reclaim-delete",
    title: "The data would be deleted with its claim",
    text: include_str!("reclaim_delete.md"),
    explains: &[],
    needs: &[],
    mend: None,
    judge: |observed| {
        let deleted = claims::bound(observed).filter_map(|(member, volume)| {
            let policy = claims::reclaim_policy(volume).filter(|policy| ["Delete", "Recycle"].contains(policy))?;
            volume.meta().deletion_timestamp.is_none().then_some((member, volume, policy))
        });
        let finding = deleted.map(|(member, volume, policy)| Finding {
            cause: &CAUSE,
            // `deploy` has applied the lesson's volume with Retain.
            weight: if volume.name_any() == names::volume(observed.namespace) { Weight::Warning } else { Weight::Info },
            app: names::POSTGRES,
            object: claims::reference(volume),
            says: format!(
                "has reclaim policy {policy}: who deletes the claim {} deletes the data too",
                member.claim_name
            ),
            hint: observed
                .by_hand
                .kubectl_of_cluster(["patch", "persistentvolume", &volume.name_any(), "-p", ending::RETAIN])
                .to("keep the volume when its claim is deleted"),
        });
        finding.collect()
    },
};
