use super::explanation::{Covers, DnsEvidence, Explanation};
use crate::dns::facts::ServiceFacts;
use crate::dns::verdict::Answered;
use crate::findings::Weight;
pub use crate::findings::causes::selector_matches_nothing::CAUSE;

/// The headless Service gives no address of a pod that it does not select.
pub fn judge(evidence: &DnsEvidence, _: &[Answered]) -> Vec<Explanation> {
    let (by_hand, name) = (evidence.by_hand, &evidence.facts.headless_name);
    let selects_none = evidence.facts.headless().filter(|_| evidence.facts.selects_no_pod());
    let explanation = selects_none.map(|service| {
        let says = format!("selects {}, but no pod of the StatefulSet has these labels", selector(service));
        let hint = (by_hand.own("deploy").to("restore both"))
            .and(by_hand.kubectl("get pods --show-labels").to("see the labels"));
        let object = format!("service/{name}");
        Explanation::of(Covers::headless(evidence.facts), &CAUSE, Weight::Problem, object, says, hint)
    });
    explanation.into_iter().collect()
}

fn selector(service: &ServiceFacts) -> String {
    let pairs: Vec<String> = service.selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
    if pairs.is_empty() { "nothing".to_owned() } else { pairs.join(",") }
}
