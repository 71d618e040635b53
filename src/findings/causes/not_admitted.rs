use super::{database_silent, database_unreachable};
use crate::exchange::psql;
use crate::findings::{Cause, Finding, Need};
use crate::observe::Reading;
use crate::observe::path::Path;

/// PostgreSQL answers in its own pod, and nobody else: it listens to itself alone, or its `pg_hba.conf` rejects others.
pub static CAUSE: Cause = Cause {
    id: "KC079",
    slug: "not-admitted",
    title: "PostgreSQL takes no connections from other pods",
    text: include_str!("not_admitted.md"),
    explains: &[&database_unreachable::CAUSE, &database_silent::CAUSE],
    needs: &[Need::Path, Need::Database],
    mend: None,
    judge: |observed| {
        let Reading::Present(Path::NoDatabase { reason, backend }) = &observed.details.path else { return vec![] };
        let answers = observed.details.database.present().is_some();
        let (says, hint) = match reason.as_str() {
            "not-admitted" => (
                format!("its pg_hba.conf rejects connections from pod/{backend}"),
                observed.by_hand.own(["psql", "-c", "SELECT * FROM pg_hba_file_rules"]).to("see its rules"),
            ),
            "database-closed" => (
                "it accepts no connections to this database (ALLOW_CONNECTIONS, or no CONNECT privilege)".to_owned(),
                observed.by_hand.kubectl(psql::LIST_DATABASES).to("see the databases and who may connect"),
            ),
            "refused" if answers => (
                format!("it answers in its own pod, but does not listen to pod/{backend}"),
                observed
                    .by_hand
                    .own(["psql", "-c", "SHOW listen_addresses", "-c", "SHOW port"])
                    .to("see where it listens"),
            ),
            _ => return vec![],
        };
        vec![Finding::of_database(&CAUSE, format!("takes no connections from the backend: {says}"), hint)]
    },
};
