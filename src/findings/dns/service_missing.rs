use super::explanation::{Covers, DnsEvidence, Explanation};
use crate::dns::verdict::Answered;
use crate::exchange::names;
use crate::findings::causes::{backend_unreachable, database_unreachable};
use crate::findings::{Cause, Finding, Need, Weight};
use crate::observe::Reading;

/// A Service that is missing, whatever the DNS server still remembers of it.
pub static CAUSE: Cause = Cause {
    id: "KC062",
    slug: "service-missing",
    title: "A Service whose name is asked for is missing",
    text: include_str!("service_missing.md"),
    explains: &[&database_unreachable::CAUSE, &backend_unreachable::CAUSE],
    needs: &[Need::Names],
    mend: None,
    judge: |_| Vec::new(),
};

/// Each of them, with the app that it leads to.
pub fn judge(evidence: &DnsEvidence, _: &[Answered]) -> Vec<Explanation> {
    let facts = evidence.facts;
    let apps = [names::POSTGRES, names::BACKEND, names::FRONTEND];
    let is_missing = |name: &str| matches!(facts.services.get(name), Some(Reading::Absent));
    let of_members = names::REPLICATED_SERVICES.map(|name| (names::POSTGRES, name));
    let all = apps.into_iter().zip(names::SERVICES).chain(of_members.into_iter().filter(|_| facts.members.is_some()));
    let missing = all.filter(|(_, name)| is_missing(name)).map(|(app, name)| {
        let finding = Finding {
            cause: &CAUSE,
            weight: Weight::Problem,
            app,
            object: format!("service/{name}"),
            says: format!("is missing in the namespace {}", facts.namespace),
            hint: evidence.by_hand.own(if facts.members.is_some() { "deploy --ha" } else { "deploy" }).into(),
        };
        Explanation { finding, covers: Covers::Service(name.to_owned()) }
    });
    missing.collect()
}
