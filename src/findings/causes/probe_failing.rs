use kube::ResourceExt;

use super::{backend_unreachable, database_unreachable, not_ready, page_unreachable, starting};
use crate::findings::{Cause, Finding, Need, Weight, pods};
use crate::observe::container;

/// A container runs, but a probe fails.
pub static CAUSE: Cause = Cause {
    id: "KC024",
    slug: "probe-failing",
    title: "A container runs, but its probe fails",
    text: include_str!("probe_failing.md"),
    explains: &[
        &starting::CAUSE,
        &not_ready::CAUSE,
        &database_unreachable::CAUSE,
        &backend_unreachable::CAUSE,
        &page_unreachable::CAUSE,
    ],
    needs: &[Need::Events(pods::not_ready_objects)],
    mend: None,
    judge: |observed| {
        let failing = pods::not_ready(observed).into_iter().filter_map(|(app, pod)| {
            let container = container::status(pod, app)?;
            container.state.as_ref()?.running.as_ref()?;
            let event = observed.details.newest(pod, &["Unhealthy"])?;
            // A server takes a moment to start; one that was restarted for it has had its time.
            let weight = if container.restart_count > 0 { Weight::Problem } else { Weight::NotYet };
            Some(Finding {
                cause: &CAUSE,
                weight,
                app,
                object: pods::reference(pod),
                says: format!("runs, but is not ready: {}", event.message),
                hint: observed.by_hand.kubectl(["logs", &pod.name_any()]).to("read its log"),
            })
        });
        failing.collect()
    },
};
