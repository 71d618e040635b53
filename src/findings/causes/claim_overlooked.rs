use kube::ResourceExt;

use super::claim_unbound;
use crate::exchange::claim;
use crate::findings::claims::{self, Owner, Unbound};
use crate::findings::{Cause, Finding, Mend, Observed, Weight};

/// A claim waits for its static volume though that is there and free. The cluster looks at claims and at volumes apart from
/// each other: at this one it has looked before it knew the volume, and in vain.
pub static CAUSE: Cause = Cause {
    id: "KC047",
    slug: "claim-overlooked",
    title: "A claim waits though its volume is free",
    text: include_str!("claim_overlooked.md"),
    explains: &[&claim_unbound::CAUSE],
    needs: &[],
    mend: Some(|observed, finding| {
        let mut unbound = claims::unbound(observed);
        let claim = unbound.find(|unbound| unbound.member.claim_reference() == finding.object)?.claim;
        claim::touch(claim).ok().map(Mend::Patch)
    }),
    judge: |observed| claims::unbound(observed).filter_map(|claim| overlooked(observed, claim)).collect(),
};

fn overlooked(observed: &Observed, claim: Unbound) -> Option<Finding> {
    let volume = claim.named_volume().filter(|volume| claim.member.volume_name() == Some(&volume.name_any()))?;
    let is_static = claim.class() == Some("");
    let is_free = matches!(claims::volume_phase(volume), None | Some("Pending" | "Available"))
        && matches!(claims::owner(observed, claim.member, volume), Owner::This | Owner::Anyone);
    if !is_static || !is_free {
        return None;
    }
    let says = format!("is Pending although its {} exists and is free", claims::reference(volume));
    let hint = observed.by_hand.own("status --wait").to("wait: the cluster checks it again every 15 s");
    Some(Finding { weight: Weight::NotYet, ..claim.finding(&CAUSE, says, hint) })
}
