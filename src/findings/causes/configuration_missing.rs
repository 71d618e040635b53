use super::{
    backend_unreachable, changed_by_hand, crash_loop, database_unreachable, not_ready, page_unreachable, starting,
};
use crate::exchange::names;
use crate::findings::{Cause, Finding, Need, Observed, Weight};
use crate::observe::{Reading, configuration};
use crate::text::Hint;

/// A pod could not start again: what it is given is gone. Those that run do not miss it.
pub static CAUSE: Cause = Cause {
    id: "KC027",
    slug: "configuration-missing",
    title: "A Secret or ConfigMap that pods need is missing",
    text: include_str!("configuration_missing.md"),
    explains: &[
        &changed_by_hand::CAUSE,
        &crash_loop::CAUSE,
        &starting::CAUSE,
        &not_ready::CAUSE,
        &database_unreachable::CAUSE,
        &backend_unreachable::CAUSE,
        &page_unreachable::CAUSE,
    ],
    needs: &[Need::Configuration],
    mend: None,
    judge: |observed| {
        let needed = configuration::needed(observed.snapshot);
        let lacking = needed.filter_map(|(app, given)| {
            let holder =
                observed.details.configuration.iter().find(|it| it.kind == given.kind && it.name == given.name)?;
            let there = holder.found.present().is_some();
            let workload = observed.snapshot.workload(app);
            let says = match &holder.found {
                Reading::Absent => format!("is missing: a new pod of {workload} cannot start without it"),
                Reading::Present(there) => {
                    let key = given.key.as_ref().filter(|key| !there.keys.contains(*key))?;
                    format!("has no key {key:?}: a new pod of {workload} cannot start without it")
                }
                Reading::Unknown(_) | Reading::NotAsked => return None,
            };
            let object = given.kind.reference(&given.name);
            Some(Finding {
                cause: &CAUSE,
                weight: Weight::Problem,
                app,
                hint: hint(observed, &object, there),
                object,
                says,
            })
        });
        let mut all: Vec<Finding> = lacking.collect();
        all.dedup_by(|one, other| one.app == other.app && one.object == other.object);
        all
    },
};

/// The exchange's own Secret is created by `deploy`, which leaves one that is there as it is. Nodes give pods its old password as
/// long as one of theirs names it, so the backend gets another Secret.
fn hint(observed: &Observed, object: &str, there: bool) -> Hint {
    let by_hand = observed.by_hand;
    if observed.snapshot.target.is_none() && object == format!("secret/{}", names::SECRET) {
        let create = by_hand.own("deploy").to("create it again");
        let create = if there { by_hand.kubectl(["delete", object]).to("delete it").and(create) } else { create };
        return create
            .and(by_hand.own("rotate-password --new").to("then give PostgreSQL and the backend a new password"));
    }
    // The same of what the members use.
    if observed.snapshot.members_secret().is_some_and(|name| object == format!("secret/{name}")) {
        let create = by_hand.own("deploy --ha").to("create one again");
        let create = if there { by_hand.kubectl(["delete", object]).to("delete it").and(create) } else { create };
        return create.and(by_hand.own("rotate-password --new").to("then give the members new passwords"));
    }
    let (kind, _) = object.split_once('/').unwrap_or(("secret", ""));
    by_hand.kubectl(["get", kind]).to("see which there are, and create it again")
}
