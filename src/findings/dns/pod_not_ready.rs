use super::explanation::{Covers, DnsEvidence, Explanation};
use crate::dns::verdict::Answered;
use crate::findings::{Cause, Need, Weight};

/// A pod is there, and its Service does not publish it yet.
pub static CAUSE: Cause = Cause {
    id: "KC068",
    slug: "pod-not-ready",
    title: "A pod is not ready, so its name is not published",
    text: include_str!("pod_not_ready.md"),
    explains: &[],
    needs: &[Need::Names],
    mend: None,
    judge: |_| Vec::new(),
};

/// Each of them.
pub fn judge(evidence: &DnsEvidence, _: &[Answered]) -> Vec<Explanation> {
    let there = evidence.facts.of_headless().filter(|(replica, _)| replica.exists);
    let unready = there.filter(|(replica, service)| !service.publishes(replica) || !replica.has_address());
    let unready = unready.map(|(replica, service)| {
        let object = format!("pod/{}", replica.name);
        let hint = evidence.by_hand.kubectl(["describe", &object]).to("see why");
        let says = if service.publishes(replica) {
            "is not ready, and has no address yet"
        } else {
            "is not ready, and the Service only publishes ready pods"
        };
        Explanation::of(Covers::headless(evidence.facts), &CAUSE, Weight::NotYet, object, says, hint)
    });
    unready.collect()
}
