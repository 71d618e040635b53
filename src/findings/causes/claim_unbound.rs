use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::Resource;
use kube::core::ObjectMeta;

use super::{backend_unreachable, database_unreachable, not_ready, page_unreachable, starting, unschedulable};
use crate::exchange::names;
use crate::findings::{Cause, Finding, Need, Observed, Weight};
use crate::observe::{Member, Snapshot};

/// A claim has no volume.
pub static CAUSE: Cause = Cause {
    id: "KC010",
    slug: "claim-unbound",
    title: "A claim has no volume",
    text: include_str!("claim_unbound.md"),
    explains: &[
        &unschedulable::CAUSE,
        &starting::CAUSE,
        &not_ready::CAUSE,
        &database_unreachable::CAUSE,
        &backend_unreachable::CAUSE,
        &page_unreachable::CAUSE,
    ],
    needs: &[Need::Events(unbound_claims)],
    mend: None,
    judge: |observed| observed.snapshot.members.iter().filter_map(|member| unbound(observed, member)).collect(),
};

fn unbound_claims(snapshot: &Snapshot) -> Vec<&ObjectMeta> {
    snapshot.claims().filter(|claim| phase(claim) != "Bound").map(Resource::meta).collect()
}

fn phase(claim: &PersistentVolumeClaim) -> &str {
    claim.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or("Pending")
}

fn unbound(observed: &Observed, member: &Member) -> Option<Finding> {
    let claim = member.claim.present()?;
    let phase = phase(claim);
    if phase == "Bound" {
        return None;
    }
    let volume = member.volume.present();
    let volume_phase = volume.and_then(|volume| volume.status.as_ref()?.phase.as_deref());
    let volume_name = volume.and_then(|volume| volume.metadata.name.as_deref()).unwrap_or_default();
    let event = observed.details.newest(
        claim,
        &["ProvisioningFailed", "FailedBinding", "ClaimMisbound", "VolumeMismatch", "WaitForFirstConsumer"],
    );
    let describe = observed.by_hand.kubectl(["describe", "pvc", &member.claim_name]).to("see why");
    let (weight, why, hint) = match (volume_phase, event) {
        (Some("Released"), _) => (
            Weight::Problem,
            format!("{volume_name} is Released: it still has the data of a deleted claim"),
            observed.by_hand.own("deploy --reuse-volume").to("bind that data to the new claim"),
        ),
        (_, Some(event)) if event.message.contains("no StorageClass is set") => (
            Weight::Problem,
            event.message.clone(),
            observed
                .by_hand
                .own("deploy --storage-class NAME")
                .to("the cluster has no default StorageClass, so choose one"),
        ),
        (_, Some(event)) if event.reason == "WaitForFirstConsumer" => (Weight::NotYet, event.message.clone(), describe),
        (_, Some(event)) => (Weight::Problem, event.message.clone(), describe),
        _ => (Weight::NotYet, "it has no volume yet".to_owned(), describe),
    };
    Some(Finding {
        cause: &CAUSE,
        weight,
        app: names::POSTGRES,
        object: member.claim_reference(),
        says: format!("is {phase}: {why}"),
        hint,
    })
}
