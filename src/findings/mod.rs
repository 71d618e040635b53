//! What is the matter, and why. Each cause has a file of its own, and only this folder knows them.

mod causes;
pub mod dns;
mod finding;
mod health;
mod pods;
mod services;

use std::collections::BTreeSet;

pub use causes::ALL;
pub use causes::stuck_revision::stuck_pod;
pub use causes::table_missing::CAUSE as TABLE_MISSING;
pub use causes::terminating::rescue;
pub use finding::{Cause, Finding, Need, Observed, Weight};
pub use health::Health;

use crate::observe::Snapshot;
use crate::observe::details::Wanted;

/// Everything that is not as it should be, causes without their consequences.
#[must_use]
pub fn judge(observed: &Observed) -> Vec<Finding> {
    let found: Vec<Finding> = ALL.iter().flat_map(|cause| (cause.judge)(observed)).collect();
    let explains = |one: &Finding, other: &Finding| {
        one.cause.explains(other.cause) && (one.app == other.app || other.app.is_empty())
    };
    found.iter().filter(|finding| !found.iter().any(|other| explains(other, finding))).cloned().collect()
}

/// Every cause that there is, also those that only answers of DNS show.
pub fn every() -> impl Iterator<Item = &'static Cause> {
    ALL.iter().chain(dns::causes::ALL).copied()
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

/// How much is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// The objects of the exchange, and their events.
    Wait,
    /// And what they depend on.
    Objects,
    /// And the database, and a request by the page's own way.
    All,
}

/// What round 2 is to read for the sake of the causes.
#[must_use]
pub fn wanted(snapshot: &Snapshot, depth: Depth) -> Wanted {
    let needs: Vec<Need> = ALL.iter().flat_map(|cause| cause.needs).copied().collect();
    let events = needs.iter().filter_map(|need| match need {
        Need::Events(of) => Some(of(snapshot)),
        _ => None,
    });
    let any = |is: fn(&Need) -> bool| needs.iter().any(is);
    Wanted {
        events: events.flatten().filter_map(|object| object.uid.clone()).collect::<BTreeSet<_>>(),
        database: depth == Depth::All && any(|need| matches!(need, Need::Database)),
        path: depth == Depth::All && any(|need| matches!(need, Need::Path)),
        surroundings: depth >= Depth::Objects && any(|need| matches!(need, Need::Configuration)),
    }
}

#[cfg(test)]
mod registry_tests;
#[cfg(test)]
mod tests;
