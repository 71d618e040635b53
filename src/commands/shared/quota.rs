//! Whether the quotas have room for all pods that are to be made: the server tries each pod by itself.

use k8s_openapi::api::core::v1::{Pod, ResourceQuota};
use kube::ResourceExt;

use crate::exchange::settings::quantity;

/// What the quotas have too little room for, as sentences. A quota with a scope counts some pods alone, and is left out.
#[must_use]
pub fn too_small(quotas: &[ResourceQuota], pods: &[Pod]) -> Vec<String> {
    let counts_all = |quota: &&ResourceQuota| {
        let spec = quota.spec.as_ref();
        spec.is_some_and(|spec| spec.scope_selector.is_none() && spec.scopes.as_ref().is_none_or(Vec::is_empty))
    };
    let short = quotas.iter().filter(counts_all).flat_map(|quota| {
        let status = quota.status.clone().unwrap_or_default();
        let used = status.used.unwrap_or_default();
        status.hard.unwrap_or_default().into_iter().filter_map(move |(resource, hard)| {
            let used = used.get(&resource).map_or("0", |used| used.0.as_str());
            let needed = needed(&resource, pods)?;
            // A thousandth of a core is the least that is counted.
            let is_short = needed > quantity(&hard.0)? - quantity(used)? + 1e-6;
            let needed = written(&resource, needed);
            is_short.then(|| {
                let name = quota.name_any();
                format!(
                    "resourcequota/{name} does not leave enough for all pods: {needed} of {resource}, and {used} of {} is used",
                    hard.0
                )
            })
        })
    });
    short.collect()
}

/// What the quotas have too little room for once a pod that they count has made way for the next one, as sentences.
#[must_use]
pub fn too_small_without(quotas: &[ResourceQuota], gone: &Pod, next: &Pod) -> Vec<String> {
    let short = quotas.iter().flat_map(|quota| {
        let status = quota.status.clone().unwrap_or_default();
        let used = status.used.unwrap_or_default();
        status.hard.unwrap_or_default().into_iter().filter_map(move |(resource, hard)| {
            let used = used.get(&resource).map_or("0", |used| used.0.as_str());
            let next = needed(&resource, std::slice::from_ref(next))?;
            let freed = needed(&resource, std::slice::from_ref(gone))?;
            let is_short = next > quantity(&hard.0)? - quantity(used)? + freed + 1e-6;
            is_short.then(|| {
                let (name, needed) = (quota.name_any(), written(&resource, next));
                format!(
                    "resourcequota/{name} does not leave enough for it: it needs {needed} of {resource}, and {used} of {} is used",
                    hard.0
                )
            })
        })
    });
    short.collect()
}

/// What containers request and are limited to.
const COUNTED: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// How much of a quota's resource the pods take together; none if it is not counted by pods.
fn needed(resource: &str, pods: &[Pod]) -> Option<f64> {
    let resource = match resource {
        // As many as ever are made is no number that a float does not hold.
        "pods" | "count/pods" => return u32::try_from(pods.len()).ok().map(f64::from),
        _ if COUNTED.contains(&resource) => ("requests", resource),
        _ => resource
            .split_once('.')
            .filter(|(of, what)| ["requests", "limits"].contains(of) && COUNTED.contains(what))?,
    };
    let containers = pods.iter().filter_map(|pod| pod.spec.as_ref()).flat_map(|spec| &spec.containers);
    let amounts = containers.filter_map(|container| {
        let resources = container.resources.as_ref()?;
        let of = if resource.0 == "limits" { &resources.limits } else { &resources.requests };
        quantity(&of.as_ref()?.get(resource.1)?.0)
    });
    Some(amounts.sum())
}

/// An amount in the unit in which people write it.
fn written(resource: &str, amount: f64) -> String {
    if resource.ends_with("cpu") {
        format!("{:.0}m", amount * 1e3)
    } else if resource.ends_with("memory") || resource.ends_with("ephemeral-storage") {
        format!("{:.0}Mi", amount / f64::from(1 << 20))
    } else {
        amount.to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::exchange::objects::Objects;
    use crate::exchange::settings::{Settings, Storage};

    fn pods() -> Vec<Pod> {
        Objects::new(&Settings::of("alice", Storage::Dynamic { class: None })).unwrap().pods()
    }

    fn quota(hard: &Value, used: &Value) -> ResourceQuota {
        serde_json::from_value(json!({ "metadata": { "name": "small" }, "spec": { "hard": hard },
                                       "status": { "hard": hard, "used": used } }))
        .unwrap()
    }

    #[test]
    fn a_pod_that_goes_makes_room_for_the_next_one() {
        let pods = pods();
        let postgres = pods.iter().find(|pod| pod.name_any().starts_with("postgres")).unwrap();
        let without = |hard: Value, used: Value| too_small_without(&[quota(&hard, &used)], postgres, postgres);
        assert_eq!(without(json!({ "pods": "3" }), json!({ "pods": "3" })), [""; 0]);
        let told = without(json!({ "pods": "2" }), json!({ "pods": "3" }));
        assert_eq!(told, ["resourcequota/small does not leave enough for it: it needs 1 of pods, and 3 of 2 is used"],);
        assert_eq!(without(json!({ "services": "1" }), json!({ "services": "3" })), [""; 0]);
    }

    #[test]
    fn a_quota_too_small_for_all_together_is_told() {
        for (hard, used, says) in [
            (json!({ "pods": "3" }), json!({ "pods": "1" }), ": 3 of pods, and 1 of 3 is used"),
            (json!({ "count/pods": "2" }), json!({}), ": 3 of count/pods, and 0 of 2 is used"),
            (
                json!({ "requests.memory": "512Mi" }),
                json!({ "requests.memory": "200Mi" }),
                ": 384Mi of requests.memory, and 200Mi of 512Mi is used",
            ),
            (json!({ "cpu": "0.2" }), json!({ "cpu": "50m" }), ": 175m of cpu, and 50m of 0.2 is used"),
            (json!({ "limits.cpu": "2500m" }), json!({ "limits.cpu": "0" }), ": 3000m of limits.cpu"),
            (json!({ "limits.memory": "1Gi" }), json!({ "limits.memory": "200Mi" }), ": 896Mi of limits.memory"),
            (
                json!({ "requests.ephemeral-storage": "64Mi" }),
                json!({}),
                ": 96Mi of requests.ephemeral-storage, and 0 of 64Mi is used",
            ),
        ] {
            let told = too_small(&[quota(&hard, &used)], &pods());
            assert_eq!(told.len(), 1, "{hard} {told:?}");
            assert!(
                told[0].starts_with("resourcequota/small does not leave enough") && told[0].contains(says),
                "{told:?}"
            );
            // What is there already is counted as used, and needs no more.
            assert_eq!(too_small(&[quota(&hard, &used)], &[]), [""; 0]);
        }
    }

    #[test]
    fn what_fits_and_what_counts_something_else_is_not() {
        let fits = json!({ "pods": "3", "requests.cpu": "175m", "requests.memory": "384Mi", "limits.cpu": "3", "limits.memory": "896Mi" });
        let other =
            json!({ "services": "1", "requests.storage": "1Mi", "requests.nvidia.com/gpu": "0", "pods": "many" });
        assert_eq!(too_small(&[quota(&fits, &json!({})), quota(&other, &json!({}))], &pods()), [""; 0]);
        let mut scoped = quota(&json!({ "pods": "0" }), &json!({}));
        scoped.spec.as_mut().unwrap().scopes = Some(vec!["BestEffort".to_owned()]);
        assert_eq!(too_small(&[scoped], &pods()), [""; 0]);
    }
}
