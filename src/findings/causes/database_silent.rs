use kube::ResourceExt;

use super::database_unreachable;
use crate::exchange::{names, psql};
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
            hint: if is_missing(why) {
                observed
                    .by_hand
                    .kubectl(psql::LIST_DATABASES)
                    .to("see which databases there are; ALTER DATABASE ... RENAME TO kubecoin undoes a renaming")
            } else {
                observed.by_hand.kubectl(["logs", &asked]).to("read its log")
            },
        }]
    },
};

/// Whether the server answers, and has no database of the exchange's name.
fn is_missing(why: &str) -> bool {
    why.contains(&format!("database \"{}\" does not exist", names::DATABASE))
}
