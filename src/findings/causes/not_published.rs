use super::{backend_unreachable, database_unreachable, page_unreachable};
use crate::findings::{Cause, Finding, Weight, services};
use crate::observe::readiness;

/// A Service without an address, though a pod of its workload is ready.
pub static CAUSE: Cause = Cause {
    id: "KC052",
    slug: "not-published",
    title: "A Service has no ready pod behind it",
    text: include_str!("not_published.md"),
    explains: &[&backend_unreachable::CAUSE, &database_unreachable::CAUSE, &page_unreachable::CAUSE],
    needs: &[],
    mend: None,
    judge: |observed| {
        let lacking = services::all(observed.snapshot).filter_map(|(app, name, _)| {
            let is_ready = observed.snapshot.pods_of(app).any(readiness::pod);
            let addresses = services::ready_endpoints(observed.snapshot, name)?;
            (is_ready && addresses == 0).then(|| Finding {
                cause: &CAUSE,
                weight: Weight::NotYet,
                app,
                object: format!("service/{name}"),
                says: format!(
                    "has no ready endpoint yet, though a pod of {} is ready",
                    observed.snapshot.workload(app)
                ),
                hint: observed
                    .by_hand
                    .kubectl(["get", "endpointslices", "-l", &format!("kubernetes.io/service-name={name}")])
                    .to("see its endpoints"),
            })
        });
        lacking.collect()
    },
};
