use super::finding::{Finding, Rule, Weight};
use super::pods;
use crate::observe::readiness;

/// No node takes a pod.
pub const RULE: Rule = Rule {
    code: "unschedulable",
    hides: &["starting", "not-ready"],
    judge: |observed| {
        let unschedulable = pods::not_ready(observed).into_iter().filter_map(|(app, pod)| {
            let (status, message) = readiness::condition(pod, "PodScheduled")?;
            (status == "False").then(|| Finding {
                code: RULE.code,
                weight: Weight::Problem,
                app,
                object: pods::reference(pod),
                says: format!("cannot be scheduled: {message}"),
                hint: observed.by_hand.kubectl(["describe", &pods::reference(pod)]).to("see why"),
            })
        });
        unschedulable.collect()
    },
};
