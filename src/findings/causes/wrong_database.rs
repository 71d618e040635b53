use crate::exchange::names;
use crate::findings::{Cause, Finding, Need, Weight};
use crate::observe::Reading;
use crate::observe::path::Path;

/// The backend is answered by another server than the one in the pod of this exchange.
pub static CAUSE: Cause = Cause {
    id: "KC080",
    slug: "wrong-database",
    title: "The backend uses another database",
    text: include_str!("wrong_database.md"),
    explains: &[],
    needs: &[Need::Path, Need::Database],
    mend: None,
    judge: |observed| {
        let Reading::Present(Path::Answered(connection)) = &observed.details.path else { return vec![] };
        let Some(database) = observed.details.database.present() else { return vec![] };
        if connection.database.started_at == database.started_at {
            return vec![];
        }
        vec![Finding {
            cause: &CAUSE,
            weight: Weight::Problem,
            app: names::BACKEND,
            object: format!("deployment/{}", names::BACKEND),
            says: format!(
                "uses another database: {} leads to a server that started at {}, and the one of this exchange started at {}",
                connection.database.host, connection.database.started_at, database.started_at
            ),
            hint: (observed.by_hand.own("deploy --force-conflicts").to("restore its settings"))
                .and(observed.by_hand.kubectl(["describe", "deployment", names::BACKEND]).to("see them")),
        }]
    },
};
