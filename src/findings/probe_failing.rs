use kube::ResourceExt;

use super::finding::{Finding, Rule, Weight};
use super::pods;
use crate::observe::container;

/// A container runs, but a probe fails.
pub const RULE: Rule = Rule {
    code: "probe-failing",
    hides: &["starting", "not-ready"],
    judge: |observed| {
        let failing = pods::not_ready(observed).into_iter().filter_map(|(app, pod)| {
            let container = container::status(pod, app)?;
            container.state.as_ref()?.running.as_ref()?;
            let event = observed.details.newest(pod, &["Unhealthy"])?;
            // A server takes a moment to start; one that was restarted for it has had its time.
            let weight = if container.restart_count > 0 { Weight::Problem } else { Weight::NotYet };
            Some(Finding {
                code: RULE.code,
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
