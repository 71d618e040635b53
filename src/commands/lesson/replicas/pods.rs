//! The pods of a practice set as they change: told when they are Ready, and waited for.

use std::collections::BTreeSet;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use tokio::time::{Instant, timeout_at};

use crate::context::Ctx;
use crate::exchange::practice::Practice;
use crate::kubernetes::act::command;
use crate::observe::live::{self, Change};
use crate::observe::readiness;
use crate::persistence::identity::PodSeen;
use crate::text::seconds;

/// A watch of the pods.
pub struct Pods<'a> {
    ctx: &'a Ctx,
    changes: BoxStream<'static, Change>,
    start: Instant,
    /// By UID: a pod that takes the place of one is told anew.
    told: BTreeSet<String>,
}

impl<'a> Pods<'a> {
    /// Begins.
    ///
    /// # Errors
    /// If there is no cluster.
    pub async fn watch(ctx: &'a Ctx, practice: &Practice) -> anyhow::Result<Self> {
        let cluster = ctx.cluster().await?;
        let selector = practice.selector();
        ctx.show(|| command(cluster.place(), &["get", "pods", "-l", &selector, "--watch"]));
        let changes = live::pods(cluster, &selector);
        Ok(Self { ctx, changes, start: Instant::now(), told: BTreeSet::new() })
    }

    /// For how many milliseconds it has been going on.
    pub fn elapsed_ms(&self) -> u64 {
        self.start.elapsed().as_millis().try_into().unwrap_or(u64::MAX)
    }

    /// The same in words.
    pub fn after(&self) -> String {
        format!("(after {})", seconds(self.elapsed_ms()))
    }

    /// Waits until so many pods are Ready at once. Gives them, in their order.
    ///
    /// # Errors
    /// If they are not in time, with what is seen of those that are not.
    pub async fn until_ready(&mut self, number: u8, deadline: Instant) -> anyhow::Result<Vec<PodSeen>> {
        let mut last = "no pod was created".to_owned();
        loop {
            let Some(pods) = self.next(deadline).await else {
                anyhow::bail!("not all {number} pods were Ready in time: {last}");
            };
            let are: Vec<&Pod> = pods.iter().filter(|pod| readiness::pod(pod)).collect();
            for pod in &are {
                if self.told.insert(pod.uid().unwrap_or_default()) {
                    self.ctx.printer.note(format!("  pod/{} Ready {}", pod.name_any(), self.after()));
                }
            }
            if are.len() == usize::from(number) {
                return Ok(are.into_iter().map(PodSeen::from).collect());
            }
            if let Some(PodSeen { name, waits, .. }) = pods.iter().find(|pod| !readiness::pod(pod)).map(PodSeen::from) {
                last = format!("pod/{name} {}", waits.unwrap_or_else(|| "starts".to_owned()));
            } else if !pods.is_empty() {
                last = format!("only {} were created", pods.len());
            }
        }
    }

    /// Waits until there is no pod any more.
    ///
    /// # Errors
    /// If there is one when time is over.
    pub async fn until_gone(&mut self, deadline: Instant) -> anyhow::Result<()> {
        let mut last = String::new();
        loop {
            let Some(pods) = self.next(deadline).await else {
                anyhow::bail!("not all pods ended in time{last}");
            };
            let Some(pod) = pods.first() else { return Ok(()) };
            last = format!(": pod/{} is still there", pod.name_any());
        }
    }

    /// The pods after the next change; none if there is none in time.
    async fn next(&mut self, deadline: Instant) -> Option<Vec<Pod>> {
        loop {
            match timeout_at(deadline, self.changes.next()).await.ok()? {
                Some(Change::Pods(pods)) => return Some(pods),
                Some(Change::Lost(why)) => self.ctx.printer.warning(&format!("the watch was interrupted: {why}")),
                Some(_) => {}
                None => return None,
            }
        }
    }
}
