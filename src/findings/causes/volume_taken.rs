use kube::ResourceExt;

use super::claim_unbound;
use crate::exchange::names;
use crate::findings::claims::{self, Owner, Unbound};
use crate::findings::{Cause, Finding, Need, Observed};

/// The volume that a claim names is for a claim of another namespace.
pub static CAUSE: Cause = Cause {
    id: "KC014",
    slug: "volume-taken",
    title: "The volume belongs to a claim of another namespace",
    text: include_str!("volume_taken.md"),
    explains: &[&claim_unbound::CAUSE],
    needs: &[Need::Events(claims::not_bound_objects)],
    mend: None,
    judge: |observed| claims::unbound(observed).filter_map(|claim| taken(observed, claim)).collect(),
};

fn taken(observed: &Observed, claim: Unbound) -> Option<Finding> {
    let volume = claim.named_volume()?;
    let Owner::Other(owner) = claims::owner(observed, claim.member, volume) else { return None };
    let namespace = owner.namespace.as_deref().filter(|namespace| *namespace != observed.namespace)?;
    let (name, other) = (volume.name_any(), owner.name.as_deref().unwrap_or_default());
    let says = format!("names {}, which is for the claim {other} of namespace {namespace}", claims::reference(volume));
    let look = observed.by_hand.kubectl_of_cluster(["describe", "persistentvolume", &name]).to("see whose it is");
    // `deploy` creates a volume of another name, except where this is its name.
    let hint = if name == names::volume(observed.namespace) {
        look
    } else {
        let kept = claim.member.set_aside.present().and_then(claims::volume_phase) == Some("Released");
        let deploy = if kept {
            observed
                .by_hand
                .own("deploy --reuse-volume")
                .to("create it again, with the data of the volume that is there")
        } else {
            observed.by_hand.own("deploy").to("create it again, with a volume of its own")
        };
        claim.delete(observed).and(deploy)
    };
    Some(claim.finding(&CAUSE, says, hint))
}
