//! What the API server refuses when a workload's controller creates a pod. Each refusal is of one rule, and of one cause.

use k8s_openapi::api::apps::v1::{DeploymentCondition, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use kube::core::ObjectMeta;
use kube::{Resource, ResourceExt};

use super::finding::{Cause, Finding, Observed, Weight};
use crate::exchange::names;
use crate::observe::Snapshot;
use crate::observe::details::Happening;
use crate::observe::target::pod_names;
use crate::text::Hint;

/// Which rule of the namespace a pod breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    Quota,
    PodSecurity,
    /// A `LimitRange`, an admission webhook, or a name that another pod has.
    Other,
}

impl Rule {
    fn of(says: &str) -> Self {
        if says.contains("exceeded quota") {
            Self::Quota
        } else if says.contains("violates PodSecurity") {
            Self::PodSecurity
        } else {
            Self::Other
        }
    }
}

/// The workloads whose pods break this rule, each with a hint of the cause's own for its kind and its name.
pub fn found(
    observed: &Observed,
    cause: &'static Cause,
    rule: Rule,
    hint: impl Fn(&str, &str) -> Hint,
) -> Vec<Finding> {
    let set = refused_to_set(observed).map(|says| (names::POSTGRES, "statefulset", says));
    let deployments = names::DEPLOYMENTS.into_iter();
    let refused =
        deployments.filter_map(|app| Some((app, "deployment", refused_to_deployment(observed, app)?))).chain(set);
    let finding = |(app, kind, says): (&'static str, &'static str, &str)| Finding {
        cause,
        weight: Weight::Problem,
        app,
        object: format!("{kind}/{}", observed.snapshot.workload(app)),
        says: format!("cannot create its pod: {says}"),
        hint: hint(kind, observed.snapshot.workload(app)),
    };
    refused.filter(|(_, _, says)| Rule::of(says) == rule).map(finding).collect()
}

/// The set, if it lacks a pod: then its events say why.
pub fn set_without_pods(snapshot: &Snapshot) -> Vec<&ObjectMeta> {
    lacking(snapshot).map(Resource::meta).into_iter().collect()
}

/// The set, if it lacks a pod.
fn lacking(snapshot: &Snapshot) -> Option<&StatefulSet> {
    let set = snapshot.statefulset.present()?;
    let is_there = |name: &String| snapshot.pods_of(names::POSTGRES).any(|pod| pod.name_any() == *name);
    (!pod_names(set).iter().all(is_there)).then_some(set)
}

/// A set says it in an event alone, which may be old: it counts while a pod is lacking, and none was created since.
fn refused_to_set<'a>(observed: &Observed<'a>) -> Option<&'a str> {
    let set = lacking(observed.snapshot)?;
    let event = observed.details.newest(set, &["FailedCreate", "SuccessfulCreate"])?;
    (event.reason == "FailedCreate" && !was_created_since(observed.snapshot, event)).then_some(event.message.as_str())
}

/// Whether the pod of which a refusal speaks was created after it, and may have lost its set since. The event of that can be
/// missing: a controller sends few events of one object.
fn was_created_since(snapshot: &Snapshot, refusal: &Happening) -> bool {
    let created = |pod: &Pod| pod.metadata.creation_timestamp.as_ref().map(|time| time.0);
    let mut there = snapshot.pods.present().into_iter().flatten();
    there.any(|pod| refusal.message.contains(&format!("Pod {} ", pod.name_any())) && created(pod) >= refusal.at)
}

fn refused_to_deployment<'a>(observed: &Observed<'a>, app: &str) -> Option<&'a str> {
    let status = observed.snapshot.deployments.get(app)?.present()?.status.as_ref()?;
    let is_refusal =
        |condition: &&DeploymentCondition| condition.type_ == "ReplicaFailure" && condition.status == "True";
    status.conditions.as_ref()?.iter().find(is_refusal)?.message.as_deref()
}
