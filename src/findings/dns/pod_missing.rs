use super::explanation::{Covers, DnsEvidence, Explanation};
use crate::dns::verdict::Answered;
use crate::findings::{Cause, Need, Weight};

/// A pod that the set shall have is not there.
pub static CAUSE: Cause = Cause {
    id: "KC067",
    slug: "pod-missing",
    title: "A pod whose name is asked for does not exist",
    text: include_str!("pod_missing.md"),
    explains: &[],
    needs: &[Need::Names],
    mend: None,
    judge: |_| Vec::new(),
};

/// Each of them.
pub fn judge(evidence: &DnsEvidence, _: &[Answered]) -> Vec<Explanation> {
    let missing = evidence.facts.of_headless().map(|(replica, _)| replica).filter(|replica| !replica.exists);
    let missing = missing.map(|replica| {
        let set = format!("statefulset/{}", evidence.facts.set);
        let hint = evidence.by_hand.kubectl(["describe", &set]).to("see why");
        let (covers, object) = (Covers::headless(evidence.facts), format!("pod/{}", replica.name));
        Explanation::of(covers, &CAUSE, Weight::NotYet, object, "does not exist", hint)
    });
    missing.collect()
}
