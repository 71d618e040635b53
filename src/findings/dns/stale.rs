use super::explanation::{Covers, DnsEvidence, Explanation, USUAL};
use crate::dns::answer::Kind;
use crate::dns::caching::Caching;
use crate::dns::verdict::Answered;
use crate::findings::causes::database_unreachable;
use crate::findings::{Cause, Need, Weight};

/// Answers that were right before the last change.
pub static CAUSE: Cause = Cause {
    id: "KC093",
    slug: "stale",
    title: "A DNS answer is older than the last change",
    text: include_str!("stale.md"),
    explains: &[&database_unreachable::CAUSE],
    needs: &[Need::Names],
    mend: None,
    judge: |_| Vec::new(),
};

/// By when what is expected has changed last.
pub fn judge(evidence: &DnsEvidence, left: &[&Answered]) -> Option<Explanation> {
    let caching = caching(evidence, left);
    let evidence = &DnsEvidence { caching, ..evidence.clone() };
    evidence.unchanged().filter(|since| *since <= evidence.window())?;
    let ago = evidence.seconds_ago();
    let kept = left.iter().filter_map(|answered| answered.kept).max();
    let kept = kept.map(|kept| format!(" (this answer for {} s more at most)", kept.as_secs())).unwrap_or_default();
    let says = match evidence.caching {
        Caching::For(time) => {
            format!("this cluster caches answers for up to {} s{kept}; nothing is wrong", time.as_secs())
        }
        Caching::No => {
            format!("the pods changed {ago} s ago, and the DNS server does not know yet; nothing is wrong")
        }
        Caching::Unknown => {
            format!("the pods changed {ago} s ago, and clusters cache answers for up to {} s{kept}", USUAL.as_secs())
        }
    };
    let set = format!("statefulset/{}", evidence.facts.set);
    let wait = if evidence.facts.is_exchange() {
        evidence.by_hand.own("dns-check --wait")
    } else {
        evidence.by_hand.own(["doctor", "--target", &set, "--wait"])
    };
    let hint = wait.to("wait until it is");
    Some(Explanation::of(Covers::Everything, &CAUSE, Weight::NotYet, "an older answer", says, hint))
}

/// For how long the DNS server keeps these answers. Where it does not keep those of the cluster's names, it may keep those of
/// addresses, which are of another zone: with a replicated database they change while a pod stays as it is.
fn caching(evidence: &DnsEvidence, left: &[&Answered]) -> Caching {
    let are_of_addresses = left.iter().all(|answered| answered.question.kind == Kind::Ptr);
    match evidence.caching {
        Caching::No if are_of_addresses && evidence.facts.members.is_some() => Caching::Unknown,
        other => other,
    }
}
