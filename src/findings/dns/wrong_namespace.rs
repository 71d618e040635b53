use super::explanation::{DnsEvidence, Explanation};
use super::mistaken::{because, is_of_the_user, labels};
use crate::dns::verdict::Answered;
use crate::findings::{Cause, Need};

/// A Service of the exchange is asked for in a namespace that does not have it.
pub static CAUSE: Cause = Cause {
    id: "KC091",
    slug: "wrong-namespace",
    title: "A name is asked for in the wrong namespace",
    text: include_str!("wrong_namespace.md"),
    explains: &[],
    needs: &[Need::Names],
    mend: None,
    judge: |_| Vec::new(),
};

/// By what the user has typed.
pub fn judge(evidence: &DnsEvidence, answered: &Answered) -> Option<Explanation> {
    let (typed, namespace) = (&answered.question.name, &evidence.facts.namespace);
    let (first, second) = labels(typed);
    let is_known = evidence.facts.known_services().any(|known| known == first);
    let other = second.filter(|other| is_known && other != namespace)?;
    let says = format!("does not exist: there is no {first} in namespace {other}; it is in {namespace}");
    let hint = evidence.by_hand.kubectl_of_cluster(["get", "services", "-n", other]).to("list the Services");
    is_of_the_user(answered).then(|| because(answered, &CAUSE, typed, says, hint))
}
