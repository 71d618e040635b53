use super::explanation::{Covers, DnsEvidence, Explanation};
use crate::dns::verdict::Answered;
use crate::findings::{Cause, Need, Weight};

/// The set is there, and shall have no pod.
pub static CAUSE: Cause = Cause {
    id: "KC065",
    slug: "no-replicas",
    title: "The StatefulSet is scaled to 0, so no pod has a name",
    text: include_str!("no_replicas.md"),
    explains: &[],
    needs: &[Need::Names],
    mend: None,
    judge: |_| Vec::new(),
};

/// As the objects show it.
pub fn judge(evidence: &DnsEvidence, _: &[Answered]) -> Vec<Explanation> {
    if !evidence.facts.replicas.present().is_some_and(Vec::is_empty) {
        return Vec::new();
    }
    let set = format!("statefulset/{}", evidence.facts.set);
    // Each member has a claim, which stays.
    let replicas = format!("--replicas={}", evidence.facts.members.unwrap_or(1));
    let hint = evidence.by_hand.kubectl(["scale", &set, &replicas]).to("start it again");
    let says = "is scaled to 0: there is no pod to resolve";
    vec![Explanation::of(Covers::headless(evidence.facts), &CAUSE, Weight::Problem, set, says, hint)]
}
