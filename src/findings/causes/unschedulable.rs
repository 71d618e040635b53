use super::{backend_unreachable, database_unreachable, not_ready, page_unreachable, starting};
use crate::findings::{Cause, Finding, Weight, pods};
use crate::observe::readiness;

/// No node takes a pod.
pub static CAUSE: Cause = Cause {
    id: "KC021",
    slug: "unschedulable",
    title: "No node takes a pod",
    text: include_str!("unschedulable.md"),
    explains: &[
        &starting::CAUSE,
        &not_ready::CAUSE,
        &database_unreachable::CAUSE,
        &backend_unreachable::CAUSE,
        &page_unreachable::CAUSE,
    ],
    needs: &[],
    mend: None,
    judge: |observed| {
        let unschedulable = pods::not_ready(observed).into_iter().filter_map(|(app, pod)| {
            let (status, message) = readiness::condition(pod, "PodScheduled")?;
            (status == "False").then(|| Finding {
                cause: &CAUSE,
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
