//! What could not be read, and why: for want of permission, or because the API server did not answer as it should.

use super::finding::Observed;
use crate::exchange::names;
use crate::observe::{Reading, Reason};

/// What one may not read, each as kubectl names it.
pub fn not_permitted(observed: &Observed) -> Vec<String> {
    let is_refused = |(_, reason): &(String, &Reason)| matches!(reason, Reason::Forbidden(_));
    let refused = readings(observed).into_iter().filter(is_refused);
    let mut all: Vec<String> = refused.map(|(object, _)| object).collect();
    // Why else the database does not answer is a cause of its own.
    if let Reading::Unknown(Reason::Forbidden(_)) = &observed.details.database {
        all.push("the database".to_owned());
    }
    all
}

/// What the API server did not give, each as kubectl names it, with the reason.
pub fn failed<'a>(observed: &Observed<'a>) -> Vec<(String, &'a str)> {
    let all = readings(observed).into_iter();
    all.filter_map(|(object, reason)| match reason {
        Reason::Failed(why) => Some((object, why.as_str())),
        Reason::Forbidden(_) => None,
    })
    .collect()
}

/// All that is unknown of the objects, of what pods are given, and of the way of a request.
fn readings<'a>(observed: &Observed<'a>) -> Vec<(String, &'a Reason)> {
    let mut unknown = observed.snapshot.unknown();
    for holder in &observed.details.configuration {
        if let Reading::Unknown(reason) = &holder.found {
            unknown.push((holder.kind.reference(&holder.name), reason));
        }
    }
    if let Reading::Unknown(reason) = &observed.details.path {
        unknown.push((format!("service/{}", names::FRONTEND_SERVICE), reason));
    }
    unknown
}
