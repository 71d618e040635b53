use jiff::SignedDuration;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::{Resource, ResourceExt};

use super::{
    backend_unreachable, changed_by_hand, database_unreachable, not_published, not_ready, page_unreachable,
    pod_refused, selector_matches_nothing,
};
use crate::exchange::names;
use crate::findings::{Cause, Finding, Mend, Observed, Weight, mends, pods};
use crate::observe::Reading;
use crate::observe::target::pod_names;
use crate::text::Hint;

/// A pod runs that no longer belongs to the workload that has created it.
pub static CAUSE: Cause = Cause {
    id: "KC029",
    slug: "orphaned-pod",
    title: "A pod no longer belongs to its workload",
    text: include_str!("orphaned_pod.md"),
    explains: &[
        &changed_by_hand::CAUSE,
        &pod_refused::CAUSE,
        &not_ready::CAUSE,
        &selector_matches_nothing::CAUSE,
        &not_published::CAUSE,
        &database_unreachable::CAUSE,
        &backend_unreachable::CAUSE,
        &page_unreachable::CAUSE,
    ],
    needs: &[],
    mend: Some(relabelled),
    judge: |observed| {
        let pods = observed.snapshot.pods.present().into_iter().flatten().filter(|pod| !pods::is_stopping(pod));
        pods.filter_map(|pod| of_set(observed, pod).or_else(|| of_deployment(observed, pod))).collect()
    },
};

/// A pod with the name of a member, which the set cannot use, and so cannot create.
fn of_set(observed: &Observed, pod: &Pod) -> Option<Finding> {
    let set = observed.snapshot.statefulset.present().filter(|set| set.metadata.deletion_timestamp.is_none())?;
    pod_names(set).into_iter().find(|name| *name == pod.name_any())?;
    let lacking = labels_lacking(set, pod);
    let (says, hint) = if !lacking.is_empty() {
        let says = format!(
            "does not have the label {}, by which the StatefulSet finds its pods: so the set cannot create its own {}",
            lacking.join(","),
            pod.name_any()
        );
        (says, label(observed, pod, lacking))
    } else if controller(pod).map(|owner| &owner.uid) == set.metadata.uid.as_ref() || !has_settled(observed, set, pod) {
        return None;
    } else {
        let whose = controller(pod).map_or("no controller".to_owned(), |it| format!("{} {}", it.kind, it.name));
        let says =
            format!("belongs to {whose}, not to the StatefulSet, which cannot create its own {}", pod.name_any());
        let delete = observed.by_hand.kubectl(["delete", &pods::reference(pod)]);
        (says, delete.to("delete it, so that the StatefulSet creates its own"))
    };
    let object = pods::reference(pod);
    Some(Finding { cause: &CAUSE, weight: Weight::Problem, app: names::POSTGRES, object, says, hint })
}

/// What the set selects by and the pod does not have, as kubectl sets it.
fn labels_lacking(set: &StatefulSet, pod: &Pod) -> Vec<String> {
    let selector = set.spec.iter().flat_map(|spec| spec.selector.match_labels.iter().flatten());
    let lacking = selector.filter(|(key, value)| pod.labels().get(*key) != Some(value));
    lacking.map(|(key, value)| format!("{key}={value}")).collect()
}

/// Its label again, if that is all that it lacks.
fn relabelled(observed: &Observed, finding: &Finding) -> Option<Mend> {
    let set = observed.snapshot.statefulset.present()?;
    let mut pods = observed.snapshot.pods.present()?.iter();
    let pod = pods.find(|pod| pods::reference(pod) == finding.object)?;
    let selector = set.spec.as_ref()?.selector.match_labels.as_ref()?;
    let lacking = !labels_lacking(set, pod).is_empty();
    let is_member = pod_names(set).contains(&pod.name_any());
    (lacking && is_member).then(|| mends::labels(pod, selector))?
}

fn label(observed: &Observed, pod: &Pod, labels: Vec<String>) -> Hint {
    let words = ["label".to_owned(), pods::reference(pod)].into_iter().chain(labels).chain(["--overwrite".to_owned()]);
    observed.by_hand.kubectl(words.collect::<Vec<_>>()).to("give it its label again")
}

/// A pod that a Deployment has created, and that none of its ReplicaSets controls: it does harm no more than that nobody
/// restarts, updates or deletes it.
fn of_deployment(observed: &Observed, pod: &Pod) -> Option<Finding> {
    let created_by =
        |app: &&str| pod.metadata.generate_name.as_ref().is_some_and(|it| it.starts_with(&format!("{app}-")));
    let app = names::DEPLOYMENTS.into_iter().find(created_by)?;
    let deployment = observed.snapshot.deployments.get(app).and_then(Reading::present)?;
    if controller(pod).is_some() || !has_settled(observed, deployment, pod) {
        return None;
    }
    Some(Finding {
        cause: &CAUSE,
        weight: Weight::Warning,
        app,
        object: pods::reference(pod),
        says: format!(
            "was created by deployment/{app}, and belongs to no controller now: nobody updates or replaces it"
        ),
        hint: (observed.by_hand.kubectl(["delete", &pods::reference(pod)])).to("if nobody needs it, delete it"),
    })
}

fn controller(pod: &Pod) -> Option<&OwnerReference> {
    pod.owner_references().iter().find(|owner| owner.controller == Some(true))
}

/// How long a controller takes to adopt a pod, and more.
const ADOPTION: SignedDuration = SignedDuration::from_secs(30);

/// Whether both are old enough that the controller has adopted the pod if it will.
fn has_settled(observed: &Observed, workload: &impl Resource, pod: &Pod) -> bool {
    let times = [&workload.meta().creation_timestamp, &pod.metadata.creation_timestamp];
    times.into_iter().all(|time| time.as_ref().is_some_and(|time| observed.now.duration_since(time.0) > ADOPTION))
}
