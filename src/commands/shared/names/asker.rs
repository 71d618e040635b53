//! The pod from which DNS is asked.

use k8s_openapi::api::core::v1::{Pod, PodSpec};
use kube::ResourceExt;

use crate::commands::shared::helper;
use crate::exchange::names;
use crate::kubernetes::exec::default_container;
use crate::observe::{Snapshot, readiness};

/// The pod from which it is asked.
#[derive(Clone, Debug)]
pub struct AskingPod {
    pub pod: String,
    /// The container in it.
    pub container: String,
    /// The pod's dnsPolicy, as it takes effect.
    pub policy: String,
}

impl AskingPod {
    /// This one.
    #[must_use]
    pub fn of(pod: &Pod) -> Self {
        Self {
            pod: pod.name_any(),
            container: default_container(pod).unwrap_or_default().to_owned(),
            policy: policy(&pod.spec.clone().unwrap_or_default()),
        }
    }

    /// A pod of the backend, or of the set if it is none of an exchange, if one runs. One that is not ready, for want of its
    /// database perhaps, can be asked from all the same.
    #[must_use]
    pub fn running(snapshot: &Snapshot) -> Option<Self> {
        let app = if snapshot.target.is_some() { names::POSTGRES } else { names::BACKEND };
        let runs = |pod: &&Pod| pod.metadata.deletion_timestamp.is_none() && helper::phase(pod) == "Running";
        let all = || snapshot.pods_of(app).filter(runs);
        all().find(|pod| readiness::pod(pod)).or_else(|| all().next()).map(Self::of)
    }
}

/// The policy as the kubelet understands it: on the node's network, `ClusterFirst` is `Default`.
fn policy(spec: &PodSpec) -> String {
    match spec.dns_policy.as_deref() {
        None | Some("ClusterFirst") if spec.host_network == Some(true) => "Default".to_owned(),
        Some("ClusterFirstWithHostNet") | None => "ClusterFirst".to_owned(),
        Some(other) => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_is_the_one_that_takes_effect() {
        for (policy_said, host_network, effective) in [
            (None, false, "ClusterFirst"),
            (Some("ClusterFirst"), false, "ClusterFirst"),
            (Some("ClusterFirst"), true, "Default"),
            (None, true, "Default"),
            (Some("ClusterFirstWithHostNet"), true, "ClusterFirst"),
            (Some("Default"), false, "Default"),
            (Some("None"), false, "None"),
        ] {
            let spec = PodSpec {
                dns_policy: policy_said.map(str::to_owned),
                host_network: Some(host_network),
                ..PodSpec::default()
            };
            assert_eq!(policy(&spec), effective, "{policy_said:?} {host_network}");
        }
    }
}
