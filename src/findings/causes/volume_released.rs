use kube::ResourceExt;

use super::claim_unbound;
use crate::findings::claims::{self, Owner, Unbound};
use crate::findings::{Cause, Finding, Need, Observed, mends};

/// The patch by which a volume no longer insists on the claim that is gone.
const FREE: &str = r#"[{"op":"remove","path":"/spec/claimRef/uid"}]"#;

/// The volume that a claim waits for still has the data of an earlier claim.
pub static CAUSE: Cause = Cause {
    id: "KC013",
    slug: "volume-released",
    title: "The volume still has the data of a deleted claim",
    text: include_str!("volume_released.md"),
    explains: &[&claim_unbound::CAUSE],
    needs: &[Need::Events(claims::not_bound_objects)],
    mend: Some(|observed, finding| mends::free_volume(observed, &finding.object)),
    judge: |observed| claims::unbound(observed).filter_map(|claim| released(observed, claim)).collect(),
};

fn released(observed: &Observed, claim: Unbound) -> Option<Finding> {
    let volume = claim.awaited_volume()?;
    let is_ours = !matches!(claims::owner(observed, claim.member, volume), Owner::Other(_));
    // With Delete, it is about to go.
    let is_kept = claims::reclaim_policy(volume) != Some("Delete");
    if claims::volume_phase(volume) != Some("Released") || !is_ours || !is_kept {
        return None;
    }
    let says = format!("waits for {}, which is Released: it still has the data of a deleted claim", volume.name_any());
    let by_hand = observed.by_hand;
    let hint = if observed.snapshot.target.is_some() {
        let free = ["patch", "persistentvolume", &volume.name_any(), "--type=json", "-p", FREE];
        by_hand.kubectl_of_cluster(free).to("bind that data to the new claim")
    } else {
        let ha = if observed.snapshot.is_replicated() { "deploy --ha --reuse-volume" } else { "deploy --reuse-volume" };
        by_hand.own(ha).to("bind that data to the new claim")
    };
    Some(claim.finding(&CAUSE, says, hint))
}
