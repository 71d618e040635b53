use super::{backend_unreachable, database_unreachable, not_published, page_unreachable};
use crate::findings::{Cause, Finding, Weight, mends, services};
use k8s_openapi::api::core::v1::Pod;

/// A Service whose selector leads to no pod of its workload, or to others too.
pub static CAUSE: Cause = Cause {
    id: "KC050",
    slug: "selector-matches-nothing",
    title: "A Service selects no pod, or the wrong ones",
    text: include_str!("selector_matches_nothing.md"),
    explains: &[
        &not_published::CAUSE,
        &backend_unreachable::CAUSE,
        &database_unreachable::CAUSE,
        &page_unreachable::CAUSE,
    ],
    needs: &[],
    mend: Some(|observed, finding| mends::selector(observed, &finding.object)),
    judge: |observed| {
        let wrong = services::all(observed.snapshot).filter_map(|(app, name, service)| {
            let (labels, workload) = (services::selector(service), observed.snapshot.workload(app));
            let selected = |pod: &&Pod| services::selects(service, pod);
            let mut own = observed.snapshot.pods_of(app).peekable();
            own.peek()?;
            let says = if own.any(|pod| selected(&pod)) {
                let foreign = services::foreign(observed.snapshot, app, name);
                let pod = foreign.first()?;
                format!("selects {labels}, and so leads to pod/{pod} too, which is not of {workload}")
            } else {
                format!("selects {labels}, but no pod of {workload} has these labels")
            };
            Some(Finding {
                cause: &CAUSE,
                weight: Weight::Problem,
                app,
                object: format!("service/{name}"),
                says,
                hint: (observed.by_hand.own("deploy --force-conflicts").to("restore it"))
                    .and(observed.by_hand.kubectl("get pods --show-labels").to("see the labels")),
            })
        });
        wrong.collect()
    },
};
