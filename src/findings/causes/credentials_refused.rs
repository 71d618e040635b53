use super::database_unreachable;
use crate::exchange::{names, psql};
use crate::findings::{Cause, Finding, Mend, Need, Weight, mends};
use crate::observe::Reading;
use crate::observe::database::Credentials;

/// PostgreSQL refuses the password of the Secret: the volume remembers the one of its first start.
pub static CAUSE: Cause = Cause {
    id: "KC070",
    slug: "credentials-refused",
    title: "PostgreSQL rejects the password in the Secret",
    text: include_str!("credentials_refused.md"),
    explains: &[&database_unreachable::CAUSE],
    needs: &[Need::Database],
    // Its pod was given the first Secret alone.
    mend: Some(|observed, _| {
        let is_first = observed.snapshot.backend_secret() == Some(names::SECRET);
        mends::primary(observed).filter(|_| is_first).map(|pod| Mend::Exec(psql::alter_password(&pod)))
    }),
    judge: |observed| {
        if observed.details.credentials != Reading::Present(Credentials::Refused) {
            return vec![];
        }
        vec![Finding {
            cause: &CAUSE,
            weight: Weight::Problem,
            app: names::POSTGRES,
            object: format!("secret/{}", observed.snapshot.backend_secret().unwrap_or(names::SECRET)),
            says: "has a password that PostgreSQL rejects: the volume has another one".to_owned(),
            hint: observed.by_hand.own("rotate-password").to("sync PostgreSQL's password with the Secret"),
        }]
    },
};
