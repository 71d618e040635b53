use super::{backend_unreachable, database_unreachable, not_ready, page_unreachable};
use crate::findings::refusals::{self, Rule};
use crate::findings::{Cause, Need};

/// A workload's pod is not even made: the quota of the namespace has no room for it.
pub static CAUSE: Cause = Cause {
    id: "KC032",
    slug: "quota-exceeded",
    title: "A quota is used up",
    text: include_str!("quota_exceeded.md"),
    explains: &[&not_ready::CAUSE, &database_unreachable::CAUSE, &backend_unreachable::CAUSE, &page_unreachable::CAUSE],
    needs: &[Need::Events(refusals::set_without_pods)],
    mend: None,
    judge: |observed| {
        refusals::found(observed, &CAUSE, Rule::Quota, |_, _| {
            observed.by_hand.kubectl("describe resourcequota").to("see what uses the quota")
        })
    },
};
