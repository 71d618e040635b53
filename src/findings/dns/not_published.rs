use super::explanation::{Covers, DnsEvidence, Explanation};
use crate::dns::verdict::Answered;
use crate::findings::Weight;
pub use crate::findings::causes::not_published::CAUSE;
use crate::observe::Reading;

/// Each pod that its Service publishes, and that is not among the endpoints.
pub fn judge(evidence: &DnsEvidence, _: &[Answered]) -> Vec<Explanation> {
    let name = evidence.facts.headless_name.as_str();
    let published = evidence.facts.published.map(|all| all.get(name).cloned().unwrap_or_default());
    let Reading::Present(published) = published else { return Vec::new() };
    let due =
        evidence.facts.of_headless().filter(|(replica, service)| replica.has_address() && service.publishes(replica));
    let lagging = due.filter(|(replica, _)| replica.addresses.is_disjoint(&published)).map(|(replica, _)| {
        let is = if replica.ready { "is ready, but not" } else { "is not" };
        let says = format!("{is} among the endpoints of {name} yet");
        let label = format!("kubernetes.io/service-name={name}");
        let hint = evidence.by_hand.kubectl(["get", "endpointslices", "-l", &label]).to("see them");
        let object = format!("pod/{}", replica.name);
        Explanation::of(Covers::headless(evidence.facts), &CAUSE, Weight::NotYet, object, says, hint)
    });
    lagging.collect()
}
