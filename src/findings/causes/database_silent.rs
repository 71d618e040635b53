use kube::ResourceExt;

use super::database_unreachable;
use crate::exchange::names;
use crate::findings::{Cause, Finding, Need, Weight};
use crate::observe::{Reading, Reason};

/// The pod is ready, but the database cannot be asked.
pub static CAUSE: Cause = Cause {
    id: "KC071",
    slug: "database-silent",
    title: "The database does not answer",
    text: include_str!("database_silent.md"),
    explains: &[&database_unreachable::CAUSE],
    needs: &[Need::Database],
    mend: None,
    judge: |observed| {
        let Reading::Unknown(Reason::Failed(why)) = &observed.details.database else { return vec![] };
        let asked = observed.snapshot.primary().map(ResourceExt::name_any).unwrap_or_default();
        vec![Finding {
            cause: &CAUSE,
            weight: Weight::Problem,
            app: names::POSTGRES,
            object: format!("pod/{asked}"),
            says: format!("cannot connect to the database: {why}"),
            hint: observed.by_hand.kubectl(["logs", &asked]).to("read its log"),
        }]
    },
};
