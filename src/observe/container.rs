//! The container that a pod is there for. Others may be beside it: a service mesh adds its own, which comes first by name.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, ContainerStatus, Pod, PodSpec};

/// How the container of this name is; if none has it, the first one that is not ready, or the first one. While it waits for
/// an init container that fails, that one.
#[must_use]
pub fn status<'a>(pod: &'a Pod, name: &str) -> Option<&'a ContainerStatus> {
    let status = pod.status.as_ref()?;
    let all = status.container_statuses.as_ref()?;
    let named = all.iter().find(|container| container.name == name);
    let main = named.or(all.iter().find(|container| !container.ready)).or(all.first())?;
    let before = || status.init_container_statuses.iter().flatten().find(|container| fails(container));
    Some(before().filter(|_| waits(main, &["PodInitializing"])).unwrap_or(main))
}

/// Whether it waits for one of these reasons.
fn waits(container: &ContainerStatus, reasons: &[&str]) -> bool {
    let waiting = container.state.as_ref().and_then(|state| state.waiting.as_ref()?.reason.as_deref());
    waiting.is_some_and(|reason| reasons.contains(&reason))
}

/// Whether an init container has failed, or cannot start.
fn fails(container: &ContainerStatus) -> bool {
    let ended = container.state.as_ref().and_then(|state| state.terminated.as_ref());
    let is_waiting = container.state.as_ref().is_some_and(|state| state.waiting.is_some());
    ended.is_some_and(|ended| ended.exit_code != 0) || (is_waiting && !waits(container, &["PodInitializing"]))
}

/// What the container of a status is to be.
#[must_use]
pub fn of_status<'a>(pod: &'a Pod, status: &ContainerStatus) -> Option<&'a Container> {
    let spec = pod.spec.as_ref()?;
    let mut all = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    all.find(|container| container.name == status.name)
}

/// What the container of this name, or the first one, is to be.
#[must_use]
pub fn spec<'a>(spec: &'a PodSpec, name: &str) -> Option<&'a Container> {
    spec.containers.iter().find(|container| container.name == name).or(spec.containers.first())
}

/// The Secret from which a container is given a variable.
#[must_use]
pub fn secret_of<'a>(spec: &'a PodSpec, variable: &str) -> Option<&'a str> {
    let variables = spec.containers.iter().flat_map(|container| container.env.iter().flatten());
    let found = variables.into_iter().find(|one| one.name == variable)?;
    Some(&found.value_from.as_ref()?.secret_key_ref.as_ref()?.name)
}

/// A word for how a pod is, as kubectl has it in its column STATUS.
#[must_use]
pub fn word(pod: &Pod, name: &str) -> String {
    if pod.metadata.deletion_timestamp.is_some() {
        return "Terminating".to_owned();
    }
    let state = status(pod, name).and_then(|container| container.state.as_ref());
    let waits = state.and_then(|state| state.waiting.as_ref()?.reason.clone());
    let ended = || state.and_then(|state| state.terminated.as_ref()?.reason.clone());
    let phase = || pod.status.as_ref().and_then(|status| status.phase.clone());
    waits.or_else(ended).or_else(phase).unwrap_or_default()
}

/// The image that the container of this name, or the first one, is to run.
#[must_use]
pub fn image<'a>(spec: &'a PodSpec, name: &str) -> Option<&'a str> {
    self::spec(spec, name)?.image.as_deref()
}

/// Where a container is after it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It is not started again yet.
    Now,
    /// It waits to be started again.
    Waits,
    /// It runs again.
    Before {
        /// Since when.
        started_again: Option<Timestamp>,
    },
}

/// Where a container is after it has ended; none if it never has.
#[must_use]
pub fn ended(container: &ContainerStatus) -> Option<End> {
    let state = container.state.as_ref();
    if state.is_some_and(|state| state.terminated.is_some()) {
        return Some(End::Now);
    }
    container.last_state.as_ref()?.terminated.as_ref()?;
    let running = state.and_then(|state| state.running.as_ref());
    Some(
        running.map_or(End::Waits, |running| End::Before {
            started_again: running.started_at.as_ref().map(|time| time.0),
        }),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_service_mesh_adds_does_not_stand_for_the_pod() {
        let status = |name: &str| json!({ "name": name, "image": "", "imageID": "", "ready": true, "restartCount": 0 });
        let pod: Pod = serde_json::from_value(json!({
            "spec": { "containers": [{ "name": "istio-proxy", "image": "istio" }, { "name": "postgres", "image": "postgres:17" }] },
            "status": { "containerStatuses": [status("istio-proxy"), status("postgres")] },
        }))
        .unwrap();
        let found = |name| super::status(&pod, name).map(|container| container.name.as_str());
        assert_eq!((found("postgres"), found("db")), (Some("postgres"), Some("istio-proxy")));
        let spec = pod.spec.as_ref().unwrap();
        assert_eq!((image(spec, "postgres"), image(spec, "db")), (Some("postgres:17"), Some("istio")));
    }
}
