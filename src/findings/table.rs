use super::finding::{Finding, Rule, Weight};
use crate::exchange::{names, wallets};
use crate::text::Command;

fn finding(code: &'static str, says: String, hint: Command) -> Finding {
    Finding {
        code,
        weight: Weight::Problem,
        app: names::POSTGRES,
        object: format!("database/{}", names::DATABASE),
        says,
        hint: hint.into(),
    }
}

/// The database has no table `wallets`.
pub const MISSING: Rule = Rule {
    code: "table-missing",
    hides: &[],
    judge: |observed| {
        let Some(database) = observed.details.database.present() else { return vec![] };
        let says = match (&database.columns, database.index) {
            (None, _) => "not initialised: it has no table wallets",
            (Some(_), false) => "the table wallets has no index idx_wallets_id",
            (Some(_), true) => return vec![],
        };
        vec![finding(MISSING.code, says.to_owned(), observed.by_hand.own("init-db"))]
    },
};

/// The table `wallets` is not the lesson's.
pub const DIFFERENT: Rule = Rule {
    code: "table-different",
    hides: &[],
    judge: |observed| {
        let columns = observed.details.database.present().and_then(|database| database.columns.as_ref());
        let differences = columns.map(|columns| wallets::differences(columns)).unwrap_or_default();
        if differences.is_empty() {
            return vec![];
        }
        let says = format!("its table wallets is not the lesson's: {}", differences.join("; "));
        vec![finding(DIFFERENT.code, says, observed.by_hand.own(r"psql -c '\d wallets'"))]
    },
};
