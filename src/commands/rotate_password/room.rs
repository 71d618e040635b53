//! Whether the backend's next pod has room. Found out before anything is changed: once PostgreSQL has another password, only
//! that pod knows it.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::commands::shared::next_pod;
use crate::error::Error;
use crate::exchange::{names, objects};
use crate::kubernetes::{Cluster, Place};
use crate::text::Hint;

/// Refuses a rollout that would come to no end, as under a quota that leaves no room for one more pod. It is pods that the
/// server refuses, not Deployments, so a pod is tried.
pub async fn check(cluster: &Cluster, backend: &Deployment) -> anyhow::Result<()> {
    let Some(spec) = backend.spec.as_ref().filter(|spec| comes_beside(spec)) else { return Ok(()) };
    let pod = objects::pod_of(names::BACKEND, backend.metadata.namespace.as_ref(), &spec.template);
    let Some(words) = next_pod::refusal(cluster, &pod).await? else { return Ok(()) };
    Err(Error::new(
        format!(
            "the backend's next pod would be rejected, so nothing was changed ({}): {words}",
            cluster.place().in_words()
        ),
        hint(&words, cluster.place(), replicas(spec)),
    )
    .into())
}

fn hint(words: &str, place: &Place, replicas: i32) -> Hint {
    let Place { namespace, by_hand, .. } = place;
    if words.contains("exceeded quota") {
        let backend = format!("deployment/{}", names::BACKEND);
        let stop = by_hand.kubectl(["scale", &backend, "--replicas=0"]);
        let start = by_hand.kubectl(["scale", &backend, &format!("--replicas={replicas}")]);
        (stop.to("ask for a quota of one more pod, or stop the backend first"))
            .and("run this again")
            .and(start.to("and start the backend"))
    } else {
        by_hand.kubectl_of_cluster(["describe", "namespace", namespace]).to("see what the namespace requires of pods")
    }
}

/// Whether a new pod comes before an old one goes: if there are pods at all, more than wanted may be there, and none may
/// be missing.
fn comes_beside(spec: &DeploymentSpec) -> bool {
    let strategy = spec.strategy.as_ref();
    let rolling = strategy.and_then(|strategy| strategy.rolling_update.as_ref());
    let surge = rolling.and_then(|rolling| rolling.max_surge.as_ref());
    let unavailable = rolling.and_then(|rolling| rolling.max_unavailable.as_ref());
    let replicas = replicas(spec);
    replicas > 0
        && strategy.and_then(|strategy| strategy.type_.as_deref()) != Some("Recreate")
        && hundredths(surge, replicas) > 0
        && hundredths(unavailable, replicas) < 100
}

fn replicas(spec: &DeploymentSpec) -> i32 {
    spec.replicas.unwrap_or(1)
}

/// A number of pods, or a percentage of them, in hundredths of a pod. The server rounds up how many may be there too many,
/// and down how many may be missing.
fn hundredths(value: Option<&IntOrString>, replicas: i32) -> i64 {
    match value {
        Some(IntOrString::Int(pods)) => i64::from(*pods) * 100,
        Some(IntOrString::String(percent)) => {
            percent.trim_end_matches('%').parse().map_or(0, |percent: i32| i64::from(percent) * i64::from(replicas))
        }
        None => 25 * i64::from(replicas),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_needs_room_where_none_of_the_old_ones_goes_before_it() {
        let beside = |replicas: i32, strategy: serde_json::Value| {
            let spec = json!({ "replicas": replicas, "selector": {}, "template": {}, "strategy": strategy });
            comes_beside(&serde_json::from_value(spec).unwrap())
        };
        let rolling = |surge: serde_json::Value, unavailable: serde_json::Value| json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": surge, "maxUnavailable": unavailable } });
        let usual = || rolling(json!("25%"), json!("25%"));
        assert!(beside(1, json!({})) && beside(1, usual()) && beside(3, usual()));
        assert!(beside(2, rolling(json!(1), json!(0))));
        assert!(!beside(4, usual()), "one of four may be missing");
        assert!(!beside(0, usual()), "there are none");
        assert!(!beside(1, rolling(json!(0), json!(1))));
        assert!(!beside(1, rolling(json!("0%"), json!("25%"))), "then the server lets one be missing");
        assert!(!beside(1, json!({ "type": "Recreate" })));
    }
}
