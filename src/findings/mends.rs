//! The mends that causes have.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::serde::Serialize;
use kube::{Resource, ResourceExt};
use serde_json::{Value, json};

use super::finding::Observed;
use super::mend::Mend;
use crate::exchange::{names, objects, volume};
use crate::kubernetes::Object;
use crate::kubernetes::act::{Patch, StrategicPatch};
use crate::observe::Reading;

/// The same object with this as its body.
fn patched<K>(object: &K, body: Value) -> Option<Object>
where
    K: Resource<DynamicType = ()> + Serialize,
{
    Some(Object { body, ..Object::of(object).ok()? })
}

/// How many pods a workload shall have: one, or of a replicated database one for each claim.
pub fn replicas(observed: &Observed, app: &str) -> usize {
    let members = &observed.snapshot.members;
    if app == names::POSTGRES && observed.snapshot.is_replicated() { members.len() } else { 1 }
}

/// As many pods of a workload as it shall have.
pub fn scaled(observed: &Observed, app: &str) -> Option<Mend> {
    let body = json!({ "spec": { "replicas": replicas(observed, app) } });
    let snapshot = observed.snapshot;
    let object = if app == names::POSTGRES {
        patched::<StatefulSet>(snapshot.statefulset.present()?, body)
    } else {
        patched::<Deployment>(snapshot.deployments.get(app).and_then(Reading::present)?, body)
    };
    Some(Mend::Patch(Patch { object: object? }))
}

/// The Service of a finding, and the same one as `deploy` applies it.
fn service<'a>(observed: &Observed<'a>, reference: &str) -> Option<(&'a Service, Service)> {
    let name = reference.strip_prefix("service/").filter(|_| observed.snapshot.target.is_none())?;
    let there = observed.snapshot.services.get(name).and_then(Reading::present)?;
    Some((there, objects::service(name)?))
}

/// The selector that `deploy` applies, and no other label in it.
pub fn selector(observed: &Observed, reference: &str) -> Option<Mend> {
    let (there, ours) = service(observed, reference)?;
    let wanted = ours.spec?.selector?;
    let now = there.spec.as_ref().and_then(|spec| spec.selector.clone()).unwrap_or_default();
    let others = now.into_keys().filter(|key| !wanted.contains_key(key)).map(|key| (key, Value::Null));
    let selector: serde_json::Map<String, Value> =
        others.chain(wanted.iter().map(|(key, value)| (key.clone(), value.as_str().into()))).collect();
    Some(Mend::Patch(Patch { object: patched(there, json!({ "spec": { "selector": selector } }))? }))
}

/// The target ports that `deploy` applies. What else its ports have stays: the cluster chose a port of the nodes. None where
/// the Service has no such port any more.
pub fn target_ports(observed: &Observed, reference: &str) -> Option<Mend> {
    let (there, ours) = service(observed, reference)?;
    let now = there.spec.as_ref()?.ports.clone().unwrap_or_default();
    let ports = ours.spec?.ports?;
    let is_there = |number: i32| now.iter().any(|port| port.port == number);
    if !ports.iter().all(|port| is_there(port.port)) {
        return None;
    }
    let ports: Vec<Value> =
        ports.iter().map(|port| json!({ "port": port.port, "targetPort": port.target_port })).collect();
    let object = patched(there, json!({ "spec": { "ports": ports } }))?;
    Some(Mend::StrategicPatch(StrategicPatch { object }))
}

/// The volume free for the claim that waits for it, with the data that it has.
pub fn free_volume(observed: &Observed, reference: &str) -> Option<Mend> {
    let member = observed.snapshot.members.iter().find(|member| member.claim_reference() == reference)?;
    volume::forget_claim(member.volume.present()?).ok().map(Mend::Patch)
}

/// These labels of a pod.
pub fn labels(pod: &Pod, labels: &BTreeMap<String, String>) -> Option<Mend> {
    Some(Mend::Patch(Patch { object: patched(pod, json!({ "metadata": { "labels": labels } }))? }))
}

/// The pod that takes writes, by its name.
pub fn primary(observed: &Observed) -> Option<String> {
    observed.snapshot.primary().map(ResourceExt::name_any)
}
