use super::database_unreachable;
use crate::findings::{Cause, Finding, Need};

/// A transaction that was left open holds a lock on the table.
pub static CAUSE: Cause = Cause {
    id: "KC078",
    slug: "writes-blocked",
    title: "Somebody keeps all others from writing to the table",
    text: include_str!("writes_blocked.md"),
    explains: &[&database_unreachable::CAUSE],
    needs: &[Need::Database],
    mend: None,
    judge: |observed| {
        let database = observed.details.database.present();
        let Some(blocker) = database.and_then(|database| database.blockers.first()) else { return vec![] };
        let end = format!("SELECT pg_terminate_backend({})", blocker.pid);
        vec![Finding::of_database(
            &CAUSE,
            format!(
                "takes no writes to the table wallets: session {} has held the lock {} on it for {} s",
                blocker.pid, blocker.mode, blocker.seconds
            ),
            observed.by_hand.own(["psql", "-c", &end]).to("end that session, which undoes what it has not committed"),
        )]
    },
};
