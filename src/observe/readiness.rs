//! Whether a workload is ready: all of its newest generation, not what was there before.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::Pod;

/// Whether the controller has seen what the set is to be by now, so that its status is of that.
#[must_use]
pub fn is_observed(set: &StatefulSet) -> bool {
    set.status.as_ref().is_some_and(|status| status.observed_generation >= set.metadata.generation)
}

/// Whether all replicas are of the newest revision and ready.
#[must_use]
pub fn statefulset(set: &StatefulSet) -> bool {
    let (Some(spec), Some(status)) = (&set.spec, &set.status) else { return false };
    let wanted = spec.replicas.unwrap_or(1);
    is_observed(set)
        && status.ready_replicas.unwrap_or(0) == wanted
        && status.replicas == wanted
        && (status.current_revision == status.update_revision || status.updated_replicas == Some(wanted))
}

/// How a set was told to keep pods of an older revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeldBack {
    /// A pod is updated when it is deleted.
    OnDelete,
    /// Only pods from this number on are updated.
    Partition(i32),
}

/// Why a set does not replace its pods of an older revision, if it was told not to and waits for nothing else: all its pods
/// are ready, and those that it may update are of the newest revision.
#[must_use]
pub fn held_back(set: &StatefulSet) -> Option<HeldBack> {
    let (Some(spec), Some(status)) = (&set.spec, &set.status) else { return None };
    let wanted = spec.replicas.unwrap_or(1);
    let is_settled = is_observed(set) && status.ready_replicas.unwrap_or(0) == wanted && status.replicas == wanted;
    let (Some(current), Some(newest)) = (&status.current_revision, &status.update_revision) else { return None };
    let updated = status.updated_replicas.unwrap_or(0);
    if !is_settled || current == newest || updated >= wanted {
        return None;
    }
    let strategy = spec.update_strategy.as_ref()?;
    if strategy.type_.as_deref() == Some("OnDelete") {
        return Some(HeldBack::OnDelete);
    }
    let partition = strategy.rolling_update.as_ref()?.partition.filter(|partition| *partition > 0)?;
    let first = spec.ordinals.as_ref().and_then(|ordinals| ordinals.start).unwrap_or(0);
    (updated >= wanted - partition).then_some(HeldBack::Partition(first.saturating_add(partition)))
}

/// Whether all replicas are of the newest revision and available, and none of an older one is left.
#[must_use]
pub fn deployment(deployment: &Deployment) -> bool {
    let (Some(spec), Some(status)) = (&deployment.spec, &deployment.status) else { return false };
    let wanted = spec.replicas.unwrap_or(1);
    status.observed_generation >= deployment.metadata.generation
        && status.updated_replicas.unwrap_or(0) == wanted
        && status.available_replicas.unwrap_or(0) == wanted
        && status.replicas.unwrap_or(0) == wanted
}

/// Whether a pod is ready, and not on its way out.
#[must_use]
pub fn pod(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_none() && condition(pod, "Ready").is_some_and(|(status, _)| status == "True")
}

/// A condition of a pod: its status and its message.
#[must_use]
pub fn condition<'a>(pod: &'a Pod, kind: &str) -> Option<(&'a str, &'a str)> {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let condition = conditions.iter().find(|condition| condition.type_ == kind)?;
    Some((&condition.status, condition.message.as_deref().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(status: &serde_json::Value) -> bool {
        statefulset(
            &serde_json::from_value(json!({
                "metadata": { "generation": 2 },
                "spec": { "replicas": 1, "selector": {}, "template": {} },
                "status": status,
            }))
            .unwrap(),
        )
    }

    #[test]
    fn a_set_is_ready_in_its_newest_revision_alone() {
        let ready = json!({ "observedGeneration": 2, "replicas": 1, "readyReplicas": 1, "currentRevision": "b",
                            "updateRevision": "b" });
        assert!(set(&ready));
        for (field, value) in [
            ("observedGeneration", json!(1)),
            ("readyReplicas", json!(0)),
            ("replicas", json!(2)),
            ("currentRevision", json!("a")),
        ] {
            let mut other = ready.clone();
            other[field] = value;
            assert!(!set(&other), "{field}");
        }
        assert!(!set(&json!({ "replicas": 0 })));
    }

    #[test]
    fn a_set_that_was_told_to_keep_its_pods_waits_for_nothing() {
        let held = |strategy: serde_json::Value, replicas: i32, ready: i32, updated: i32, newest: &str| {
            let set = serde_json::from_value(json!({
                "metadata": { "generation": 2 },
                "spec": { "replicas": replicas, "selector": {}, "template": {}, "updateStrategy": strategy },
                "status": { "observedGeneration": 2, "replicas": replicas, "readyReplicas": ready,
                            "updatedReplicas": updated, "currentRevision": "a", "updateRevision": newest },
            }));
            held_back(&set.unwrap())
        };
        let on_delete = || json!({ "type": "OnDelete" });
        let partition = |at: i32| json!({ "type": "RollingUpdate", "rollingUpdate": { "partition": at } });
        assert_eq!(held(on_delete(), 1, 1, 0, "b"), Some(HeldBack::OnDelete));
        assert_eq!(held(partition(1), 1, 1, 0, "b"), Some(HeldBack::Partition(1)));
        assert_eq!(held(partition(2), 3, 3, 1, "b"), Some(HeldBack::Partition(2)));
        assert_eq!(held(partition(9), 3, 3, 0, "b"), Some(HeldBack::Partition(9)));
        // It goes on by itself, has nothing to update, or waits for a pod.
        assert_eq!(held(partition(2), 3, 3, 0, "b"), None);
        assert_eq!(held(partition(0), 1, 1, 0, "b"), None);
        assert_eq!(held(on_delete(), 1, 1, 0, "a"), None);
        assert_eq!(held(on_delete(), 1, 1, 1, "b"), None);
        assert_eq!(held(on_delete(), 1, 0, 0, "b"), None);
    }

    #[test]
    fn a_deployment_with_an_old_pod_left_is_not_ready() {
        let is_ready = |replicas: i32, generation: i32| {
            deployment(
                &serde_json::from_value(json!({
                    "metadata": { "generation": 2 },
                    "spec": { "replicas": 1, "selector": {}, "template": {} },
                    "status": { "observedGeneration": generation, "replicas": replicas, "updatedReplicas": 1,
                                "availableReplicas": 1 },
                }))
                .unwrap(),
            )
        };
        assert!(is_ready(1, 2));
        assert!(!is_ready(2, 2));
        assert!(!is_ready(1, 1));
    }

    #[test]
    fn a_pod_on_its_way_out_is_not_ready() {
        let mut one: Pod =
            serde_json::from_value(json!({ "status": { "conditions": [{ "type": "Ready", "status": "True" }] } }))
                .unwrap();
        assert!(pod(&one));
        one.metadata.deletion_timestamp = Some(serde_json::from_value(json!("2026-11-23T20:00:00Z")).unwrap());
        assert!(!pod(&one));
    }
}
