use super::{backend_unreachable, database_unreachable, not_ready, page_unreachable, starting, unschedulable};
use crate::exchange::names;
use crate::findings::{Cause, Finding, Need, Observed, Weight, claims};
use crate::observe::Member;

/// A claim has no volume, whatever the reason.
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
    needs: &[Need::Events(claims::not_bound_objects)],
    mend: None,
    judge: |observed| observed.snapshot.members.iter().filter_map(|member| unbound(observed, member)).collect(),
};

fn unbound(observed: &Observed, member: &Member) -> Option<Finding> {
    let claim = member.claim.present()?;
    let phase = claims::phase(claim);
    if phase == "Bound" {
        return None;
    }
    let event = observed.details.newest(
        claim,
        &["ProvisioningFailed", "FailedBinding", "ClaimMisbound", "VolumeMismatch", "WaitForFirstConsumer"],
    );
    let (weight, why) = match event {
        Some(event) if event.reason == "WaitForFirstConsumer" => (Weight::NotYet, event.message.clone()),
        Some(event) => (Weight::Problem, event.message.clone()),
        None => (Weight::NotYet, "it has no volume yet".to_owned()),
    };
    Some(Finding {
        cause: &CAUSE,
        weight,
        app: names::POSTGRES,
        object: member.claim_reference(),
        says: format!("is {phase}: {why}"),
        hint: observed.by_hand.kubectl(["describe", "pvc", &member.claim_name]).to("see why"),
    })
}
