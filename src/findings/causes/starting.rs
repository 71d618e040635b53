use super::{backend_unreachable, database_unreachable, not_ready, page_unreachable};
use crate::findings::dns::{pod_missing, pod_not_ready};
use crate::findings::{Cause, Finding, Need, Weight, pods};
use crate::observe::container;
use crate::text::duration;

/// A pod is on its way, and nothing is wrong with it so far.
pub static CAUSE: Cause = Cause {
    id: "KC026",
    slug: "starting",
    title: "A pod is starting",
    text: include_str!("starting.md"),
    explains: &[
        &pod_missing::CAUSE,
        &pod_not_ready::CAUSE,
        &not_ready::CAUSE,
        &database_unreachable::CAUSE,
        &backend_unreachable::CAUSE,
        &page_unreachable::CAUSE,
    ],
    needs: &[Need::Events(pods::not_ready_objects)],
    mend: None,
    judge: |observed| {
        let on_their_way = pods::not_ready(observed).into_iter().filter(|(_, pod)| !pods::is_stopping(pod));
        let starting = on_their_way.map(|(app, pod)| {
            let running =
                container::status(pod, app).and_then(|container| container.state.as_ref()?.running.as_ref()).is_some();
            let latest = observed.details.newest(pod, &["Pulling", "Pulled", "FailedMount", "FailedAttachVolume"]);
            let says = if running {
                "runs, but is not ready yet".to_owned()
            } else {
                match latest {
                    Some(event) if event.reason == "Pulling" => {
                        let since = event.at.map(|at| format!(" for {}", duration(observed.now.duration_since(at))));
                        format!("is pulling its image {}{}", pods::image(pod, app), since.unwrap_or_default())
                    }
                    Some(event) if event.reason != "Pulled" => format!("is waiting for its volume: {}", event.message),
                    _ => "is being created".to_owned(),
                }
            };
            Finding {
                cause: &CAUSE,
                weight: Weight::NotYet,
                app,
                object: pods::reference(pod),
                says,
                hint: observed.by_hand.kubectl("get pods -w").to("watch it"),
            }
        });
        starting.collect()
    },
};
