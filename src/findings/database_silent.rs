use super::finding::{Cause, Finding, Weight};
use crate::exchange::names;
use crate::observe::{Reading, Reason};

/// The pod is ready, but the database cannot be asked.
pub const CAUSE: Cause = Cause {
    code: "database-silent",
    hides: &[],
    judge: |observed| {
        let Reading::Unknown(Reason::Failed(why)) = &observed.evidence.database else { return vec![] };
        vec![Finding {
            code: CAUSE.code,
            weight: Weight::Problem,
            app: names::POSTGRES,
            object: format!("pod/{}", names::POSTGRES_POD),
            says: format!("cannot connect to the database: {why}"),
            hint: observed.by_hand.kubectl(["logs", names::POSTGRES_POD]).to("read its log"),
        }]
    },
};
