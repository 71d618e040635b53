use super::{claim_unbound, terminating};
use crate::exchange::names;
use crate::findings::{Cause, Finding, Need, Observed, Weight, claims};
use crate::observe::{Member, Reading, readiness};
use crate::text::Hint;

/// A claim had a volume, and that is gone or another claim's.
pub static CAUSE: Cause = Cause {
    id: "KC015",
    slug: "claim-lost",
    title: "A claim has lost its volume",
    text: include_str!("claim_lost.md"),
    explains: &[&claim_unbound::CAUSE],
    needs: &[Need::Events(claims::not_bound_objects)],
    mend: None,
    judge: |observed| observed.snapshot.members.iter().filter_map(|member| lost(observed, member)).collect(),
};

fn lost(observed: &Observed, member: &Member) -> Option<Finding> {
    if claims::phase(member.claim.present()?) != "Lost" {
        return None;
    }
    let says = match (member.volume_name(), &member.volume) {
        (None, _) => "is Lost: it does not name its volume any more".to_owned(),
        (Some(volume), Reading::Absent) => format!(
            "is Lost: its volume {volume} does not exist any more; if that was a directory on a node, the files may still be there"
        ),
        (Some(volume), Reading::Present(_)) => {
            format!("is Lost: its volume {volume} is not bound to it any more; the data is still on that volume")
        }
        (Some(volume), _) => format!("is Lost: its volume {volume} was deleted, or is another claim's now"),
    };
    Some(Finding {
        cause: &CAUSE,
        weight: Weight::Problem,
        app: names::POSTGRES,
        object: member.claim_reference(),
        says,
        hint: hint(observed, member),
    })
}

fn hint(observed: &Observed, member: &Member) -> Hint {
    let by_hand = observed.by_hand;
    let describe = by_hand.kubectl(["describe", "pvc", &member.claim_name]).to("see what happened");
    // A server that runs still has all files open: they are saved before anything else.
    let runs = observed.snapshot.pod_of(member).is_some_and(readiness::pod);
    let is_lessons = member.volume_name() == Some(&names::volume(observed.namespace));
    let again = match &member.volume {
        Reading::Absent if is_lessons => (by_hand.own("teardown").to("stop the exchange; its files stay"))
            .and(by_hand.kubectl(["delete", "pvc", &member.claim_name]).to("delete the lost claim"))
            .and(by_hand.own("deploy").to("create both again, for the same directory")),
        _ => describe,
    };
    if runs { terminating::saved(observed, &member.pod, None).and(again) } else { again }
}
