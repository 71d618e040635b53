//! What is the matter, and why. Each cause has a file of its own, and only this folder knows them.

mod applied;
mod causes;
mod claims;
pub mod dns;
pub mod evidence;
mod finding;
mod health;
mod mend;
mod mends;
mod pods;
mod refusals;
mod rollout;
mod services;
mod unasked;
mod unread;

use std::collections::BTreeSet;
use std::iter;
use std::sync::LazyLock;

pub use causes::ALL;
pub use causes::changed_by_hand::CAUSE as CHANGED_BY_HAND;
pub use causes::table_missing::CAUSE as TABLE_MISSING;
pub use causes::terminating::rescue;
pub use finding::{Cause, Diagnosis, Finding, Need, Observed, Weight};
pub use health::Health;
pub use mend::Mend;
pub use unasked::{Due, due};

use crate::kubernetes::is_own;
use crate::observe::Snapshot;
use crate::observe::details::Wanted;

/// Everything that is not as it should be, causes without their consequences.
#[must_use]
pub fn judge(observed: &Observed) -> Vec<Finding> {
    diagnose(&found(observed, ALL)).into_iter().map(|diagnosis| diagnosis.finding).collect()
}

/// What these causes find, each by itself.
#[must_use]
pub fn found(observed: &Observed, causes: &[&'static Cause]) -> Vec<Finding> {
    let found = causes.iter().flat_map(|cause| (cause.judge)(observed));
    found.map(|finding| Finding { weight: rollout::weight(observed, &finding), ..finding }).collect()
}

/// Puts what was found below what brings it about, first causes first.
#[must_use]
pub fn diagnose(found: &[Finding]) -> Vec<Diagnosis> {
    let explains = |one: &Finding, other: &Finding| {
        // What does no harm now brings no harm about.
        let is_as_bad = one.weight.is_bad() || !other.weight.is_bad();
        is_as_bad && one.cause.explains(other.cause) && (one.app == other.app || other.app.is_empty())
    };
    let before = |finding: &Finding| found.iter().position(|other| explains(other, finding));
    // What brings it about may have a cause of its own. No cause explains itself, by whatever way.
    let first = |finding| iter::successors(before(finding), |at| before(&found[*at])).last();
    let firsts: Vec<Option<usize>> = found.iter().map(first).collect();
    let consequences = |of: usize| {
        let all = found.iter().zip(&firsts).filter(|(_, first)| **first == Some(of));
        all.map(|(finding, _)| finding.clone()).collect()
    };
    let causes = found.iter().enumerate().zip(&firsts).filter(|(_, first)| first.is_none());
    causes.map(|((at, finding), _)| Diagnosis { finding: finding.clone(), consequences: consequences(at) }).collect()
}

/// A finding of a set that is none of an exchange. It is of no app, and its manifests are not those of `deploy`.
#[must_use]
pub fn of_target(finding: Finding) -> Finding {
    let hint = finding.hint.without(|command| is_own(command, "deploy"), "apply its manifests again");
    Finding { app: "", hint, ..finding }
}

/// Every cause that there is, also those that only answers of DNS show.
pub static EVERY: LazyLock<Vec<&'static Cause>> = LazyLock::new(|| {
    let of_names = dns::ALL.iter().filter(|cause| !ALL.contains(cause));
    ALL.iter().chain(of_names).copied().collect()
});

/// Those of them that any StatefulSet can have.
pub static OF_ANY_SET: LazyLock<Vec<&'static Cause>> = LazyLock::new(|| {
    let of_names = dns::OF_ANY_SET.iter().filter(|cause| !ALL.contains(cause));
    causes::OF_ANY_SET.iter().chain(of_names).copied().collect()
});

/// Whether any StatefulSet can have it, or the exchange alone.
#[must_use]
pub fn is_of_any_set(cause: &Cause) -> bool {
    OF_ANY_SET.contains(&cause)
}

/// All, one after another.
pub fn every() -> impl Iterator<Item = &'static Cause> {
    EVERY.iter().copied()
}

/// The same, in the order of their ids.
#[must_use]
pub fn by_id() -> Vec<&'static Cause> {
    let mut all: Vec<_> = every().collect();
    all.sort_by_key(|cause| cause.id);
    all
}

/// What brings a cause about, in the order of their ids.
#[must_use]
pub fn explained_by(cause: &Cause) -> Vec<&'static Cause> {
    by_id().into_iter().filter(|other| other.explains(cause)).collect()
}

/// What can keep the backend from the database of this exchange, in the order in which people are told.
#[must_use]
pub fn of_the_way_to_the_database() -> Vec<&'static Cause> {
    let ends = [&causes::database_unreachable::CAUSE, &causes::wrong_database::CAUSE];
    let is_of_it = |cause: &&'static Cause| {
        ends.contains(cause) || dns::ALL.contains(cause) || cause.explains(&causes::database_unreachable::CAUSE)
    };
    every().filter(is_of_it).collect()
}

/// How much is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// The objects of the exchange, and their events.
    Wait,
    /// And what they depend on.
    Objects,
    /// And a request by the page's own way, which says of the database what the backend needs of it.
    Page,
    /// And the database itself.
    All,
    /// And all around it in which a cause may lie.
    Around,
}

/// What round 2 is to read for the sake of these causes.
#[must_use]
pub fn wanted(snapshot: &Snapshot, depth: Depth, causes: &[&'static Cause]) -> Wanted {
    let needs: Vec<Need> = causes.iter().flat_map(|cause| cause.needs).copied().collect();
    let events = needs.iter().filter_map(|need| match need {
        Need::Events(of) => Some(of(snapshot)),
        _ => None,
    });
    let logs = needs.iter().filter_map(|need| match need {
        Need::Logs(of) if depth >= Depth::Around => Some(of(snapshot)),
        _ => None,
    });
    let any = |is: fn(&Need) -> bool| needs.iter().any(is);
    Wanted {
        events: events.flatten().filter_map(|object| object.uid.clone()).collect::<BTreeSet<_>>(),
        database: depth >= Depth::All && any(|need| matches!(need, Need::Database)),
        // The page's own way leads to the exchange's database alone.
        path: depth >= Depth::Page && snapshot.target.is_none() && any(|need| matches!(need, Need::Path)),
        names: depth >= Depth::Around
            && any(|need| matches!(need, Need::Names))
            && !snapshot.headless_name().is_empty(),
        insist: true,
        surroundings: depth >= Depth::Objects && any(|need| matches!(need, Need::Configuration)),
        logs: logs.flatten().collect(),
        budgets: depth >= Depth::Around && any(|need| matches!(need, Need::Budgets)),
        policies: depth >= Depth::Around && any(|need| matches!(need, Need::Policies)),
        nodes: depth >= Depth::Around && any(|need| matches!(need, Need::Nodes)),
        classes: depth >= Depth::Around && any(|need| matches!(need, Need::Classes)),
        server: depth >= Depth::Around && any(|need| matches!(need, Need::Version)),
    }
}

#[cfg(test)]
mod registry_tests;
#[cfg(test)]
mod tests;
