//! The pod from which it is asked: the backend's, another one, or one that is started for it.

use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec};
use tokio::time::Instant;

use super::{Args, START};
use crate::cleanup::Ticket;
use crate::commands::shared::helper::{self, Goal};
use crate::commands::shared::names::AskingPod;
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::helper::Helper;
use crate::exchange::names;
use crate::observe::{Reading, Snapshot, container};

/// The pod from which it is asked.
pub struct Chosen {
    pub from: AskingPod,
    /// By which the pod is deleted, if it was started for this.
    pub helper: Option<Ticket>,
}

/// Finds the pod, or starts one.
pub async fn choose(args: &Args, ctx: &Ctx, snapshot: &Snapshot) -> anyhow::Result<Chosen> {
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
        return Ok(Chosen { from: AskingPod::of(&pod), helper: None });
    }
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
    Ok(Chosen { from: AskingPod::running(snapshot).ok_or_else(none)?, helper: None })
}

/// For how long the pod runs, should nobody delete it: longer than anything here waits.
const SPARE: Duration = Duration::from_mins(2);

async fn start(args: &Args, ctx: &Ctx, snapshot: &Snapshot) -> anyhow::Result<Chosen> {
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
    Ok(Chosen { from: AskingPod::of(&pod), helper: Some(started.ticket) })
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
