use super::{backend_unreachable, database_unreachable, page_unreachable};
use crate::exchange::names;
use crate::findings::dns::{pod_missing, pod_not_ready};
use crate::findings::{Cause, Finding, Weight};
use crate::observe::{Reading, Snapshot, readiness};

/// A workload is not ready, and no pod says why.
pub static CAUSE: Cause = Cause {
    id: "KC004",
    slug: "not-ready",
    title: "A workload is not ready",
    text: include_str!("not_ready.md"),
    explains: &[
        &pod_missing::CAUSE,
        &pod_not_ready::CAUSE,
        &database_unreachable::CAUSE,
        &backend_unreachable::CAUSE,
        &page_unreachable::CAUSE,
    ],
    needs: &[],
    mend: None,
    judge: |observed| {
        let snapshot = observed.snapshot;
        let finding = |app: &'static str, kind: &str, ready: i32, wanted: i32| Finding {
            cause: &CAUSE,
            weight: Weight::NotYet,
            app,
            object: format!("{kind}/{}", snapshot.workload(app)),
            says: format!("{ready}/{wanted} ready: its newest revision is not complete"),
            hint: observed.by_hand.kubectl(["describe", kind, snapshot.workload(app)]).to("see why"),
        };
        let mut all = Vec::new();
        if let Reading::Present(set) = &snapshot.statefulset
            && !readiness::statefulset(set)
            && readiness::held_back(set).is_none()
        {
            let ready = set.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0);
            let wanted = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
            all.push(finding(names::POSTGRES, "statefulset", ready, wanted));
        }
        for app in names::DEPLOYMENTS {
            if let Some(Reading::Present(deployment)) = snapshot.deployments.get(app)
                && !readiness::deployment(deployment)
            {
                let ready = deployment.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0);
                let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
                all.push(finding(app, "deployment", ready, wanted));
            }
        }
        // A status may still speak of pods that are gone.
        if matches!(snapshot.pods, Reading::Present(_)) {
            for (app, kind) in names::KINDS {
                let is_there = match kind {
                    "statefulset" => snapshot.statefulset.present().is_some(),
                    _ => snapshot.deployments.get(app).is_some_and(|reading| reading.present().is_some()),
                };
                // Another set may have no pods on purpose.
                let is_stopped = snapshot.target.is_some() && wants_none(snapshot);
                let is_told = all.iter().any(|finding| finding.app == app);
                if is_there && !is_told && !is_stopped && !snapshot.pods_of(app).any(readiness::pod) {
                    all.push(finding(app, kind, 0, 1));
                }
            }
        }
        all
    },
};

/// Whether the set is scaled to 0.
fn wants_none(snapshot: &Snapshot) -> bool {
    snapshot.statefulset.present().and_then(|set| set.spec.as_ref()?.replicas) == Some(0)
}
