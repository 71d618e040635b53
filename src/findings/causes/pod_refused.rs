use kube::Resource;
use kube::core::ObjectMeta;

use super::{backend_unreachable, database_unreachable, not_ready, page_unreachable};
use crate::exchange::names;
use crate::findings::{Cause, Finding, Need, Observed, Weight};
use crate::observe::Snapshot;
use crate::text::Hint;

/// A workload's pod is not even made: quota, Pod Security or another guard of the namespace refuses it.
pub static CAUSE: Cause = Cause {
    id: "KC020",
    slug: "pod-refused",
    title: "A pod cannot be created",
    text: include_str!("pod_refused.md"),
    explains: &[&not_ready::CAUSE, &database_unreachable::CAUSE, &backend_unreachable::CAUSE, &page_unreachable::CAUSE],
    needs: &[Need::Events(set_without_pods)],
    mend: None,
    judge: |observed| {
        let set = refused_to_set(observed).map(|says| (names::POSTGRES, "statefulset", says));
        let deployments = names::DEPLOYMENTS.into_iter();
        let refused =
            deployments.filter_map(|app| Some((app, "deployment", refused_to_deployment(observed, app)?))).chain(set);
        let finding = |(app, kind, says): (&'static str, &str, &str)| Finding {
            cause: &CAUSE,
            weight: Weight::Problem,
            app,
            object: format!("{kind}/{app}"),
            says: format!("cannot create its pod: {says}"),
            hint: hint(says, kind, app, observed),
        };
        refused.map(finding).collect()
    },
};

fn set_without_pods(snapshot: &Snapshot) -> Vec<&ObjectMeta> {
    let lacks = snapshot.pods_of(names::POSTGRES).next().is_none();
    snapshot.statefulset.present().filter(|_| lacks).map(Resource::meta).into_iter().collect()
}

/// A set says it in an event alone, which may be old: it counts while there is no pod.
fn refused_to_set<'a>(observed: &Observed<'a>) -> Option<&'a str> {
    if observed.snapshot.pods_of(names::POSTGRES).next().is_some() {
        return None;
    }
    let set = observed.snapshot.statefulset.present()?;
    let event = observed.details.newest(set, &["FailedCreate", "SuccessfulCreate"])?;
    (event.reason == "FailedCreate").then_some(event.message.as_str())
}

fn refused_to_deployment<'a>(observed: &Observed<'a>, app: &str) -> Option<&'a str> {
    let status = observed.snapshot.deployments.get(app)?.present()?.status.as_ref()?;
    let is_refusal = |condition: &&k8s_openapi::api::apps::v1::DeploymentCondition| {
        condition.type_ == "ReplicaFailure" && condition.status == "True"
    };
    status.conditions.as_ref()?.iter().find(is_refusal)?.message.as_deref()
}

fn hint(says: &str, kind: &str, app: &str, observed: &Observed) -> Hint {
    let by_hand = observed.by_hand;
    let has_data = observed.snapshot.claims().next().is_some();
    if says.contains("exceeded quota") {
        by_hand.kubectl("describe resourcequota").to("see what uses the quota")
    } else if says.contains("PodSecurity") && has_data {
        // Other storage would be another volume, without the data.
        by_hand
            .kubectl_of_cluster(["describe", "namespace", observed.namespace])
            .to("the data is safe on its volume; see what the namespace now requires of pods")
    } else if says.contains("PodSecurity") {
        by_hand.own("deploy --storage dynamic").to("run PostgreSQL as a non-root user")
    } else {
        by_hand.kubectl(["describe", kind, app]).to("see the details")
    }
}
