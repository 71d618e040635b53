use super::explanation::{DnsEvidence, Explanation};
use crate::dns::verdict::Answered;
pub use crate::findings::causes::service_name::CAUSE;
use crate::findings::causes::service_name::find;

/// Whether or not that Service exists: the pods have no names below the one that is asked for.
pub fn judge(evidence: &DnsEvidence, _: &[Answered]) -> Vec<Explanation> {
    let found = find(evidence.facts, evidence.by_hand);
    found.map(|finding| Explanation::of_headless(evidence.facts, finding)).into_iter().collect()
}
