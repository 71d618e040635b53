use super::{Cause, Finding, Weight};
use crate::observe::{Reading, Reason};

/// Something may not be read, or could not be.
pub const CAUSE: Cause = Cause {
    code: "not-permitted",
    hides: &[],
    judge: |observed| {
        let mut unknown = observed.snapshot.unknown();
        if let Reading::Unknown(reason @ Reason::Forbidden(_)) = &observed.evidence.database {
            unknown.push(("the database".to_owned(), reason));
        }
        let finding = |(object, reason): (String, &Reason)| {
            let (weight, says) = match reason {
                Reason::Forbidden(_) => (Weight::Unknown, "unknown: you may not read it".to_owned()),
                Reason::Failed(why) => (Weight::Problem, format!("unknown: {why}")),
            };
            let hint = format!("see what you may read: {}", observed.by_hand.kubectl("auth can-i --list"));
            Finding { code: CAUSE.code, weight, app: "", object, says, hint }
        };
        unknown.into_iter().map(finding).collect()
    },
};
