use jiff::SignedDuration;
use kube::ResourceExt;

use super::claim_unbound;
use crate::exchange::marks::is_default;
use crate::findings::claims::{self, Unbound};
use crate::findings::{Cause, Finding, Need, Observed};

/// How long a claim may wait for a volume that is there already, of whatever class.
const MOMENT: SignedDuration = SignedDuration::from_secs(30);

/// As many classes as are named.
const NAMED: usize = 5;

/// The class of a claim is not there, or it waits for a default one and there is none.
pub static CAUSE: Cause = Cause {
    id: "KC011",
    slug: "class-missing",
    title: "The StorageClass of a claim does not exist",
    text: include_str!("class_missing.md"),
    explains: &[&claim_unbound::CAUSE],
    needs: &[Need::Events(claims::not_bound_objects), Need::Classes],
    mend: None,
    judge: |observed| claims::unbound(observed).filter_map(|claim| missing(observed, claim)).collect(),
};

fn missing(observed: &Observed, claim: Unbound) -> Option<Finding> {
    // Nothing is created for a claim that names its volume.
    if claim.member.volume_name().is_some() {
        return None;
    }
    let by_hand = observed.by_hand;
    let classes = observed.details.classes.present();
    let (is_missing, what) = match claim.class() {
        // Without a class on purpose: it waits for a volume that somebody creates.
        Some("") => return None,
        Some(wanted) => (
            classes.map(|all| !all.iter().any(|class| class.name_any() == wanted)),
            format!("asks for StorageClass {wanted:?}, which does not exist"),
        ),
        None => (
            classes.map(|all| !all.iter().any(is_default)),
            "names no StorageClass, and the cluster has no default one".to_owned(),
        ),
    };
    // What is there now weighs more than what was said before.
    let is_missing = match is_missing {
        Some(is_missing) => is_missing && (is_said(observed, claim) || waits_long(observed, claim)),
        None => is_said(observed, claim),
    };
    if !is_missing {
        return None;
    }
    let names: Vec<String> = classes.into_iter().flatten().take(NAMED).map(ResourceExt::name_any).collect();
    let others = if classes.is_some_and(Vec::is_empty) {
        "; the cluster has no StorageClass at all".to_owned()
    } else if names.is_empty() {
        String::new()
    } else {
        format!("; the cluster has: {}", names.join(", "))
    };
    let look = by_hand.kubectl_of_cluster("get storageclasses").to("list the StorageClasses");
    // The templates of a set cannot be changed.
    if observed.snapshot.target.is_some() {
        let hint = look.and("create the class, or delete the StatefulSet and create it again with one that exists");
        return Some(claim.finding(&CAUSE, what + &others, hint));
    }
    // Nor can those of a replicated database; a claim that never had a volume has no rows.
    if observed.snapshot.is_replicated() {
        let again = if classes.is_some_and(Vec::is_empty) {
            by_hand.own("deploy --ha --storage static")
        } else {
            by_hand.own("deploy --ha --storage-class NAME")
        };
        let stop = by_hand.own("teardown").to("stop the exchange");
        let hint =
            look.and(stop).and(claim.delete(observed)).and(again.to("create all again with storage that exists"));
        return Some(claim.finding(&CAUSE, what + &others, hint));
    }
    let again = if claim.member.released_volume().is_some() {
        by_hand.own("deploy --reuse-volume").to("create it again, with the data of the volume that is there")
    } else if classes.is_some_and(Vec::is_empty) {
        by_hand.own("deploy --storage static").to("create it again with one that exists")
    } else {
        by_hand.own("deploy --storage-class NAME").to("create it again with one that exists")
    };
    let hint = look.and(claim.delete(observed)).and(again);
    Some(claim.finding(&CAUSE, what + &others, hint))
}

/// Whether the cluster has said so.
fn is_said(observed: &Observed, claim: Unbound) -> bool {
    let Some(event) = observed.details.newest(claim.claim, &["ProvisioningFailed", "FailedBinding"]) else {
        return false;
    };
    match claim.class() {
        Some(wanted) => {
            event.message.contains("storageclass")
                && event.message.contains(&format!("\"{wanted}\""))
                && event.message.contains("not found")
        }
        None => event.message.contains("no storage class is set"),
    }
}

/// Whether it would be bound by now to a volume that is there already.
fn waits_long(observed: &Observed, claim: Unbound) -> bool {
    let created = claim.claim.metadata.creation_timestamp.as_ref();
    created.is_some_and(|created| observed.now.duration_since(created.0) > MOMENT)
}
