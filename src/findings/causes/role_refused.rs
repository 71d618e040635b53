use super::{database_silent, database_unreachable};
use crate::exchange::names;
use crate::findings::{Cause, Finding, Need, Observed};
use crate::observe::path::{Connection, Path};
use crate::observe::{Reading, container};
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
            // PostgreSQL says the same of a wrong password and of a role that it does not have.
            Reading::Present(Path::NoDatabase { reason, .. }) if reason == "password" => {
                let Some(role) = other_role(observed) else { return vec![] };
                (
                    format!(
                        "does not let the role {role} in, which {} of the backend names: it does not exist, or has another password than {}",
                        names::DATABASE_ROLE,
                        names::DATABASE_USER
                    ),
                    restore_role(observed),
                )
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

/// The role that the backend is told, if that is no longer the one of its Secret, nor the same.
fn other_role<'a>(observed: &Observed<'a>) -> Option<&'a str> {
    let backend = observed.snapshot.deployments.get(names::BACKEND)?.present()?;
    let container = container::spec(backend.spec.as_ref()?.template.spec.as_ref()?, names::BACKEND)?;
    let told = container.env.iter().flatten().find(|variable| variable.name == names::DATABASE_ROLE)?;
    told.value.as_deref().filter(|role| *role != names::DATABASE_USER)
}

/// A variable has a value or a source, so `deploy` cannot give it the source again as long as it has a value.
fn restore_role(observed: &Observed) -> Hint {
    let by_hand = observed.by_hand;
    let backend = format!("deployment/{}", names::BACKEND);
    let unset = by_hand.kubectl(["set", "env", &backend, &format!("{}-", names::DATABASE_ROLE)]);
    unset.to("delete the variable").and(by_hand.own("deploy").to("and create it again, from the Secret"))
}

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
