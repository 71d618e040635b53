use kube::ResourceExt;

use crate::exchange::names;
use crate::findings::{Cause, Finding, Weight};
use crate::observe::readiness;

/// The primary works alone: an acknowledged row may be on its volume only.
pub static CAUSE: Cause = Cause {
    id: "KC087",
    slug: "no-synchronous-standby",
    title: "Acknowledged rows are on one volume only",
    text: include_str!("no_synchronous_standby.md"),
    explains: &[],
    needs: &[],
    mend: None,
    judge: |observed| {
        let snapshot = observed.snapshot;
        let Some(primary) = snapshot.primary().filter(|pod| snapshot.is_replicated() && readiness::pod(pod)) else {
            return vec![];
        };
        // What could not be read is not held against it.
        if snapshot.replication.present().is_none_or(|replication| !replication.synchronous.is_empty()) {
            return vec![];
        }
        vec![Finding {
            cause: &CAUSE,
            weight: Weight::Warning,
            app: names::POSTGRES,
            object: format!("pod/{}", primary.name_any()),
            says: "has no synchronous standby: a row that is acknowledged now is on its volume only".to_owned(),
            hint: observed.by_hand.kubectl("get pods -l app=postgres -L role").to("see which members are missing"),
        }]
    },
};
