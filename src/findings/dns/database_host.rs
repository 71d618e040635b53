use super::explanation::{DnsEvidence, Explanation};
use super::mistaken::{ABSOLUTE, absolute, because, labels, meant};
use crate::dns::verdict::Answered;
use crate::exchange::names;
use crate::findings::causes::database_unreachable;
use crate::findings::{Cause, Need};

/// The backend is told to use a name that is none of the database.
pub static CAUSE: Cause = Cause {
    id: "KC069",
    slug: "database-host",
    title: "DB_HOST of the backend is no name of the database",
    text: include_str!("database_host.md"),
    explains: &[&database_unreachable::CAUSE],
    needs: &[Need::Names],
    mend: None,
    judge: |_| Vec::new(),
};

/// By the name in the Deployment.
pub fn judge(evidence: &DnsEvidence, answered: &Answered) -> Option<Explanation> {
    let name = evidence.facts.database_hosts.iter().find(|name| **name == answered.question.name)?;
    let (first, _) = labels(name);
    let wrong = match absolute(name) {
        Some(_) => format!("{name}, which is not a full name: {ABSOLUTE}"),
        None if evidence.facts.known_services().any(|known| known == first) => return None,
        None => format!("{first}, which is not a Service here{}", meant(evidence.facts, first)),
    };
    let says = format!("is told by {} to use {wrong}", names::DATABASE_HOST);
    let object = format!("deployment/{}", names::BACKEND);
    Some(because(answered, &CAUSE, object, says, evidence.by_hand.own("deploy --force-conflicts")))
}
