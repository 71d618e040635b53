use super::{
    backend_unreachable, database_unreachable, not_ready, page_unreachable, pod_refused, quota_exceeded, unschedulable,
};
use crate::exchange::names;
use crate::findings::dns::{no_replicas, pod_missing, pod_not_ready};
use crate::findings::{Cause, Finding, Observed, Weight, mends};
use crate::observe::Reading;

/// A workload is scaled to no pod, or the set to several that have one volume, which is for one pod.
pub static CAUSE: Cause = Cause {
    id: "KC040",
    slug: "replicas",
    title: "A workload is scaled to a number that does not work",
    text: include_str!("replicas.md"),
    explains: &[
        &no_replicas::CAUSE,
        &pod_missing::CAUSE,
        &pod_not_ready::CAUSE,
        &unschedulable::CAUSE,
        &quota_exceeded::CAUSE,
        &pod_refused::CAUSE,
        &not_ready::CAUSE,
        &database_unreachable::CAUSE,
        &backend_unreachable::CAUSE,
        &page_unreachable::CAUSE,
    ],
    needs: &[],
    mend: Some(|observed, finding| mends::scaled(observed, finding.app)),
    judge: |observed| of_set(observed).into_iter().chain(of_deployments(observed)).collect(),
};

/// What scaling is for where nothing runs.
const START: &str = "start it again";

fn of_set(observed: &Observed) -> Option<Finding> {
    let spec = observed.snapshot.statefulset.present()?.spec.as_ref()?;
    let has_claims = spec.volume_claim_templates.iter().flatten().next().is_some();
    let (says, purpose) = match spec.replicas? {
        0 => ("is scaled to 0: no database runs. Its data stays on the volume".to_owned(), START),
        replicas if replicas > 1 && !has_claims => {
            let says = format!(
                "is scaled to {replicas}, but its one volume (ReadWriteOncePod) is for one pod: the others stay Pending. \
                 More pods of a PostgreSQL would be more databases, not a larger one"
            );
            (says, "go back to one pod")
        }
        _ => return None,
    };
    Some(finding(observed, names::POSTGRES, "statefulset", says, purpose))
}

fn of_deployments(observed: &Observed) -> impl Iterator<Item = Finding> {
    names::DEPLOYMENTS.into_iter().filter_map(|app| {
        let deployment = observed.snapshot.deployments.get(app).and_then(Reading::present)?;
        let is_none = deployment.spec.as_ref().and_then(|spec| spec.replicas) == Some(0);
        is_none.then(|| finding(observed, app, "deployment", "is scaled to 0: none of its pods runs".to_owned(), START))
    })
}

fn finding(observed: &Observed, app: &'static str, kind: &str, says: String, purpose: &str) -> Finding {
    let replicas = format!("--replicas={}", mends::replicas(observed, app));
    let hint = observed.by_hand.kubectl(["scale", kind, app, &replicas]).to(purpose);
    Finding { cause: &CAUSE, weight: Weight::Problem, app, object: format!("{kind}/{app}"), says, hint }
}
