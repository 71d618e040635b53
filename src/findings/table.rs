use super::{Cause, Finding, Observed, Weight};
use crate::exchange::{names, wallets};

fn finding(observed: &Observed, code: &'static str, says: String, hint: &str) -> Finding {
    Finding {
        code,
        weight: Weight::Problem,
        app: names::POSTGRES,
        object: format!("database/{}", names::DATABASE),
        says,
        hint: format!("{hint} -n {}", observed.namespace),
    }
}

/// The database has no table `wallets`.
pub const MISSING: Cause = Cause {
    code: "table-missing",
    hides: &[],
    judge: |observed| {
        let Some(database) = observed.evidence.database.present() else { return vec![] };
        let (says, hint) = match (&database.columns, database.index) {
            (None, _) => ("not initialised: it has no table wallets", "kubectl kubecoin init-db"),
            (Some(_), false) => ("the table wallets has no index idx_wallets_id", "kubectl kubecoin init-db"),
            (Some(_), true) => return vec![],
        };
        vec![finding(observed, MISSING.code, says.to_owned(), hint)]
    },
};

/// The table `wallets` is not the lesson's.
pub const DIFFERENT: Cause = Cause {
    code: "table-different",
    hides: &[],
    judge: |observed| {
        let columns = observed.evidence.database.present().and_then(|database| database.columns.as_ref());
        let differences = columns.map(|columns| wallets::differences(columns)).unwrap_or_default();
        if differences.is_empty() {
            return vec![];
        }
        let says = format!("its table wallets is not the lesson's: {}", differences.join("; "));
        vec![finding(
            observed,
            DIFFERENT.code,
            says,
            "kubectl exec -it postgres-0 -- psql -U postgres -d kubecoin -c '\\d wallets'",
        )]
    },
};
