use crate::exchange::{psql, wallets};
use crate::findings::{Cause, Finding, Mend, Need, mends};

/// The database has no table `wallets`.
pub static CAUSE: Cause = Cause {
    id: "KC072",
    slug: "table-missing",
    title: "The table wallets or its index is missing",
    text: include_str!("table_missing.md"),
    explains: &[],
    needs: &[Need::Database],
    mend: Some(|observed, _| mends::primary(observed).map(|pod| Mend::Exec(psql::script(&pod, wallets::CREATE)))),
    judge: |observed| {
        let Some(database) = observed.details.database.present().filter(|it| !it.locked) else { return vec![] };
        let says = match (&database.columns, database.index) {
            (None, _) => "not initialised: it has no table wallets",
            (Some(_), false) => "the table wallets has no index idx_wallets_id",
            (Some(_), true) => return vec![],
        };
        vec![Finding::of_database(&CAUSE, says, observed.by_hand.own("init-db"))]
    },
};
