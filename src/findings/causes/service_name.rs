use super::changed_by_hand;
use crate::dns::Facts;
use crate::exchange::names;
use crate::findings::{Cause, Finding, Weight};
use crate::kubernetes::ByHand;
use crate::observe::Reading;
use crate::text::Hint;

/// The set names a Service that does not exist, so its pods have no names.
pub static CAUSE: Cause = Cause {
    id: "KC063",
    slug: "service-name",
    title: "The StatefulSet names the wrong Service",
    text: include_str!("service_name.md"),
    explains: &[&changed_by_hand::CAUSE],
    needs: &[],
    mend: None,
    judge: |observed| {
        let facts = Facts::new(observed.namespace, observed.snapshot);
        let is_missing = facts.set_service.as_deref().is_some_and(|name| is_missing(&facts, name));
        find(&facts, observed.by_hand).filter(|_| is_missing).into_iter().collect()
    },
};

fn is_missing(facts: &Facts, service: &str) -> bool {
    matches!(facts.services.get(service), Some(Reading::Absent))
}

/// A set that names another Service than that of the exchange, whether or not it exists: answers show the same. Of another set
/// nobody knows what it should name, but it must exist.
pub fn find(facts: &Facts, by_hand: &ByHand) -> Option<Finding> {
    let (says, hint) = match facts.other_service() {
        Some(service) => {
            let missing = if is_missing(facts, service) { ", which does not exist" } else { "" };
            let says = format!(
                "names {service} as its Service{missing}: its pods have no names below {}",
                facts.headless_name
            );
            (says, again(facts, by_hand))
        }
        None if !facts.is_exchange() && is_missing(facts, &facts.headless_name) => {
            let says =
                format!("names {} as its Service, which does not exist: its pods have no names", facts.headless_name);
            (says, headless(facts, by_hand))
        }
        None => return None,
    };
    Some(Finding {
        cause: &CAUSE,
        weight: Weight::Problem,
        app: names::POSTGRES,
        object: format!("statefulset/{}", facts.set),
        says,
        hint,
    })
}

/// The set again, with the Service of the exchange.
fn again(facts: &Facts, by_hand: &ByHand) -> Hint {
    let delete = by_hand.kubectl(["delete", &format!("statefulset/{}", facts.set), "--cascade=foreground"]);
    delete
        .to("serviceName cannot be changed, so delete the StatefulSet and its pod; claim and data stay")
        .and(by_hand.own("deploy").to("and create it again"))
}

/// The Service that another set names.
fn headless(facts: &Facts, by_hand: &ByHand) -> Hint {
    let service = facts.headless_name.as_str();
    let create = by_hand.kubectl(["create", "service", "clusterip", service, "--clusterip=None"]);
    let labels = facts.selector.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",");
    let select = by_hand.kubectl(["set", "selector", &format!("service/{service}"), &labels]);
    create.to("create it as a headless Service").and(select.to("and let it select the pods"))
}
