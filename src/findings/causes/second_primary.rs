use kube::ResourceExt;

use crate::exchange::names;
use crate::findings::{Cause, Finding, Weight};
use crate::observe::readiness;
use crate::observe::replication::is_primary;

/// More than one pod has the label of the primary: all but one are former ones that cannot say so.
pub static CAUSE: Cause = Cause {
    id: "KC085",
    slug: "second-primary",
    title: "A former primary still has the label of one",
    text: include_str!("second_primary.md"),
    explains: &[],
    needs: &[],
    mend: None,
    judge: |observed| {
        let snapshot = observed.snapshot;
        let Some(primary) = snapshot.primary().filter(|_| snapshot.is_replicated()) else { return vec![] };
        let others = snapshot.pods_of(names::POSTGRES).filter(|pod| is_primary(pod) && pod.uid() != primary.uid());
        let finding = others.map(|pod| Finding {
            cause: &CAUSE,
            // A ready one is still asked by its Service.
            weight: if readiness::pod(pod) { Weight::Problem } else { Weight::Warning },
            app: names::POSTGRES,
            object: format!("pod/{}", pod.name_any()),
            says: format!("has the label role=primary too, but pod/{} is the primary", primary.name_any()),
            hint: observed
                .by_hand
                .kubectl(["describe", "pod", &pod.name_any()])
                .to("see whether it is frozen, or cannot reach the API server"),
        });
        finding.collect()
    },
};
