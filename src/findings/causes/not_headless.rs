use crate::dns::Facts;
use crate::exchange::names;
use crate::findings::{Cause, Finding, Weight};
use crate::kubernetes::ByHand;

/// The Service of the set has an address of its own, so its name does not give those of the pods.
pub static CAUSE: Cause = Cause {
    id: "KC066",
    slug: "not-headless",
    title: "The Service of the StatefulSet is not headless",
    text: include_str!("not_headless.md"),
    explains: &[],
    needs: &[],
    mend: None,
    judge: |observed| find(&Facts::new(observed.namespace, observed.snapshot), observed.by_hand).into_iter().collect(),
};

/// By the Service alone, also where answers are judged.
pub fn find(facts: &Facts, by_hand: &ByHand) -> Option<Finding> {
    let name = facts.headless_name.as_str();
    let service = facts.headless().filter(|service| !service.is_headless())?;
    let address = service.addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let says =
        format!("is not headless: it has the address {address}, and its name gives that instead of the pods' own");
    let delete =
        by_hand.kubectl(["delete", "service", name]).to("its address cannot be removed, so delete the Service");
    Some(Finding {
        cause: &CAUSE,
        weight: Weight::Problem,
        app: names::POSTGRES,
        object: format!("service/{name}"),
        says,
        hint: delete.and(by_hand.own("deploy").to("and create it again")),
    })
}
