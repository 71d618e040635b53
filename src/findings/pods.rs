//! What several causes look at in pods.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::ResourceExt;

use super::finding::Observed;
use crate::exchange::names;
use crate::observe::readiness;

/// The pods that are not ready, each with its workload. A pod that a Deployment has replaced and that is on its way out is
/// missed by nobody.
pub fn not_ready<'a>(observed: &Observed<'a>) -> Vec<(&'static str, &'a Pod)> {
    let snapshot = observed.snapshot;
    [names::POSTGRES, names::BACKEND, names::FRONTEND]
        .into_iter()
        .flat_map(|app| snapshot.pods_of(app).map(move |pod| (app, pod)))
        .filter(|(app, pod)| !readiness::pod(pod) && (*app == names::POSTGRES || !is_stopping(pod)))
        .collect()
}

/// Whether the pod has been told to end.
pub fn is_stopping(pod: &Pod) -> bool {
    pod.metadata.deletion_timestamp.is_some()
}

/// The pod's container. Those of the exchange have one each.
pub fn container(pod: &Pod) -> Option<&ContainerStatus> {
    pod.status.as_ref()?.container_statuses.as_ref()?.first()
}

/// Why the container waits: a word, and a sentence.
pub fn waiting(pod: &Pod) -> Option<(&str, &str)> {
    let waiting = container(pod)?.state.as_ref()?.waiting.as_ref()?;
    Some((waiting.reason.as_deref()?, waiting.message.as_deref().unwrap_or_default()))
}

/// The image that the container shall run.
pub fn image(pod: &Pod) -> &str {
    pod.spec.as_ref().and_then(|spec| spec.containers.first()?.image.as_deref()).unwrap_or_default()
}

/// The pod as kubectl names it.
pub fn reference(pod: &Pod) -> String {
    format!("pod/{}", pod.name_any())
}
