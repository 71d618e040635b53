use super::{backend_unreachable, database_unreachable, not_ready, page_unreachable};
use crate::findings::refusals::{self, Rule};
use crate::findings::{Cause, Need};

/// A workload's pod is not even made: it breaks the Pod Security level of the namespace.
pub static CAUSE: Cause = Cause {
    id: "KC033",
    slug: "pod-security",
    title: "The namespace forbids a pod like this",
    text: include_str!("pod_security.md"),
    explains: &[&not_ready::CAUSE, &database_unreachable::CAUSE, &backend_unreachable::CAUSE, &page_unreachable::CAUSE],
    needs: &[Need::Events(refusals::set_without_pods)],
    mend: None,
    judge: |observed| {
        refusals::found(observed, &CAUSE, Rule::PodSecurity, |_, _| {
            // Other storage would be another volume, without the data.
            let has_data = observed.snapshot.claims().next().is_some();
            if has_data || observed.snapshot.target.is_some() {
                observed
                    .by_hand
                    .kubectl_of_cluster(["describe", "namespace", observed.namespace])
                    .to("no data is lost by this; see what the namespace now requires of pods")
            } else {
                observed.by_hand.own("deploy --storage dynamic").to("run PostgreSQL as a non-root user")
            }
        })
    },
};
