use crate::dns::Facts;
use crate::exchange::names;
use crate::findings::{Cause, Finding, Weight};
use crate::kubernetes::ByHand;
use crate::observe::Reading;

/// The set names a Service that does not exist, so its pods have no names.
pub static CAUSE: Cause = Cause {
    id: "KC063",
    slug: "service-name",
    title: "The StatefulSet names another Service",
    text: include_str!("service_name.md"),
    explains: &[],
    needs: &[],
    mend: None,
    judge: |observed| {
        let facts = Facts::new(observed.namespace, observed.snapshot);
        let is_missing = facts.other_service().is_some_and(|name| is_missing(&facts, name));
        find(&facts, observed.by_hand).filter(|_| is_missing).into_iter().collect()
    },
};

fn is_missing(facts: &Facts, service: &str) -> bool {
    matches!(facts.services.get(service), Some(Reading::Absent))
}

/// A set that names another Service than that of the exchange, whether or not it exists: answers show the same.
pub fn find(facts: &Facts, by_hand: &ByHand) -> Option<Finding> {
    let (set, service) = (format!("statefulset/{}", names::POSTGRES), facts.other_service()?);
    let missing = if is_missing(facts, service) { ", which does not exist" } else { "" };
    let delete = by_hand
        .kubectl(["delete", &set, "--cascade=foreground"])
        .to("serviceName cannot be changed, so delete the StatefulSet and its pod; claim and data stay");
    Some(Finding {
        cause: &CAUSE,
        weight: Weight::Problem,
        app: names::POSTGRES,
        object: set,
        says: format!(
            "names {service} as its Service{missing}: its pods have no names below {}",
            names::POSTGRES_SERVICE
        ),
        hint: delete.and(by_hand.own("deploy").to("and create it again")),
    })
}
