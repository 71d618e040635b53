use super::explanation::{DnsEvidence, Explanation};
use super::mistaken::{because, is_of_the_user, labels, meant};
use crate::dns::verdict::Answered;
use crate::findings::{Cause, Need};

/// A name that is not there, for no other reason that is known.
pub static CAUSE: Cause = Cause {
    id: "KC092",
    slug: "no-such-name",
    title: "A name does not exist",
    text: include_str!("no_such_name.md"),
    explains: &[],
    needs: &[Need::Names],
    mend: None,
    judge: |_| Vec::new(),
};

/// By what the user has typed.
pub fn judge(evidence: &DnsEvidence, answered: &Answered) -> Option<Explanation> {
    let typed = &answered.question.name;
    let (first, second) = labels(typed);
    let services = ["get", "services", "-n", second.unwrap_or(&evidence.facts.namespace)];
    let hint = evidence.by_hand.kubectl_of_cluster(services).to("list the Services");
    let says = format!("does not exist here{}", meant(evidence.facts, first));
    is_of_the_user(answered).then(|| because(answered, &CAUSE, typed, says, hint))
}
