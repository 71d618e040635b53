//! A pod as it changes, and what is seen of the one that comes in its place.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use k8s_openapi::api::core::v1::Pod;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::context::Ctx;
use crate::error::Error;
use crate::kubernetes::act::command;
use crate::observe::live;
use crate::persistence::identity::PodSeen;
use crate::persistence::timeline::Change;

/// A pod as it changes: the one of a name, or the one in whose place another comes.
pub struct Watched {
    name: String,
    changes: BoxStream<'static, live::Change>,
    /// The UID of the pod that is to be stopped, once that is known.
    old: Option<String>,
    began: Instant,
}

impl Watched {
    /// Begins to watch the pod of a name, and gives it as it is.
    pub async fn begin(ctx: &Ctx, name: &str, deadline: Instant) -> anyhow::Result<(Self, PodSeen)> {
        let cluster = ctx.cluster().await?;
        ctx.show(|| command(cluster.place(), &["get", "pod", name, "--watch"]));
        let mut watched = Self::of(name, live::pod(cluster, name));
        match watched.until(deadline, |_| true).await {
            Some(pod) => Ok((watched, pod)),
            None => Err(replaced(ctx, name)),
        }
    }

    /// Watches the pods of a stream, of which one is to be stopped and another comes in its place.
    pub fn of(name: &str, changes: BoxStream<'static, live::Change>) -> Self {
        Self { name: name.to_owned(), changes, old: None, began: Instant::now() }
    }

    /// Waits for the pod that is to be stopped: of which this holds. None if there is none, or not in time.
    pub async fn until(&mut self, deadline: Instant, holds: impl Fn(&PodSeen) -> bool) -> Option<PodSeen> {
        loop {
            match tokio::time::timeout_at(deadline, self.next()).await.ok()? {
                Change::Pod(Some(pod)) if holds(&pod) => {
                    self.old = Some(pod.uid.clone());
                    return Some(*pod);
                }
                // A pod of a name is there at once, or not at all.
                Change::Pod(None) if !self.name.is_empty() => return None,
                _ => {}
            }
        }
    }

    /// What changes next.
    pub async fn next(&mut self) -> Change {
        while let Some(change) = self.changes.next().await {
            match change {
                live::Change::Pods(pods) => return Change::Pod(self.one_of(&pods).map(Box::new)),
                live::Change::Lost(why) => return Change::Lost(why),
                _ => {}
            }
        }
        // Watches do not end.
        std::future::pending().await
    }

    /// The pod that matters: where two are there at once, the new one as soon as it has a node.
    fn one_of(&self, pods: &[Pod]) -> Option<PodSeen> {
        pods.iter().map(PodSeen::from).max_by_key(|pod| match &self.old {
            Some(old) if pod.uid == *old => 1,
            _ if pod.node.is_some() => 2,
            _ => 0,
        })
    }

    /// The time on its clock.
    pub fn now_ms(&self) -> u64 {
        ms(self.began.elapsed())
    }
}

/// What is seen of the new pod, for whoever waits for it.
#[derive(Clone)]
pub struct Seen {
    /// The pod whose server may answer.
    pub running: watch::Receiver<Option<PodSeen>>,
    /// The pod that is ready.
    pub ready: watch::Receiver<Option<PodSeen>>,
}

/// Waits for a pod to be seen.
pub async fn until_seen(seen: &mut watch::Receiver<Option<PodSeen>>) -> anyhow::Result<PodSeen> {
    // The other end is there for as long as the following is.
    Ok(seen.wait_for(Option::is_some).await?.clone().unwrap_or_default())
}

/// What there is to say if somebody else has taken the pod away.
pub fn replaced(ctx: &Ctx, pod: &str) -> anyhow::Error {
    Error::new(
        format!("pod/{pod} was deleted by someone else at the same moment: this run has proved nothing"),
        ctx.by_hand
            .kubectl(["wait", &format!("pod/{pod}"), "--for=condition=Ready"])
            .to("run it again once the pod is ready"),
    )
    .into()
}

/// A time in whole milliseconds.
pub fn ms(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
