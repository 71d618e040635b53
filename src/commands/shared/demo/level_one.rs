//! Level 1 as a subject: a Deployment, without a volume or with a claim, created once Level 2 has been measured, so that it takes
//! nothing away from it. It goes through the same turn, and is deleted on every way out.

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::ResourceExt;
use kube::api::ListParams;
use tokio::time::Instant;

use super::Args;
use super::engine;
use super::exchange::moment;
use super::subject::{After, Stop, Subject};
use super::watched::{Seen, Watched};
use crate::commands::shared::helper;
use crate::commands::shared::lease;
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::level_one::{self, LevelOne, Storage};
use crate::exchange::{names, psql, wallets};
use crate::kubernetes::act::{Create, command};
use crate::kubernetes::{Cluster, Object};
use crate::observe::{Reading, Reason, live};
use crate::persistence::How;
use crate::persistence::contrast::{Contrast, ServiceSeen};
use crate::persistence::evidence::{Evidence, Moment, NameAnswer};
use crate::persistence::identity::PodSeen;
use crate::persistence::rows::{Run, WRITE};
use crate::text::Hint;

/// Refuses what has no contrast, before anything is done.
pub fn check(args: &Args) -> Result<(), Error> {
    if args.contrast && args.how == How::Node {
        let why = "not started: Level 1 may be on another node, which is not stopped: there is no contrast";
        return Err(Error::new(why, "omit --how node, or --contrast"));
    }
    if args.contrast && !args.how.replaces_pod() {
        return Err(Error::new(
            "a crash keeps the pod, and so the data that is on no volume: there is no contrast",
            "omit --how crash, or --contrast",
        ));
    }
    Ok(())
}

/// Does it, if Level 2 came back. Whatever goes wrong with it is what is known of it, and no more.
pub async fn contrast(args: &Args, ctx: &Ctx, evidence: &Evidence) -> Reading<Contrast> {
    let failed = |why: String| Reading::Unknown(Reason::Failed(why));
    if !evidence.turns.iter().all(|turn| matches!(turn.after, Reading::Present(_))) {
        return failed("Level 1 was not created: Level 2 did not come back".to_owned());
    }
    let asked = Asked { storage: Storage::Empty, rows: args.rows, stop: Stop { how: args.how, timeout: args.timeout } };
    reading(Box::pin(recorded(ctx, &evidence.run, asked)).await)
}

/// What is done with it.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Where its data is.
    pub storage: Storage,
    /// How many rows are written.
    pub rows: u32,
    /// How its pod is stopped, and how long each pod may take.
    pub stop: Stop,
}

/// What is known of it. Whatever went wrong is that, and no more.
pub fn reading(recorded: anyhow::Result<Contrast>) -> Reading<Contrast> {
    match recorded {
        Ok(contrast) => Reading::Present(contrast),
        Err(error) => Reading::Unknown(Reason::Failed(format!("Level 1: {error:#}"))),
    }
}

/// What is known of it if the run ends before it does.
pub fn interrupted() -> Reading<Contrast> {
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

/// Creates it, deletes its pod, and gives what was seen.
///
/// # Errors
/// If it cannot be created, or is not there in time.
pub async fn recorded(ctx: &Ctx, run: &Run, asked: Asked) -> anyhow::Result<Contrast> {
    let cluster = ctx.cluster().await?;
    let headless = cluster.get::<Service>(names::POSTGRES_SERVICE).await;
    let objects = objects(ctx, run, asked.storage).await?;
    // What refuses its pod, as a quota does, says so at once, and nothing is created.
    ctx.perform(&Create { object: Object::of(&objects.pod())?, hidden: None, dry_run: true }).await?;
    ctx.printer.note(match asked.storage {
        Storage::Empty => "Level 1 for contrast: the same steps in a Deployment without a volume",
        Storage::Claim => "and the same steps in a Deployment with a claim",
    });
    let claim_ticket = match &objects.claim {
        Some(claim) => Some(ctx.create_temporary(Object::of(claim)?).await?.0),
        None => None,
    };
    let (service_ticket, service) = ctx.create_temporary(Object::of(&objects.service)?).await?;
    let (deployment_ticket, _) = ctx.create_temporary(Object::of(&objects.deployment)?).await?;

    let mut level_1 = Level1 { asked, run, deployment: level_one::name(run.as_str(), asked.storage) };
    let turn = engine::turn(ctx, &mut level_1, asked.stop, "").await?;
    if let Reading::Present(after) = &turn.after {
        let (old, new) = (&turn.before.pod.name, &after.pod.name);
        ctx.printer.note(format!("Level 1: pod/{old} was replaced by pod/{new}"));
    }

    for ticket in [Some(deployment_ticket), Some(service_ticket), claim_ticket].into_iter().flatten() {
        ctx.delete_temporary(ticket).await?;
    }
    Ok(Contrast {
        service: ServiceSeen::from(&service.try_parse::<Service>()?),
        headless: Reading::from(headless).map(|service| ServiceSeen::from(service)),
        marked: asked.rows,
        turn,
    })
}

/// The objects of Level 1. They belong to the run's Lease: it is deleted by the next run after one that was killed, and they
/// with it.
///
/// # Errors
/// If there is no Lease.
pub async fn objects(ctx: &Ctx, run: &Run, storage: Storage) -> anyhow::Result<LevelOne> {
    let cluster = ctx.cluster().await?;
    let beside = cluster.get::<Pod>(names::POSTGRES_POD).await?.and_then(|pod| pod.spec).unwrap_or_default();
    let owner = lease::of(run).as_owner(cluster).await?.ok_or_else(|| {
        anyhow::anyhow!("it was not created: without a Lease, nothing would delete what a killed run leaves behind")
    })?;
    LevelOne::new((run.as_str(), storage), cluster.namespace(), &beside, &owner)
}

/// Writes the marked rows, into a table of its own.
async fn write(ctx: &Ctx, run: &Run, count: u32, pod: &str) -> anyhow::Result<()> {
    let values = [("mark", &*run.mark()), ("rows", &count.to_string())];
    let script = psql::with_values(pod, &values, &[wallets::CREATE, WRITE].concat());
    let ended = ctx.perform(&script).await?;
    anyhow::ensure!(ended.code == 0, "could not write the marked rows in pod/{pod}: {}", ended.stderr.trim());
    Ok(())
}

/// Its pods, which have no stable name.
struct Level1<'a> {
    asked: Asked,
    run: &'a Run,
    deployment: String,
}

impl Subject for Level1<'_> {
    const ANSWERS: bool = true;
    const IS_SHOWN: bool = false;
    const NAME_LIMIT: Option<Duration> = None;

    async fn watch(&self, ctx: &Ctx, _pod: &str) -> anyhow::Result<(Watched, PodSeen)> {
        let cluster = ctx.cluster().await?;
        let selector = self.selector();
        ctx.show(|| command(cluster.place(), &["get", "pods", "-l", &selector, "--watch"]));
        let mut watched = Watched::of("", live::pods(cluster, &selector));
        match watched.until(Instant::now() + self.asked.stop.timeout, |pod| pod.ready).await {
            Some(pod) => Ok((watched, pod)),
            None => anyhow::bail!("its pod was not ready in time: {}", self.why(cluster).await),
        }
    }

    async fn before(&mut self, ctx: &Ctx, pod: &PodSeen) -> anyhow::Result<Moment> {
        write(ctx, self.run, self.asked.rows, &pod.name).await?;
        moment::read(ctx.cluster().await?, pod).await
    }

    /// Nobody has its name.
    async fn named(
        &self,
        _ctx: &Ctx,
        _before: &Moment,
        _seen: Seen,
        _deadline: Instant,
    ) -> anyhow::Result<Reading<NameAnswer>> {
        Ok(Reading::NotAsked)
    }

    async fn after(&mut self, ctx: &Ctx, _before: &Moment, back: Option<&PodSeen>) -> anyhow::Result<After> {
        let moment = match back {
            Some(pod) => moment::read_patiently(ctx.cluster().await?, pod).await,
            None => Reading::Absent,
        };
        Ok(After { moment, log: Reading::NotAsked, load: Reading::NotAsked, takeover: Reading::NotAsked })
    }
}

impl Level1<'_> {
    fn selector(&self) -> String {
        LevelOne::selector(self.run.as_str(), self.asked.storage)
    }

    /// How far its pod has come, and why no farther.
    async fn why(&self, cluster: &Cluster) -> String {
        let selector = ListParams::default().labels(&self.selector());
        let pods = cluster.list::<Pod>(&selector).await.unwrap_or_default();
        if let Some(pod) = pods.iter().find(|pod| pod.metadata.deletion_timestamp.is_none()) {
            return format!("pod/{} {}", pod.name_any(), helper::why(pod));
        }
        let deployment = cluster.get::<Deployment>(&self.deployment).await.ok().flatten();
        let conditions = deployment.and_then(|deployment| deployment.status?.conditions).unwrap_or_default();
        let refused = conditions.into_iter().find(|condition| condition.type_ == "ReplicaFailure");
        refused.and_then(|condition| condition.message).unwrap_or_else(|| "no pod was created".to_owned())
    }
}
