//! Helper pods of a run: started, waited for, and deleted on every way out.

use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::ListParams;
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watcher};
use tokio::time::{Instant, timeout_at};

use crate::cleanup::Ticket;
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::helper::Helper;
use crate::exchange::names;
use crate::kubernetes::Object;
use crate::kubernetes::act::{Delete, command};

/// A helper pod that was created.
pub struct Started {
    /// By which `Ctx::cleanup` takes it away before the run ends.
    pub ticket: Ticket,
    /// The pod's name.
    pub name: String,
}

/// Creates the pod. The run takes it away when it ends; helpers that killed runs have left behind go first.
///
/// # Errors
/// If it cannot be created.
pub async fn start(ctx: &Ctx, helper: &Helper) -> anyhow::Result<Started> {
    sweep(ctx).await?;
    let object = helper.object(ctx.cluster().await?.namespace());
    let name = object.name.clone();
    let (ticket, _) = ctx.create_temporary(object).await?;
    Ok(Started { ticket, name })
}

/// As many as a namespace ever has at once.
const MOST: u32 = 50;

/// Deletes the helpers whose time is over: a run that lives takes its own away before.
///
/// # Errors
/// If they cannot be listed or deleted.
pub async fn sweep(ctx: &Ctx) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    let helpers = cluster.list::<Pod>(&ListParams::default().labels(names::HELPER).limit(MOST)).await?;
    let now = Timestamp::now();
    for pod in helpers.iter().filter(|pod| is_over(pod, now)) {
        ctx.printer.note(format!("pod/{} was left behind by a killed run: deleting it", pod.name_any()));
        ctx.perform(&Delete { object: Object::of(pod)?, uid: pod.uid() }).await?;
    }
    Ok(())
}

/// Whether its program has ended, or its time is over though it never got a node.
fn is_over(pod: &Pod, now: Timestamp) -> bool {
    let started =
        pod.status.as_ref().and_then(|status| status.start_time.as_ref()).or(pod.metadata.creation_timestamp.as_ref());
    let age = started.map_or(SignedDuration::ZERO, |started| now.duration_since(started.0));
    let lasts = pod.spec.as_ref().and_then(|spec| spec.active_deadline_seconds).unwrap_or(0);
    pod.metadata.deletion_timestamp.is_none()
        && (Goal::HasEnded.is_reached(pod) || age > SignedDuration::from_secs(lasts))
}

/// How far a helper pod is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Its program runs, or has run already.
    Runs,
    /// Its program has ended, well or not.
    HasEnded,
    /// Its image has been pulled, or cannot be.
    IsPulled,
}

impl Goal {
    fn is_reached(self, pod: &Pod) -> bool {
        let has_ended = matches!(phase(pod), "Succeeded" | "Failed");
        match self {
            Self::HasEnded => has_ended,
            Self::Runs => has_ended || phase(pod) == "Running",
            Self::IsPulled => has_ended || phase(pod) == "Running" || not_started(pod).is_some(),
        }
    }

    /// The phase of a pod that has come so far, if all went well.
    fn phase(self) -> &'static str {
        match self {
            Self::Runs | Self::IsPulled => "Running",
            Self::HasEnded => "Succeeded",
        }
    }
}

/// Why a pod's container has not started although its turn has come: the kubelet's word for it, and its sentence.
#[must_use]
pub fn not_started(pod: &Pod) -> Option<(String, String)> {
    let container = pod.status.as_ref()?.container_statuses.as_ref()?.first()?;
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let reason =
        waiting.reason.clone().filter(|reason| !matches!(reason.as_str(), "ContainerCreating" | "PodInitializing"))?;
    Some((reason, waiting.message.clone().unwrap_or_default()))
}

/// The phase of a pod, as the API has it.
#[must_use]
pub fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

/// Waits until a helper pod has come so far, and gives the pod as it is then.
///
/// # Errors
/// If it has not by the deadline, with what was last seen, or if the pod is gone.
pub async fn until(ctx: &Ctx, name: &str, deadline: Instant, goal: Goal) -> anyhow::Result<Pod> {
    let cluster = ctx.cluster().await?;
    ctx.show(|| {
        let phase = format!("--for=jsonpath={{.status.phase}}={}", goal.phase());
        let limit = format!("--timeout={}s", deadline.saturating_duration_since(Instant::now()).as_secs());
        command(cluster.place(), &["wait", &format!("pod/{name}"), &phase, &limit])
    });
    let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let mut changes = watcher(cluster.api::<Pod>(), config).default_backoff().boxed();
    let hint = || ctx.by_hand.kubectl(["describe", &format!("pod/{name}")]).to("see why");
    let (mut last, mut listed) = (None, false);
    loop {
        match timeout_at(deadline, changes.next()).await {
            Ok(Some(Ok(watcher::Event::InitApply(pod) | watcher::Event::Apply(pod)))) => {
                if goal.is_reached(&pod) {
                    return Ok(pod);
                }
                (last, listed) = (Some(pod), true);
            }
            Ok(Some(Ok(watcher::Event::Delete(_)))) => {
                return Err(
                    Error::new(format!("pod/{name} was deleted by someone else"), "run the command again").into()
                );
            }
            Ok(Some(Ok(watcher::Event::Init))) => listed = false,
            Ok(Some(Ok(watcher::Event::InitDone))) if !listed => {
                return Err(Error::new(format!("pod/{name} is gone"), "run the command again").into());
            }
            // The watch starts again by itself.
            Ok(Some(Ok(watcher::Event::InitDone) | Err(_))) => {}
            Ok(None) | Err(_) => {
                let seen = last.as_ref().map_or("it was never seen".to_owned(), why);
                let late = format!("pod/{name} did not get ready in time: {seen}");
                return Err(Error::too_late(late, hint()).into());
            }
        }
    }
}

/// How far a pod has come, and why no farther.
#[must_use]
pub fn why(pod: &Pod) -> String {
    let status = pod.status.clone().unwrap_or_default();
    let waiting = status.container_statuses.iter().flatten().find_map(|container| container.state.clone()?.waiting);
    let waiting = waiting.map(|it| [it.reason, it.message].map(Option::unwrap_or_default).join(" "));
    let unmet = status.conditions.iter().flatten().find(|condition| condition.status == "False");
    let unmet = unmet.and_then(|condition| condition.message.clone().or_else(|| condition.reason.clone()));
    format!("{}: {}", phase(pod), waiting.or(unmet).or(status.message).unwrap_or_default().trim())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(age: i64, phase: &str) -> Pod {
        serde_json::from_value(json!({
            "metadata": { "creationTimestamp": Timestamp::from_second(1_000_000 - age).unwrap().to_string() },
            "spec": { "activeDeadlineSeconds": 60, "containers": [] },
            "status": { "phase": phase, "conditions": [
                { "type": "PodScheduled", "status": "False", "message": "0/1 nodes are available" }] },
        }))
        .unwrap()
    }

    #[test]
    fn a_helper_of_a_run_that_may_still_live_is_left_alone() {
        let is_over = |age, phase| is_over(&pod(age, phase), Timestamp::from_second(1_000_000).unwrap());
        assert!(!is_over(10, "Running") && !is_over(10, "Pending"));
        assert!(is_over(10, "Succeeded") && is_over(10, "Failed") && is_over(61, "Pending"));
    }

    #[test]
    fn what_keeps_a_pod_is_said() {
        assert_eq!(why(&pod(1, "Pending")), "Pending: 0/1 nodes are available");
        let mut pulling = pod(1, "Pending");
        pulling.status.as_mut().unwrap().container_statuses = Some(vec![
            serde_json::from_value(json!({ "name": "x", "ready": false, "restartCount": 0, "image": "", "imageID": "",
                "state": { "waiting": { "reason": "ErrImagePull", "message": "not found" } } }))
            .unwrap(),
        ]);
        assert_eq!(why(&pulling), "Pending: ErrImagePull not found");
    }
}
