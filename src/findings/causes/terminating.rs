use kube::{Resource, ResourceExt};

use super::{backend_unreachable, claim_unbound, database_unreachable, not_ready, page_unreachable, reclaim_delete};
use crate::exchange::names;
use crate::findings::{Cause, Finding, Need, Observed, Weight, services};
use crate::kubernetes::ByHand;
use crate::observe::{Member, Reading};
use crate::persistence::ending;
use crate::text::Hint;

/// An object was deleted, and is there only for as long as something holds it.
pub static CAUSE: Cause = Cause {
    id: "KC002",
    slug: "terminating",
    title: "An object is being deleted",
    text: include_str!("terminating.md"),
    explains: &[
        &not_ready::CAUSE,
        &claim_unbound::CAUSE,
        &reclaim_delete::CAUSE,
        &database_unreachable::CAUSE,
        &backend_unreachable::CAUSE,
        &page_unreachable::CAUSE,
    ],
    needs: &[Need::Configuration],
    mend: None,
    judge: |observed| {
        let members = &observed.snapshot.members;
        members.iter().filter_map(|member| storage(observed, member)).chain(others(observed)).collect()
    },
};

/// The claim and the volume of a member, on which its data depends.
fn storage(observed: &Observed, member: &Member) -> Option<Finding> {
    member.claim.present()?;
    let ending = ending::of(&member.claim_name, &member.claim, &member.volume)?;
    let volume = || member.volume.present().map(ResourceExt::name_any).unwrap_or_default();
    // The object is named before.
    let of_object =
        |prefix: &str, name: &str| ending.says.strip_prefix(&format!("{prefix}/{name} ")).map(str::to_owned);
    let says = of_object("pvc", &member.claim_name).or_else(|| of_object("pv", &volume()));
    Some(Finding {
        cause: &CAUSE,
        weight: Weight::Problem,
        app: names::POSTGRES,
        object: if member.is_ending() { member.claim_reference() } else { format!("persistentvolume/{}", volume()) },
        says: says.unwrap_or(ending.says),
        hint: saved(observed, &member.pod, ending.keep.as_deref()),
    })
}

/// What can still be saved. How the data of another set is copied is not known.
pub fn saved(observed: &Observed, pod: &str, keep: Option<&str>) -> Hint {
    if observed.snapshot.target.is_none() {
        return rescue(observed.by_hand, pod, keep);
    }
    let copy = Hint::from("copy the data while the pod runs");
    match keep {
        Some(volume) => kept(observed.by_hand, volume).and(copy),
        None => copy,
    }
}

/// What can still be saved of the exchange: the volume from being deleted with its claim, and a copy of the data.
#[must_use]
pub fn rescue(by_hand: &ByHand, pod: &str, keep: Option<&str>) -> Hint {
    const DUMP: &str = "pg_dump -U postgres kubecoin";
    let dump = by_hand.kubectl(["exec", pod, "--", "sh", "-c", DUMP]).to("save the data with");
    match keep {
        Some(volume) => kept(by_hand, volume).and(dump),
        None => dump,
    }
}

/// Keeps a volume from being deleted with its claim.
fn kept(by_hand: &ByHand, volume: &str) -> Hint {
    by_hand.kubectl_of_cluster(["patch", "persistentvolume", volume, "-p", ending::RETAIN]).to("keep the volume")
}

fn others(observed: &Observed) -> Vec<Finding> {
    let snapshot = observed.snapshot;
    let mut deleted = Vec::new();
    if snapshot.statefulset.present().is_some_and(is_deleted) {
        deleted.push((names::POSTGRES, snapshot.set_reference()));
    }
    for app in names::DEPLOYMENTS {
        if snapshot.deployments.get(app).and_then(Reading::present).is_some_and(is_deleted) {
            deleted.push((app, format!("deployment/{app}")));
        }
    }
    for holder in observed.details.configuration.iter().filter(|it| it.found.present().is_some_and(|it| it.terminating))
    {
        deleted.push((names::POSTGRES, holder.kind.reference(&holder.name)));
    }
    if observed.details.namespace.present().is_some_and(is_deleted) {
        deleted.push(("", format!("namespace/{}", observed.namespace)));
    }
    let services = services::all(snapshot).filter(|(_, _, service)| is_deleted(*service));
    deleted.extend(services.map(|(app, name, _)| (app, format!("service/{name}"))));
    let finding = |(app, object): (&'static str, String)| Finding {
        cause: &CAUSE,
        weight: Weight::Problem,
        app,
        says: "is Terminating: it was deleted, and disappears when nothing uses it".to_owned(),
        hint: observed.by_hand.kubectl(["get", &object, "-o", "yaml"]).to("see which finalizers block it"),
        object,
    };
    deleted.into_iter().map(finding).collect()
}

fn is_deleted(object: &impl Resource) -> bool {
    object.meta().deletion_timestamp.is_some()
}
