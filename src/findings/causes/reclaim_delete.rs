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
        let deleted = claims::bound(observed).filter(|(_, volume)| {
            claims::reclaim_policy(volume) == Some("Delete") && volume.meta().deletion_timestamp.is_none()
        });
        let finding = deleted.map(|(member, volume)| Finding {
            cause: &CAUSE,
            weight: Weight::Info,
            app: names::POSTGRES,
            object: claims::reference(volume),
            says: format!(
                "has reclaim policy Delete: who deletes the claim {} deletes the data too",
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
