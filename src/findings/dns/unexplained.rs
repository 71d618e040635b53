use super::explanation::{Covers, DnsEvidence, Explanation};
use crate::dns::verdict::Answered;
use crate::findings::causes::database_unreachable;
use crate::findings::{Cause, Need, Weight};

/// Answers that remain a riddle.
pub static CAUSE: Cause = Cause {
    id: "KC094",
    slug: "unexplained",
    title: "A DNS answer does not match the objects",
    text: include_str!("unexplained.md"),
    explains: &[&database_unreachable::CAUSE],
    needs: &[Need::Names],
    mend: None,
    judge: |_| Vec::new(),
};

/// Whatever is left.
pub fn judge(evidence: &DnsEvidence, left: &[&Answered]) -> Option<Explanation> {
    left.first()?;
    let hint = evidence.by_hand.kubectl_of_cluster("logs -n kube-system -l k8s-app=kube-dns").to("read its log");
    let ago = evidence.seconds_ago();
    let says =
        format!("does not match the cluster's objects, which have not changed for {ago} s; it may have lost its watch");
    Some(Explanation::of(Covers::Everything, &CAUSE, Weight::Problem, "CoreDNS", says, hint))
}
