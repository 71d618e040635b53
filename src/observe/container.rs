//! The container that a pod is there for. Others may be beside it: a service mesh adds its own, which comes first by name.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodSpec};

/// How the container of this name is; the first one if none has it.
#[must_use]
pub fn status<'a>(pod: &'a Pod, name: &str) -> Option<&'a ContainerStatus> {
    let all = pod.status.as_ref()?.container_statuses.as_ref()?;
    all.iter().find(|container| container.name == name).or(all.first())
}

/// The image that the container of this name, or the first one, is to run.
#[must_use]
pub fn image<'a>(spec: &'a PodSpec, name: &str) -> Option<&'a str> {
    let named = spec.containers.iter().find(|container| container.name == name);
    named.or(spec.containers.first())?.image.as_deref()
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
