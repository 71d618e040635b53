use crate::exchange::wallets;
use crate::findings::{Cause, Finding, Need};

/// The table `wallets` is not the lesson's.
pub static CAUSE: Cause = Cause {
    id: "KC073",
    slug: "table-different",
    title: "The table wallets is not the one of the lesson",
    text: include_str!("table_different.md"),
    explains: &[],
    needs: &[Need::Database],
    mend: None,
    judge: |observed| {
        let columns = observed.details.database.present().and_then(|database| database.columns.as_ref());
        let differences = columns.map(|columns| wallets::differences(columns)).unwrap_or_default();
        if differences.is_empty() {
            return vec![];
        }
        let says = format!("its table wallets is not the lesson's: {}", differences.join("; "));
        vec![Finding::of_database(&CAUSE, says, observed.by_hand.own(r"psql -c '\d wallets'"))]
    },
};
