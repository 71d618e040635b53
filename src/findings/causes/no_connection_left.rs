use super::{database_silent, database_unreachable};
use crate::exchange::names;
use crate::findings::{Cause, Finding, Need};
use crate::observe::path::Path;
use crate::observe::{Reading, Reason};

/// All connections that PostgreSQL takes are in use.
pub static CAUSE: Cause = Cause {
    id: "KC075",
    slug: "no-connection-left",
    title: "The database has no connection left",
    text: include_str!("no_connection_left.md"),
    explains: &[&database_unreachable::CAUSE, &database_silent::CAUSE],
    needs: &[Need::Database, Need::Path],
    mend: None,
    judge: |observed| {
        let by_backend = matches!(&observed.details.path, Reading::Present(Path::NoDatabase { reason, .. }) if reason == "no-connection-left");
        let by_psql = matches!(&observed.details.database, Reading::Unknown(Reason::Failed(why))
            if ["too many clients", "connection slots are reserved", "too many connections for"].iter().any(|words| why.contains(words)));
        if !by_backend && !by_psql {
            return vec![];
        }
        let hint = if by_psql {
            // psql gets in no more than anybody else.
            (observed.by_hand.kubectl(["delete", "pod", names::POSTGRES_POD]))
                .to("end the clients that hold them; or restart PostgreSQL, which ends all connections")
        } else {
            observed.by_hand.own(WHO).to("see who holds them, and end those clients")
        };
        vec![Finding::of_database(&CAUSE, "has no connection left: PostgreSQL rejects new ones", hint)]
    },
};

/// Who holds the connections.
const WHO: &str = r#"psql -c "SELECT usename, application_name, state, count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' GROUP BY 1, 2, 3""#;
