//! The mends that `deploy` runs by itself while it waits: what it was asked for cannot come without them, or only later.

use std::time::Duration;

use kube::{Resource, ResourceExt};

use super::causes::{claim_overlooked, stuck_revision};
use super::finding::{Cause, Finding, Observed};
use super::mend::Mend;
use super::{diagnose, found};
use crate::observe::Snapshot;

/// A cause whose mend needs no question.
struct Unasked {
    cause: &'static Cause,
    /// How long it may pass by itself first.
    after: Duration,
    /// What is done.
    done: &'static str,
}

/// All of them. To add one, name it here: its mend must be found in the objects alone, and cost no data.
static ALL: &[Unasked] = &[
    Unasked { cause: &stuck_revision::CAUSE, after: Duration::ZERO, done: "it is deleted" },
    Unasked {
        cause: &claim_overlooked::CAUSE,
        // A claim and a volume that are both there are bound within milliseconds, or in the next round, 15 s later.
        after: Duration::from_secs(1),
        done: "it is updated, so that the cluster checks it again",
    },
];

/// A mend that is due.
pub struct Due {
    pub finding: Finding,
    pub mend: Mend,
    /// What is done.
    pub done: &'static str,
    /// The UID of the object that it is for: each is mended once.
    pub uid: String,
}

/// The mends that are due after a wait as long as this. What another cause brings about is not mended.
#[must_use]
pub fn due(observed: &Observed, waited: Duration) -> Vec<Due> {
    let firsts = diagnose(&found(observed, super::ALL)).into_iter().map(|diagnosis| diagnosis.finding);
    firsts
        .filter_map(|finding| {
            let one = ALL.iter().find(|one| *one.cause == *finding.cause && waited >= one.after)?;
            let (mend, uid) = (finding.mend(observed)?, uid(observed.snapshot, &finding.object)?);
            Some(Due { finding, mend, done: one.done, uid })
        })
        .collect()
}

/// The UID of an object, by the name that kubectl has for it.
fn uid(snapshot: &Snapshot, reference: &str) -> Option<String> {
    let (kind, name) = reference.split_once('/')?;
    match kind {
        "pod" => snapshot.pods.present()?.iter().find(|pod| pod.name_any() == name)?.uid(),
        "persistentvolumeclaim" => snapshot.claims().find(|claim| claim.name_any() == name)?.meta().uid.clone(),
        _ => None,
    }
}
