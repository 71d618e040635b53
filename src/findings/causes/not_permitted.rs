use crate::exchange::names;
use crate::findings::{Cause, Finding, Weight};
use crate::observe::{Reading, Reason};

/// Something may not be read, or could not be.
pub static CAUSE: Cause = Cause {
    id: "KC003",
    slug: "not-permitted",
    title: "Something could not be read",
    text: include_str!("not_permitted.md"),
    explains: &[],
    needs: &[],
    mend: None,
    judge: |observed| {
        let mut unknown = observed.snapshot.unknown();
        if let Reading::Unknown(reason @ Reason::Forbidden(_)) = &observed.details.database {
            unknown.push(("the database".to_owned(), reason));
        }
        for holder in &observed.details.configuration {
            if let Reading::Unknown(reason) = &holder.found {
                unknown.push((holder.kind.reference(&holder.name), reason));
            }
        }
        if let Reading::Unknown(reason) = &observed.details.path {
            unknown.push((format!("service/{}", names::FRONTEND_SERVICE), reason));
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
            Finding { cause: &CAUSE, weight, app: "", object, says, hint }
        };
        unknown.into_iter().map(finding).collect()
    },
};
