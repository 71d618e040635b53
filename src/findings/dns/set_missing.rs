use super::explanation::{Covers, DnsEvidence, Explanation};
use crate::dns::verdict::Answered;
use crate::findings::{Cause, Need, Weight};
use crate::observe::Reading;

/// The set is missing, and with it the pods whose names are asked for.
pub static CAUSE: Cause = Cause {
    id: "KC064",
    slug: "set-missing",
    title: "The StatefulSet is missing, so no pod has a name",
    text: include_str!("set_missing.md"),
    explains: &[],
    needs: &[Need::Names],
    mend: None,
    judge: |_| Vec::new(),
};

/// As the objects show it.
pub fn judge(evidence: &DnsEvidence, _: &[Answered]) -> Vec<Explanation> {
    if !matches!(evidence.facts.replicas, Reading::Absent) {
        return Vec::new();
    }
    let set = format!("statefulset/{}", evidence.facts.set);
    let says = "is missing: there is no pod to resolve";
    let covers = Covers::headless(evidence.facts);
    vec![Explanation::of(covers, &CAUSE, Weight::Problem, set, says, evidence.by_hand.own("deploy"))]
}
