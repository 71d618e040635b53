//! The container in which the user's commands are run.

use k8s_openapi::api::core::v1::{Container, Pod};

use crate::kubernetes::exec::{annotated_container, default_container};

/// Which one is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// Any will do: the user gives no command.
    Any,
    /// The one that has the data.
    OfTheData,
    /// The one of this name.
    Named(&'a str),
}

/// Chooses it; or says why it cannot be told. The first one of several may be a sidecar's, which has none of the data.
pub fn choose(pod: &Pod, wanted: Wanted) -> Result<String, String> {
    let there = running(pod);
    let list = || there.iter().map(|container| container.name.as_str()).collect::<Vec<_>>().join(", ");
    let find = |name: &str, by: &str| match there.iter().find(|container| container.name == name) {
        Some(container) => Ok(container.name.clone()),
        None => Err(format!("has no container {name}, which {by} names; it has {}", list())),
    };
    match (wanted, annotated_container(pod)) {
        (Wanted::Any, _) => Ok(default_container(pod).unwrap_or_default().to_owned()),
        (Wanted::Named(name), _) => find(name, "--container"),
        (Wanted::OfTheData, Some(name)) => find(name, "its annotation"),
        (Wanted::OfTheData, None) => {
            let with_claim = there.iter().copied().filter(|container| has_claim(pod, container)).collect::<Vec<_>>();
            match (there.as_slice(), with_claim.as_slice()) {
                ([only], _) | (_, [only]) => Ok(only.name.clone()),
                _ => Err(format!("has several containers, {}: which one has the data?", list())),
            }
        }
    }
}

/// The containers that run as long as the pod does: its own, and the sidecars among those that start first.
fn running(pod: &Pod) -> Vec<&Container> {
    let Some(spec) = &pod.spec else { return Vec::new() };
    let sidecars = spec.init_containers.iter().flatten();
    let sidecars = sidecars.filter(|container| container.restart_policy.as_deref() == Some("Always"));
    spec.containers.iter().chain(sidecars).collect()
}

/// Whether a claim of the pod is mounted in it.
fn has_claim(pod: &Pod, container: &Container) -> bool {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    let mut claims = volumes.filter(|volume| volume.persistent_volume_claim.is_some());
    claims.any(|volume| container.volume_mounts.iter().flatten().any(|mount| mount.name == volume.name))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// A container that mounts these volumes.
    fn container(name: &str, mounts: &[&str]) -> Value {
        let mount = |name: &&str| json!({ "name": name, "mountPath": format!("/{name}") });
        json!({ "name": name, "volumeMounts": mounts.iter().map(mount).collect::<Vec<_>>() })
    }

    fn pod(containers: &[Value]) -> Value {
        json!({ "metadata": { "name": "store-0", "annotations": {} },
                "spec": { "containers": containers, "initContainers": [],
                          "volumes": [{ "name": "data", "persistentVolumeClaim": { "claimName": "data-0" } },
                                      { "name": "tmp", "emptyDir": {} }] } })
    }

    fn chosen(pod: &Value, wanted: Wanted) -> Result<String, String> {
        choose(&serde_json::from_value(pod.clone()).unwrap(), wanted)
    }

    fn is(pod: &Value, wanted: Wanted, name: &str) {
        assert_eq!(chosen(pod, wanted).as_deref(), Ok(name), "{pod:#}");
    }

    fn is_refused(pod: &Value, wanted: Wanted, words: &str) {
        let why = chosen(pod, wanted).unwrap_err();
        assert!(why.contains(words), "no {words:?} in {why}: {pod:#}");
    }

    #[test]
    fn the_one_with_the_claim_is_meant_wherever_it_stands() {
        is(&pod(&[container("main", &[])]), Wanted::OfTheData, "main");
        let beside = pod(&[container("side", &["tmp"]), container("main", &["data"])]);
        is(&beside, Wanted::OfTheData, "main");
        is(&beside, Wanted::Named("side"), "side");
        // Without a command there is nothing to choose, and kubectl's own choice will do.
        is(&beside, Wanted::Any, "side");
    }

    #[test]
    fn what_the_pod_says_counts_as_it_does_for_kubectl() {
        let mut said = pod(&[container("main", &["data"]), container("side", &[])]);
        said["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"] = "side".into();
        is(&said, Wanted::OfTheData, "side");
        is(&said, Wanted::Named("main"), "main");
        said["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"] = "other".into();
        is_refused(&said, Wanted::OfTheData, "has no container other, which its annotation names; it has main, side");
        said["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"] = "".into();
        is(&said, Wanted::OfTheData, "main");
    }

    #[test]
    fn several_that_may_be_meant_are_refused() {
        let several = "has several containers, side, main: which one has the data?";
        is_refused(&pod(&[container("side", &[]), container("main", &["tmp"])]), Wanted::OfTheData, several);
        is_refused(&pod(&[container("side", &["data"]), container("main", &["data"])]), Wanted::OfTheData, several);
        is_refused(&pod(&[container("main", &[])]), Wanted::Named("side"), "has no container side, which --container");
    }

    #[test]
    fn a_container_that_starts_first_and_stays_is_a_sidecar() {
        let mut with_init = pod(&[container("main", &[])]);
        with_init["spec"]["initContainers"] = json!([container("init", &["data"])]);
        is(&with_init, Wanted::OfTheData, "main");
        is_refused(&with_init, Wanted::Named("init"), "has no container init");
        with_init["spec"]["initContainers"][0]["restartPolicy"] = "Always".into();
        is(&with_init, Wanted::OfTheData, "init");
        is(&with_init, Wanted::Named("init"), "init");
        with_init["spec"]["initContainers"][0]["volumeMounts"] = json!([]);
        is_refused(&with_init, Wanted::OfTheData, "has several containers, main, init");
    }
}
