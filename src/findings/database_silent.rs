use kube::ResourceExt;

use super::finding::{Finding, Rule, Weight};
use crate::exchange::names;
use crate::observe::{Reading, Reason};

/// The pod is ready, but the database cannot be asked.
pub const RULE: Rule = Rule {
    code: "database-silent",
    hides: &[],
    judge: |observed| {
        let Reading::Unknown(Reason::Failed(why)) = &observed.details.database else { return vec![] };
        let asked = observed.snapshot.primary().map(ResourceExt::name_any).unwrap_or_default();
        vec![Finding {
            code: RULE.code,
            weight: Weight::Problem,
            app: names::POSTGRES,
            object: format!("pod/{asked}"),
            says: format!("cannot connect to the database: {why}"),
            hint: observed.by_hand.kubectl(["logs", &asked]).to("read its log"),
        }]
    },
};
