//! The pod from which it is asked: the backend's, another one, or one that is started for it.

use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Pod, PodSpec, PodTemplateSpec};
use kube::ResourceExt;
use tokio::time::Instant;

use super::{Args, START};
use crate::cleanup::Ticket;
use crate::commands::shared::helper::{self, Goal};
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::helper::Helper;
use crate::exchange::names;
use crate::kubernetes::exec::default_container;
use crate::observe::{Reading, Snapshot, container, readiness};

/// The pod from which it is asked.
pub struct AskingPod {
    pub pod: String,
    /// The container in it.
    pub container: String,
    /// The pod's dnsPolicy, as it takes effect.
    pub policy: String,
    /// By which the pod is deleted, if it was started for this.
    pub helper: Option<Ticket>,
}

impl AskingPod {
    fn of(pod: &Pod, helper: Option<Ticket>) -> Self {
        Self {
            pod: pod.name_any(),
            container: default_container(pod).unwrap_or_default().to_owned(),
            policy: policy(&pod.spec.clone().unwrap_or_default()),
            helper,
        }
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

/// Finds the pod, or starts one.
pub async fn choose(args: &Args, ctx: &Ctx, snapshot: &Snapshot) -> anyhow::Result<AskingPod> {
    if args.pod {
        return start(args, ctx, snapshot).await;
    }
    if let Some(from) = &args.from {
        let name = from.strip_prefix("pod/").or_else(|| from.strip_prefix("pods/")).unwrap_or(from);
        let cluster = ctx.cluster().await?;
        let pod = cluster.get::<Pod>(name).await?.ok_or_else(|| {
            Error::new(
                format!("pod/{name} does not exist in namespace {}", cluster.namespace()),
                ctx.by_hand.kubectl("get pods").to("list the pods"),
            )
        })?;
        return Ok(AskingPod::of(&pod, None));
    }
    let runs = |pod: &&Pod| pod.metadata.deletion_timestamp.is_none() && helper::phase(pod) == "Running";
    let backends = || snapshot.pods_of(names::BACKEND).filter(runs);
    // One that is not ready, for want of its database perhaps, can be asked from all the same.
    let backend = backends().find(|pod| readiness::pod(pod)).or_else(|| backends().next());
    let none = || {
        let why = match &snapshot.pods {
            Reading::Unknown(_) => "pods cannot be listed",
            _ => "no backend pod is running",
        };
        Error::new(
            format!("no pod to ask from: {why}"),
            ctx.own_command("dns-check --pod").to("ask from a temporary pod"),
        )
    };
    Ok(AskingPod::of(backend.ok_or_else(none)?, None))
}

/// For how long the pod runs, should nobody delete it: longer than anything here waits.
const SPARE: Duration = Duration::from_mins(2);

async fn start(args: &Args, ctx: &Ctx, snapshot: &Snapshot) -> anyhow::Result<AskingPod> {
    let image = match &args.image {
        Some(image) => image.clone(),
        None => image_there(snapshot).ok_or_else(|| {
            Error::new("it is unknown which images the node has", "give one, for example --image busybox".to_owned())
        })?,
    };
    let lasts = START + args.timeout + SPARE;
    let seconds = lasts.as_secs().to_string();
    let started = helper::start(ctx, &Helper::new("dns", &image, &["sleep", &seconds], lasts)).await?;
    let pod = helper::until(ctx, &started.name, Instant::now() + START, Goal::Runs).await?;
    Ok(AskingPod::of(&pod, Some(started.ticket)))
}

/// An image that is on a node already and has what it takes.
fn image_there(snapshot: &Snapshot) -> Option<String> {
    let image =
        |template: &PodTemplateSpec, app: &str| container::image(template.spec.as_ref()?, app).map(str::to_owned);
    let of_deployment = |deployment: &Deployment| image(&deployment.spec.as_ref()?.template, names::BACKEND);
    let of_set = |set: &StatefulSet| image(&set.spec.as_ref()?.template, names::POSTGRES);
    let backend = snapshot.deployments.get(names::BACKEND).and_then(Reading::present).and_then(of_deployment);
    backend.or_else(|| snapshot.statefulset.present().and_then(of_set))
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
