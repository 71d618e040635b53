//! Of which revision of its set a pod comes back, as the set's controller decides it (`newVersionedStatefulSetPod`).

use k8s_openapi::api::apps::v1::StatefulSet;

use crate::observe::readiness;

/// Whether the set replaces pods of older templates by itself. Of such sets alone `kubectl rollout status` tells.
fn is_rolling(set: &StatefulSet) -> bool {
    let strategy = set.spec.as_ref().and_then(|spec| spec.update_strategy.as_ref()?.type_.as_deref());
    strategy.is_none_or(|strategy| strategy == "RollingUpdate")
}

/// Whether the set replaces the pod of an ordinal by itself until it is of the newest template.
#[must_use]
pub fn is_rolled_out(set: &StatefulSet, ordinal: i32) -> bool {
    is_rolling(set) && ordinal >= first_of_update(set)
}

/// The revision of the pod that the set makes next for an ordinal; none if the set's controller has not seen its newest
/// template yet.
#[must_use]
pub fn of_next(set: &StatefulSet, ordinal: i32) -> Option<&str> {
    let status = set.status.as_ref().filter(|_| readiness::is_observed(set))?;
    if ordinal < first_of_update(set) { status.current_revision.as_deref() } else { status.update_revision.as_deref() }
}

/// The ordinal from which on pods are made of the newest template.
fn first_of_update(set: &StatefulSet) -> i32 {
    let start = set.spec.as_ref().and_then(|spec| spec.ordinals.as_ref()?.start).unwrap_or(0);
    let rolling = set.spec.as_ref().and_then(|spec| spec.update_strategy.as_ref()?.rolling_update.as_ref());
    let kept = match rolling {
        Some(rolling) => rolling.partition.unwrap_or(0),
        None if is_rolling(set) => set.status.as_ref().and_then(|status| status.current_replicas).unwrap_or(0),
        None => 0,
    };
    start.saturating_add(kept)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A set whose template was changed after its first pods were made.
    fn set(strategy: &Value, start: i32) -> StatefulSet {
        serde_json::from_value(json!({
            "metadata": { "name": "store", "generation": 2 },
            "spec": { "replicas": 3, "serviceName": "store", "selector": {}, "template": {},
                      "ordinals": { "start": start }, "updateStrategy": strategy },
            "status": { "replicas": 3, "observedGeneration": 2, "currentReplicas": 2, "currentRevision": "old",
                        "updateRevision": "new" },
        }))
        .unwrap()
    }

    #[test]
    fn a_pod_comes_back_of_the_revision_that_the_controller_uses() {
        let partition = |at: i32| json!({ "type": "RollingUpdate", "rollingUpdate": { "partition": at } });
        let unset = || json!({ "type": "RollingUpdate" });
        let on_delete = || json!({ "type": "OnDelete" });
        for (strategy, start, ordinal, wanted) in [
            (partition(0), 0, 0, "new"),
            (partition(2), 0, 0, "old"),
            (partition(2), 0, 1, "old"),
            (partition(2), 0, 2, "new"),
            (partition(9), 0, 2, "old"),
            // A partition counts from the first ordinal.
            (partition(2), 7, 8, "old"),
            (partition(2), 7, 9, "new"),
            (json!({ "type": "RollingUpdate", "rollingUpdate": {} }), 0, 0, "new"),
            // Without a partition as many stay as are there of the old one.
            (unset(), 0, 1, "old"),
            (unset(), 0, 2, "new"),
            (unset(), 7, 8, "old"),
            (unset(), 7, 9, "new"),
            (Value::Null, 0, 1, "old"),
            // Deleting is how the newest template gets there.
            (on_delete(), 0, 0, "new"),
            (on_delete(), 7, 7, "new"),
        ] {
            let set = set(&strategy, start);
            assert_eq!(of_next(&set, ordinal), Some(wanted), "{strategy} from {start}: {ordinal}");
        }
    }

    #[test]
    fn before_the_controller_has_seen_the_template_nothing_is_known() {
        let mut late = set(&json!({ "type": "OnDelete" }), 0);
        late.metadata.generation = Some(3);
        assert_eq!(of_next(&late, 0), None);
        late.status = None;
        assert_eq!(of_next(&late, 0), None);
    }
}
