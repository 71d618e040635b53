use super::dns_silent;
use super::explanation::{Covers, DnsEvidence, Explanation};
use crate::dns::heard::Asker;
use crate::dns::verdict::Answered;
use crate::findings::causes::database_unreachable;
use crate::findings::{Cause, Need, Weight};

/// A pod that does not ask the cluster's DNS first.
pub static CAUSE: Cause = Cause {
    id: "KC060",
    slug: "dns-policy",
    title: "A pod does not ask the DNS server of the cluster",
    text: include_str!("dns_policy.md"),
    explains: &[&dns_silent::CAUSE, &database_unreachable::CAUSE],
    needs: &[Need::Names],
    mend: None,
    judge: |_| Vec::new(),
};

/// Where all is well, whom it asks is its own affair.
pub fn judge(evidence: &DnsEvidence, answers: &[Answered]) -> Vec<Explanation> {
    let Asker { pod, policy, server } = evidence.asker;
    let whom = server.as_deref().unwrap_or("nobody");
    let asks = match policy.as_str() {
        _ if !answers.iter().any(Answered::is_wrong) => return Vec::new(),
        "Default" => format!("it asks its node's DNS server ({whom}), which does not know Services"),
        "None" => format!("it asks the server in its dnsConfig ({whom})"),
        _ => return Vec::new(),
    };
    let by_hand = evidence.by_hand;
    let see = by_hand.kubectl(["get", &format!("pod/{pod}"), "-o", "yaml"]).to("see where it is set, and remove it");
    vec![Explanation::of(
        Covers::Everything,
        &CAUSE,
        Weight::Problem,
        format!("pod/{pod}"),
        format!("has the dnsPolicy {policy}: {asks}"),
        see.and(by_hand.kubectl_of_cluster("explain pod.spec.dnsPolicy").to("what it means")),
    )]
}
