//! In which order pods are replaced and deleted.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt;

use super::live::{self, Live};
use super::shown::{self, Fact, Shown, Table};
use super::{Look, Topic};
use crate::exchange::names;

pub const TOPIC: Topic = Topic {
    name: "rollout",
    title: "Rollout: in which order pods are replaced and deleted",
    question: Some(4),
    idea: [
        "By default, when a StatefulSet is scaled down, and in a rolling update, its pods go one after another, the highest number first.",
        "When the set itself is deleted, its pods are deleted in no order: to keep the order, scale the set to 0 first.",
        "A Deployment has no order: in a rolling update it usually starts a new pod before it deletes an old one.",
    ],
    shows,
    not_shown,
    by_hand: &[
        Look::in_namespace("see whether a rollout is complete", "rollout status statefulset/postgres --timeout 10s"),
        Look::in_namespace("see the revisions of the set", "rollout history statefulset/postgres"),
        Look::in_namespace(
            "see the revision of each pod of the set",
            "get pods -l app=postgres -L controller-revision-hash",
        ),
        Look::of_cluster("read what decides about the order", "explain statefulset.spec.podManagementPolicy"),
    ],
};

const COLUMNS: &[&str] = &["WORKLOAD", "PODS", "STRATEGY", "IN-AN-UPDATE"];

fn shows(live: &Live) -> Vec<Shown> {
    let set = &live.snapshot.statefulset;
    let object = live.snapshot.set_reference();
    let deployments = names::DEPLOYMENTS.into_iter().filter_map(|name| live.snapshot.deployments.get(name)?.present());
    let rows: Vec<_> = set.present().map(of_set).into_iter().chain(deployments.map(of_deployment)).collect();
    let mut all = Vec::new();
    if !rows.is_empty() {
        all.push(Table { columns: COLUMNS, rows }.into());
    }
    all.extend(shown::of(&object, set, |set| vec![order(&object, set), revision(&object, set)]));
    all.extend(live.set_pods().flat_map(|pod| of_pod(live.set(), pod)));
    all
}

/// What a strategy is if the object does not say.
const ROLLING: &str = "RollingUpdate";

fn of_set(set: &StatefulSet) -> Vec<String> {
    let spec = set.spec.clone().unwrap_or_default();
    let strategy = strategy(set);
    let does = match (strategy, partition(set)) {
        ("OnDelete", _) => "replaces no pod by itself".to_owned(),
        (_, Some(first)) => format!("replaces the pods from number {first} on"),
        _ => "deletes a pod, then creates it again".to_owned(),
    };
    let pods = spec.replicas.unwrap_or(1).to_string();
    vec![format!("statefulset/{}", set.name_any()), pods, strategy.to_owned(), does]
}

fn strategy(set: &StatefulSet) -> &str {
    let strategy = set.spec.as_ref().and_then(|spec| spec.update_strategy.as_ref()?.type_.as_deref());
    strategy.unwrap_or(ROLLING)
}

/// From which number on pods are updated, if not all are.
fn partition(set: &StatefulSet) -> Option<i32> {
    let rolling = set.spec.as_ref()?.update_strategy.as_ref()?.rolling_update.as_ref()?;
    rolling.partition.filter(|first| *first > 0)
}

fn of_deployment(deployment: &Deployment) -> Vec<String> {
    let spec = deployment.spec.clone().unwrap_or_default();
    let strategy = spec.strategy.unwrap_or_default();
    let kind = strategy.type_.unwrap_or_else(|| ROLLING.to_owned());
    let surge = strategy.rolling_update.and_then(|rolling| rolling.max_surge);
    let starts_none_more = matches!(&surge, Some(IntOrString::Int(0)))
        || matches!(&surge, Some(IntOrString::String(share)) if share == "0%");
    let does = match kind.as_str() {
        "Recreate" => "deletes all pods, then creates new ones",
        _ if starts_none_more => "deletes a pod, then creates a new one",
        _ => "creates a new pod, then deletes an old one",
    };
    let pods = spec.replicas.unwrap_or(1).to_string();
    vec![format!("deployment/{}", deployment.name_any()), pods, kind, does.to_owned()]
}

/// In which order the set creates and deletes pods when it is scaled.
fn order(object: &str, set: &StatefulSet) -> Shown {
    let policy = set.spec.as_ref().and_then(|spec| spec.pod_management_policy.as_deref()).unwrap_or("OrderedReady");
    let says = match policy {
        "Parallel" => "creates and deletes its pods all at once when it is scaled",
        _ => "creates its pods one by one from the lowest number, and deletes them from the highest when it is scaled",
    };
    Fact::new(object, says).because("spec.podManagementPolicy", policy).into()
}

/// Whether all pods are of the newest revision.
fn revision(object: &str, set: &StatefulSet) -> Shown {
    let status = set.status.as_ref();
    let current = status.and_then(|status| status.current_revision.as_deref());
    let newest = status.and_then(|status| status.update_revision.as_deref());
    let says = match (current, newest) {
        (Some(current), Some(newest)) if current == newest => "has one revision, and updates no pod now",
        (Some(_), Some(_)) => "has two revisions: its pods of the old one are to be replaced",
        _ => "has no revision yet",
    };
    let fact = Fact::new(object, says).because_of("status.currentRevision", current);
    fact.because_of("status.updateRevision", newest).into()
}

/// The label of a set's pod with its revision.
const REVISION: &str = "controller-revision-hash";

/// Of which revision a pod is, and how long it may take to stop.
fn of_pod(set: Option<&StatefulSet>, pod: &Pod) -> Vec<Shown> {
    let newest = set.and_then(|set| set.status.as_ref()?.update_revision.as_ref());
    let revision = pod.labels().get(REVISION).map(|revision| {
        let is_newest = newest == Some(revision);
        let says = if is_newest { "is of the newest revision" } else { "is of another revision than the newest" };
        Fact::new(live::reference(pod), says).because("label controller-revision-hash", revision)
    });
    let seconds = pod.spec.as_ref().and_then(|spec| spec.termination_grace_period_seconds).map(|seconds| {
        let says = format!("has {seconds} seconds to stop when it is deleted");
        Fact::new(live::reference(pod), says).because("spec.terminationGracePeriodSeconds", seconds.to_string())
    });
    revision.into_iter().chain(seconds).map(Shown::from).collect()
}

fn not_shown(live: &Live) -> Vec<String> {
    let mut all = Vec::new();
    if live.replicas().is_some_and(|replicas| replicas <= 1) {
        all.push("an order: the set has no second pod, and two servers cannot share one volume".to_owned());
    }
    let status = live.set().and_then(|set| set.status.as_ref());
    if status.is_some_and(|status| status.current_revision == status.update_revision) {
        all.push("an update while it runs: no pod is being replaced now".to_owned());
    }
    if live.set().is_some_and(|set| set.metadata.deletion_timestamp.is_none()) {
        all.push("a deletion of the whole set: nobody deletes it now".to_owned());
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(strategy: &serde_json::Value) -> Vec<String> {
        let spec = serde_json::json!({ "selector": {}, "template": {}, "strategy": strategy });
        of_deployment(
            &serde_json::from_value(serde_json::json!({ "metadata": { "name": "a" }, "spec": spec })).unwrap(),
        )
    }

    #[test]
    fn each_strategy_is_told_as_what_it_does() {
        use serde_json::json;
        let last = |strategy| deployment(&strategy).pop().unwrap();
        assert_eq!(last(json!({})), "creates a new pod, then deletes an old one");
        assert_eq!(last(json!({ "type": "Recreate" })), "deletes all pods, then creates new ones");
        for none in [json!(0), json!("0%")] {
            let strategy = json!({ "type": "RollingUpdate", "rollingUpdate": { "maxSurge": none } });
            assert_eq!(last(strategy), "deletes a pod, then creates a new one");
        }
    }
}
