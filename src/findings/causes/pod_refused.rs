use super::{backend_unreachable, database_unreachable, not_ready, page_unreachable};
use crate::findings::refusals::{self, Rule};
use crate::findings::{Cause, Need};

/// A workload's pod is not even made: a `LimitRange` or another guard of the namespace refuses it.
pub static CAUSE: Cause = Cause {
    id: "KC020",
    slug: "pod-refused",
    title: "A pod cannot be created",
    text: include_str!("pod_refused.md"),
    explains: &[&not_ready::CAUSE, &database_unreachable::CAUSE, &backend_unreachable::CAUSE, &page_unreachable::CAUSE],
    needs: &[Need::Events(refusals::set_without_pods)],
    mend: None,
    judge: |observed| {
        refusals::found(observed, &CAUSE, Rule::Other, |kind, app| {
            observed.by_hand.kubectl(["describe", kind, app]).to("see the details")
        })
    },
};
