use super::finding::{Finding, Rule, Weight};
use crate::exchange::names;
use crate::observe::Reading;
use crate::observe::database::Credentials;

/// PostgreSQL refuses the password of the Secret: the volume remembers the one of its first start.
pub const RULE: Rule = Rule {
    code: "credentials-refused",
    hides: &[],
    judge: |observed| {
        if observed.details.credentials != Reading::Present(Credentials::Refused) {
            return vec![];
        }
        vec![Finding {
            code: RULE.code,
            weight: Weight::Problem,
            app: names::POSTGRES,
            object: format!("secret/{}", observed.snapshot.backend_secret().unwrap_or(names::SECRET)),
            says: "PostgreSQL rejects its password: the volume has another one".to_owned(),
            hint: observed.by_hand.own("rotate-password").to("sync PostgreSQL's password with the Secret"),
        }]
    },
};
