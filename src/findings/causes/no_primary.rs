use super::{database_unreachable, read_only};
use crate::exchange::{names, patroni};
use crate::findings::{Cause, Finding, Weight};
use crate::observe::readiness;

/// Members of a replicated database are ready, and none of them takes writes.
pub static CAUSE: Cause = Cause {
    id: "KC084",
    slug: "no-primary",
    title: "No member of the database takes writes",
    text: include_str!("no_primary.md"),
    explains: &[&database_unreachable::CAUSE, &read_only::CAUSE],
    needs: &[],
    mend: None,
    judge: |observed| {
        let snapshot = observed.snapshot;
        let any_ready = || snapshot.pods_of(names::POSTGRES).any(readiness::pod);
        if !snapshot.is_replicated() || snapshot.primary().is_some_and(readiness::pod) || !any_ready() {
            return vec![];
        }
        vec![Finding {
            cause: &CAUSE,
            // Another member becomes the primary within the time that a claim to be it lasts.
            weight: Weight::NotYet,
            app: names::POSTGRES,
            object: snapshot.set_reference(),
            says: "has members that are ready, but none of them is the primary: nothing can be written".to_owned(),
            hint: observed
                .by_hand
                .kubectl(["exec", names::POSTGRES_POD, "--", "patronictl", "-c", patroni::SETTINGS, "list"])
                .to("see the members as Patroni does"),
        }]
    },
};
