use super::{database_silent, database_unreachable};
use crate::exchange::names;
use crate::findings::{Cause, Finding, Need, Observed};
use crate::observe::Reading;
use crate::observe::path::{Connection, Path};
use crate::text::Hint;

/// PostgreSQL does not let the backend's role in, or not write.
pub static CAUSE: Cause = Cause {
    id: "KC074",
    slug: "role-refused",
    title: "The role of the backend may not log in, or may not write",
    text: include_str!("role_refused.md"),
    explains: &[&database_unreachable::CAUSE, &database_silent::CAUSE],
    needs: &[Need::Path],
    mend: None,
    judge: |observed| {
        let (says, hint) = match &observed.details.path {
            Reading::Present(Path::NoDatabase { reason, .. }) if reason == "no-login" => {
                ("does not let the backend's role log in".to_owned(), let_in(observed))
            }
            Reading::Present(Path::NoDatabase { reason, .. }) if reason == "no-role" => (
                "does not have the backend's role".to_owned(),
                observed.by_hand.own(r"psql -c '\du'").to("see the roles, and compare with DB_USER of the backend"),
            ),
            Reading::Present(Path::Answered(Connection { database, .. }))
                if !database.missing_privileges.is_empty() =>
            {
                (
                    format!(
                        "does not allow the backend's role {} to {} the table wallets",
                        database.role,
                        database.missing_privileges.join(", ")
                    ),
                    observed.by_hand.own(r"psql -c '\dp wallets'").to("see the privileges; GRANT gives them back"),
                )
            }
            _ => return vec![],
        };
        vec![Finding::of_database(&CAUSE, says, hint)]
    },
};

/// If it is the role of psql too, psql does not get in either.
fn let_in(observed: &Observed) -> Hint {
    let by_hand = observed.by_hand;
    if observed.details.database.present().is_some() {
        return by_hand.own(r"psql -c '\du'").to("see the roles; ALTER ROLE ... LOGIN lets it in again");
    }
    let alter = format!("ALTER ROLE {} LOGIN", names::DATABASE_USER);
    let psql = ["exec", names::POSTGRES_POD, "--", "psql", "-U", "ROLE", "-d", names::DATABASE, "-c", &alter];
    by_hand.kubectl(psql).to("let it log in again, as another superuser of this server")
}
