use super::finding::{Finding, Rule, Weight};
use crate::observe::{Reading, Reason};

/// Something may not be read, or could not be.
pub const RULE: Rule = Rule {
    code: "not-permitted",
    hides: &[],
    judge: |observed| {
        let mut unknown = observed.snapshot.unknown();
        if let Reading::Unknown(reason @ Reason::Forbidden(_)) = &observed.details.database {
            unknown.push(("the database".to_owned(), reason));
        }
        let finding = |(object, reason): (String, &Reason)| {
            let by_hand = observed.by_hand;
            let (weight, says, hint) = match reason {
                Reason::Forbidden(_) => (
                    Weight::Unknown,
                    "unknown: you may not read it".to_owned(),
                    by_hand.kubectl("auth can-i --list").to("check your permissions"),
                ),
                Reason::Failed(why) => (
                    Weight::Problem,
                    format!("unknown: {why}"),
                    by_hand.kubectl_of_cluster("get --raw /readyz?verbose").to("check the API server"),
                ),
            };
            Finding { code: RULE.code, weight, app: "", object, says, hint }
        };
        unknown.into_iter().map(finding).collect()
    },
};
