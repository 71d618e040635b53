use crate::exchange::{psql, wallets};
use crate::findings::{Cause, Finding, Mend, Need, Observed, mends};
use crate::observe::Reading;

/// The database has no table `wallets`.
pub static CAUSE: Cause = Cause {
    id: "KC072",
    slug: "table-missing",
    title: "The table wallets or its index is missing",
    text: include_str!("table_missing.md"),
    explains: &[],
    needs: &[Need::Database, Need::Path],
    mend: Some(|observed, _| mends::primary(observed).map(|pod| Mend::Exec(psql::script(&pod, wallets::CREATE)))),
    judge: |observed| {
        let says = match &observed.details.database {
            Reading::Present(database) if !database.locked => match (&database.columns, database.index) {
                (None, _) => NOT_INITIALISED,
                (Some(_), false) => "the table wallets has no index idx_wallets_id",
                (Some(_), true) => return vec![],
            },
            // Where the database itself was not asked, the backend has seen whether it has the table.
            Reading::NotAsked if by_the_backend(observed) == Some(false) => NOT_INITIALISED,
            _ => return vec![],
        };
        vec![Finding::of_database(&CAUSE, says, observed.by_hand.own("init-db"))]
    },
};

const NOT_INITIALISED: &str = "not initialised: it has no table wallets";

/// Whether the backend has seen the table.
fn by_the_backend(observed: &Observed) -> Option<bool> {
    observed.details.path.present()?.has_table()
}
