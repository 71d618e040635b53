//! `--contrast`: Level 1, made once Level 2 has been measured, so that it takes nothing away from it; it goes through the same
//! steps, and is taken away on every way out.

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, PodSpec, Service};
use kube::ResourceExt;
use tokio::join;
use tokio::time::{Instant, timeout_at};

use super::{Args, cycle, follow};
use crate::commands::shared::helper;
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::level_one::LevelOne;
use crate::exchange::{names, psql, wallets};
use crate::kubernetes::act::{Create, Exec, command};
use crate::kubernetes::{Cluster, Object};
use crate::observe::{Reading, Reason, live, readiness};
use crate::persistence::contrast::{Contrast, ServiceSeen};
use crate::persistence::evidence::{Cycle, Moment};
use crate::persistence::identity::PodSeen;
use crate::persistence::rows::{Run, WRITE};
use crate::text::Hint;

/// Refuses what has no contrast, before anything is done.
pub fn check(args: &Args) -> Result<(), Error> {
    if args.contrast && !args.how.replaces_pod() {
        return Err(Error::new(
            "a crash keeps the pod, and so the data that is on no volume: there is no contrast",
            "omit --how crash, or --contrast",
        ));
    }
    Ok(())
}

/// Does it, if it is asked for and Level 2 came back. Whatever goes wrong with it is what is known of it, and no more.
pub async fn run(args: &Args, ctx: &Ctx, run: &Run, cycles: &[Cycle]) -> Reading<Contrast> {
    if !args.contrast {
        return Reading::NotAsked;
    }
    let failed = |why: String| Reading::Unknown(Reason::Failed(why));
    if !cycles.iter().all(|cycle| matches!(cycle.after, Reading::Present(_))) {
        return failed("Level 1 was not created: Level 2 did not come back".to_owned());
    }
    match Box::pin(recorded(args, ctx, run)).await {
        Ok(contrast) => Reading::Present(contrast),
        Err(error) => failed(format!("Level 1: {error:#}")),
    }
}

/// What is known of it if the run ends before it does.
pub fn stopped() -> Reading<Contrast> {
    Reading::Unknown(Reason::Failed("Level 1: the run was interrupted".to_owned()))
}

/// Says what helps where nothing is known of it.
pub fn help(ctx: &Ctx, contrast: &Reading<Contrast>) {
    if let Reading::Unknown(Reason::Failed(why)) = contrast {
        let (what, words) = if why.contains("exceeded quota") {
            ("see what uses the quota", "describe resourcequota")
        } else {
            ("see what happened", "get events")
        };
        let stands = Hint::from("the verdict does not depend on it");
        ctx.printer.hint(stands.and(ctx.by_hand.kubectl(words).to(what)));
    }
}

async fn recorded(args: &Args, ctx: &Ctx, run: &Run) -> anyhow::Result<Contrast> {
    let cluster = ctx.cluster().await?;
    let (pod, headless) =
        join!(cluster.get::<Pod>(names::POSTGRES_POD), cluster.get::<Service>(names::POSTGRES_SERVICE));
    let beside = pod?.and_then(|pod| pod.spec).unwrap_or_default();
    let objects = objects(ctx, run, &beside).await?;
    // What refuses its pod, as a quota does, says so at once, and nothing is made.
    ctx.perform(&Create { object: Object::of(&objects.pod())?, hidden: None, dry_run: true }).await?;
    ctx.printer.note("Level 1 for contrast: the same steps in a Deployment without a volume");
    let (service_ticket, service) = ctx.create_temporary(Object::of(&objects.service)?).await?;
    let (deployment_ticket, _) = ctx.create_temporary(Object::of(&objects.deployment)?).await?;

    let mut pods = Pods::watch(ctx, cluster, run);
    let old = pods.until(Instant::now() + args.timeout, readiness::pod).await?;
    write(ctx, run, args.rows, &old.name_any()).await?;
    let before = cycle::moment(cluster, &PodSeen::from(&old)).await?;
    let asked_at = Timestamp::now();
    let (after, downtime_ms) = replaced(args, ctx, &mut pods, &before.identity.pod).await?;

    ctx.delete_temporary(deployment_ticket).await?;
    ctx.delete_temporary(service_ticket).await?;
    Ok(Contrast {
        service: ServiceSeen::from(&service.try_parse::<Service>()?),
        headless: Reading::from(headless).map(|service| ServiceSeen::from(service)),
        marked: args.rows,
        asked_at,
        before,
        after,
        downtime_ms,
    })
}

/// The objects of Level 1. They belong to the run's Lease: it is deleted by the next run after one that was killed, and they
/// with it.
async fn objects(ctx: &Ctx, run: &Run, beside: &PodSpec) -> anyhow::Result<LevelOne> {
    let cluster = ctx.cluster().await?;
    let owner = super::lease(run).as_owner(cluster).await?.ok_or_else(|| {
        anyhow::anyhow!("it was not created: without a Lease, nothing would delete what a killed run leaves behind")
    })?;
    LevelOne::new(run.as_str(), cluster.namespace(), beside, &owner)
}

/// Writes the marked rows, into a table of its own.
async fn write(ctx: &Ctx, run: &Run, count: u32, pod: &str) -> anyhow::Result<()> {
    let values = [("mark", &*run.mark()), ("rows", &count.to_string())];
    let script = psql::with_values(&values, &[wallets::CREATE, WRITE].concat());
    let ended = ctx.perform(&Exec { pod: pod.to_owned(), ..script }).await?;
    anyhow::ensure!(ended.code == 0, "could not write the marked rows in pod/{pod}: {}", ended.stderr.trim());
    Ok(())
}

/// Takes the pod away as Level 2's was, and gives everything after, and for how many milliseconds no query was answered.
async fn replaced(
    args: &Args,
    ctx: &Ctx,
    pods: &mut Pods<'_>,
    old: &PodSeen,
) -> anyhow::Result<(Reading<Moment>, Option<u64>)> {
    let cluster = ctx.cluster().await?;
    let asked = Instant::now();
    let deadline = asked + args.timeout;
    follow::take_away(ctx, args.how, old).await?;
    let is_new = |pod: &Pod| pod.uid().as_deref() != Some(&old.uid);
    let on_node = |pod: &Pod| is_new(pod) && pod.spec.as_ref().is_some_and(|spec| spec.node_name.is_some());
    let new = pods.until(deadline, on_node).await?.name_any();
    if timeout_at(deadline, follow::answered(cluster, &new, "")).await.is_err() {
        return Ok((Reading::Absent, None));
    }
    let downtime_ms = follow::ms(asked.elapsed());
    let ready = pods.until(deadline, |pod| is_new(pod) && readiness::pod(pod)).await?;
    ctx.printer.note(format!("Level 1: pod/{} was replaced by pod/{}", old.name, ready.name_any()));
    Ok((cycle::patiently(cluster, &PodSeen::from(&ready)).await, Some(downtime_ms)))
}

/// The pods of Level 1, as they change.
struct Pods<'a> {
    cluster: &'a Cluster,
    deployment: String,
    changes: BoxStream<'static, live::Change>,
    there: Vec<Pod>,
}

impl<'a> Pods<'a> {
    fn watch(ctx: &Ctx, cluster: &'a Cluster, run: &Run) -> Self {
        let selector = LevelOne::selector(run.as_str());
        ctx.show(|| command(cluster.place(), &["get", "pods", "-l", &selector, "--watch"]));
        let changes = live::pods(cluster, &selector);
        Self { cluster, deployment: names::level_1(run.as_str()), changes, there: Vec::new() }
    }

    /// Waits for a pod of which it holds.
    async fn until(&mut self, deadline: Instant, holds: impl Fn(&Pod) -> bool) -> anyhow::Result<Pod> {
        loop {
            if let Some(pod) = self.there.iter().find(|pod| holds(pod)) {
                return Ok(pod.clone());
            }
            match timeout_at(deadline, self.changes.next()).await {
                Ok(Some(live::Change::Pods(pods))) => self.there = pods,
                // A watch that breaks off starts anew by itself.
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => anyhow::bail!("its pod was not ready in time: {}", self.why().await),
            }
        }
    }

    /// How far it has come, and why no farther.
    async fn why(&self) -> String {
        if let Some(pod) = self.there.iter().find(|pod| pod.metadata.deletion_timestamp.is_none()) {
            return format!("pod/{} {}", pod.name_any(), helper::why(pod));
        }
        let deployment = self.cluster.get::<Deployment>(&self.deployment).await.ok().flatten();
        let conditions = deployment.and_then(|deployment| deployment.status?.conditions).unwrap_or_default();
        let refused = conditions.into_iter().find(|condition| condition.type_ == "ReplicaFailure");
        refused.and_then(|condition| condition.message).unwrap_or_else(|| "no pod was created".to_owned())
    }
}
