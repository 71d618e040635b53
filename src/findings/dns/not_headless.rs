use super::explanation::{DnsEvidence, Explanation};
use crate::dns::verdict::Answered;
pub use crate::findings::causes::not_headless::CAUSE;
use crate::findings::causes::not_headless::find;

/// As the objects show it.
pub fn judge(evidence: &DnsEvidence, _: &[Answered]) -> Vec<Explanation> {
    let found = find(evidence.facts, evidence.by_hand);
    found.map(|finding| Explanation::of_headless(evidence.facts, finding)).into_iter().collect()
}
