//! What several causes look at in pods.

use k8s_openapi::api::core::v1::Pod;
use kube::core::ObjectMeta;
use kube::{Resource, ResourceExt};

use super::finding::Observed;
use crate::exchange::names;
use crate::observe::{Snapshot, container, readiness};

/// The same, as objects whose events explain them.
pub fn not_ready_objects(snapshot: &Snapshot) -> Vec<&ObjectMeta> {
    of_apps(snapshot).map(|(_, pod)| pod.meta()).collect()
}

/// The pods that are not ready, each with its workload. A pod that a Deployment has replaced and that is on its way out is
/// missed by nobody.
pub fn not_ready<'a>(observed: &Observed<'a>) -> Vec<(&'static str, &'a Pod)> {
    of_apps(observed.snapshot).collect()
}

fn of_apps(snapshot: &Snapshot) -> impl Iterator<Item = (&'static str, &Pod)> {
    [names::POSTGRES, names::BACKEND, names::FRONTEND]
        .into_iter()
        .flat_map(|app| snapshot.pods_of(app).map(move |pod| (app, pod)))
        .filter(|(app, pod)| !readiness::pod(pod) && (*app == names::POSTGRES || !is_stopping(pod)))
}

/// Whether the pod has been told to end.
pub fn is_stopping(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some()
}

/// Why the workload's container waits: a word, and a sentence.
pub fn waiting<'a>(pod: &'a Pod, app: &str) -> Option<(&'a str, &'a str)> {
    let waiting = container::status(pod, app)?.state.as_ref()?.waiting.as_ref()?;
    Some((waiting.reason.as_deref()?, waiting.message.as_deref().unwrap_or_default()))
}

/// The image that the workload's container shall run.
pub fn image<'a>(pod: &'a Pod, app: &str) -> &'a str {
    pod.spec.as_ref().and_then(|spec| container::image(spec, app)).unwrap_or_default()
}

/// The pod as kubectl names it.
pub fn reference(pod: &Pod) -> String {
    format!("pod/{}", pod.name_any())
}
