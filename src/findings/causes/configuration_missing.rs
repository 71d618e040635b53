use super::{backend_unreachable, crash_loop, database_unreachable, not_ready, page_unreachable, starting};
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
            let says = match &holder.found {
                Reading::Absent => format!("is missing: a new pod of {app} cannot start without it"),
                Reading::Present(there) => {
                    let key = given.key.as_ref().filter(|key| !there.keys.contains(*key))?;
                    format!("has no key {key:?}: a new pod of {app} cannot start without it")
                }
                Reading::Unknown(_) | Reading::NotAsked => return None,
            };
            let object = given.kind.reference(&given.name);
            Some(Finding { cause: &CAUSE, weight: Weight::Problem, app, hint: hint(observed, &object), object, says })
        });
        let mut all: Vec<Finding> = lacking.collect();
        all.dedup_by(|one, other| one.app == other.app && one.object == other.object);
        all
    },
};

/// The exchange's own Secret is created by `deploy`, which keeps the password that the database has.
fn hint(observed: &Observed, object: &str) -> Hint {
    if object == format!("secret/{}", names::SECRET) {
        return observed
            .by_hand
            .own("deploy")
            .to("create it again")
            .and(observed.by_hand.own("rotate-password").to("then sync PostgreSQL's password with it"));
    }
    let (kind, _) = object.split_once('/').unwrap_or(("secret", ""));
    observed.by_hand.kubectl(["get", kind]).to("see which there are, and create it again")
}
