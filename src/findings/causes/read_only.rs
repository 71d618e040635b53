use crate::findings::{Cause, Finding, Need, Observed};
use crate::observe::Reading;
use crate::observe::path::Path;
use crate::text::Hint;

/// The database answers, and takes no writes: it was told so, or follows another server.
pub static CAUSE: Cause = Cause {
    id: "KC077",
    slug: "read-only",
    title: "The database takes no writes",
    text: include_str!("read_only.md"),
    explains: &[],
    needs: &[Need::Database, Need::Path],
    mend: None,
    judge: |observed| {
        let database = observed.details.database.present();
        let served = match &observed.details.path {
            Reading::Present(Path::Answered(connection)) => Some(&connection.database),
            _ => None,
        };
        let source = database.and_then(|database| database.read_only.as_deref());
        let follows = database.is_some_and(|it| it.in_recovery) || served.is_some_and(|it| it.in_recovery);
        let (says, hint) = if follows {
            let hint = observed.by_hand.own("psql -c 'SELECT * FROM pg_stat_wal_receiver'").to("see whom it follows");
            ("takes no writes: it is in recovery, and follows another server".to_owned(), hint)
        } else if source.is_some() || served.is_some_and(|it| it.read_only) {
            let place = source.map(|source| format!(" (set by: {source})")).unwrap_or_default();
            (format!("takes no writes: default_transaction_read_only is on{place}"), reset(observed, source))
        } else {
            return vec![];
        };
        vec![Finding::of_database(&CAUSE, says, hint)]
    },
};

/// The setting has its end where it was made.
fn reset(observed: &Observed, source: Option<&str>) -> Hint {
    let by_hand = observed.by_hand;
    let own = |sql: &str| {
        by_hand.own(["psql", "-c", "SET default_transaction_read_only = off", "-c", sql]).to("let it write again")
    };
    match source {
        Some("database") => own("ALTER DATABASE kubecoin RESET default_transaction_read_only"),
        Some("user") => own("ALTER ROLE postgres RESET default_transaction_read_only"),
        Some("database user") => own("ALTER ROLE postgres IN DATABASE kubecoin RESET default_transaction_read_only"),
        Some("configuration file") => by_hand
            .own(["psql", "-c", "ALTER SYSTEM RESET default_transaction_read_only", "-c", "SELECT pg_reload_conf()"])
            .to("let it write again"),
        _ => by_hand
            .own(["psql", "-c", "SELECT * FROM pg_db_role_setting"])
            .to("see where it is set for the backend's role"),
    }
}
