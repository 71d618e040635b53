//! One pod: everything before, its replacement, everything after.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use tokio::time::{Instant, sleep};

use super::super::cycle::storage;
use super::super::follow::{Watched, replaced};
use super::preflight::{Member, Ready};
use super::{Plan, command, follow};
use crate::context::Ctx;
use crate::error::Error;
use crate::kubernetes::act;
use crate::observe::{Reading, Reason};
use crate::persistence::identity::{PodSeen, claims};
use crate::persistence::set::evidence::{Claimed, Moment, Turn};
use crate::persistence::set::output::Output;

/// How long what is ready again may take to be read, and to have its data again.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(500);

pub async fn run(ctx: &Ctx, plan: &Plan<'_>, ready: &Ready, member: &Member) -> anyhow::Result<Turn> {
    let (watched, seen) = Watched::begin(ctx, &member.pod, Instant::now() + PATIENCE).await?;
    let before = before(ctx, plan, member).await?;
    if before.pod.uid != seen.uid {
        return Err(replaced(ctx, &member.pod));
    }
    let asked_at = Timestamp::now();
    let deadline = Instant::now() + plan.timeout;
    let (timeline, name) = follow::through(ctx, ready, watched, (plan.how, &before.pod), deadline).await?;
    let is_ready = timeline.last.as_ref().is_some_and(|pod| pod.ready && pod.uid != before.pod.uid);
    let after = if is_ready {
        show(ctx, plan, member).await?;
        patiently(ctx, plan, member, &before.data).await
    } else {
        Reading::Absent
    };
    let container = plan.read.map(|_| member.container.clone());
    Ok(Turn { asked_at, container, before, after, timeline, name })
}

/// What there is before: written, and read so that it can be read again.
async fn before(ctx: &Ctx, plan: &Plan<'_>, member: &Member) -> anyhow::Result<Moment> {
    let refused = |flag: &str, output: &Reading<Output>| {
        let why = match output {
            Reading::Present(output) if output.code == 0 => "printed nothing".to_owned(),
            other => format!("failed: {}", words(other)),
        };
        Error::new(
            format!("pod/{} was not deleted: {flag} {why} (container {})", member.pod, member.container),
            "both commands run with sh -c in the pod; --show-commands prints them, so that you can try them",
        )
    };
    if let Some(write) = plan.write {
        let place = ctx.cluster().await?.place();
        ctx.show(|| command::kubectl(place, plan.run, member, write));
        match command::run(ctx, plan.run, member, write).await? {
            Reading::Present(output) if output.code == 0 => {}
            other => return Err(refused("--write", &other).into()),
        }
    }
    show(ctx, plan, member).await?;
    let moment = moment(ctx, plan, member).await?;
    match &moment.data {
        Reading::NotAsked => {}
        Reading::Present(output) if output.is_something() => {}
        other => return Err(refused("--read", other).into()),
    }
    Ok(moment)
}

fn words(output: &Reading<Output>) -> String {
    match output {
        Reading::Present(output) => output.words(),
        Reading::Unknown(Reason::Forbidden(why) | Reason::Failed(why)) => format!("no answer: {why}"),
        Reading::Absent | Reading::NotAsked => "no answer".to_owned(),
    }
}

/// How kubectl shows a moment.
async fn show(ctx: &Ctx, plan: &Plan<'_>, member: &Member) -> anyhow::Result<()> {
    let place = ctx.cluster().await?.place();
    if let Some(read) = plan.read {
        ctx.show(|| command::kubectl(place, plan.run, member, read));
    }
    ctx.show(|| act::command(place, &["get", "pod", &member.pod, "-o", "yaml"]));
    for claim in &member.claims {
        ctx.show(|| act::command(place, &["get", "pvc", claim, "-o", "yaml"]));
    }
    Ok(())
}

/// The pod, its claims and its data.
async fn moment(ctx: &Ctx, plan: &Plan<'_>, member: &Member) -> anyhow::Result<Moment> {
    let cluster = ctx.cluster().await?;
    let data = match plan.read {
        Some(read) => command::run(ctx, plan.run, member, read).await?,
        None => Reading::NotAsked,
    };
    // After its data: a pod that was replaced meanwhile is told from the one that is judged.
    let pod = cluster.get::<Pod>(&member.pod).await?.ok_or_else(|| replaced(ctx, &member.pod))?;
    let names = claims(&pod);
    let claims = join_all(names.into_iter().map(|name| async move {
        let (claim, volume) = storage(cluster, Some(&name)).await;
        Claimed { name, claim, volume }
    }));
    Ok(Moment { claims: claims.await, pod: PodSeen::from(&pod), data })
}

/// The same once it is ready again. Data that comes back later than its program is ready is waited for.
async fn patiently(ctx: &Ctx, plan: &Plan<'_>, member: &Member, before: &Reading<Output>) -> Reading<Moment> {
    let deadline = Instant::now() + PATIENCE;
    let mut is_told = false;
    loop {
        match moment(ctx, plan, member).await {
            Ok(moment) if Instant::now() > deadline || is_there(&moment.data, before) => {
                return Reading::Present(moment);
            }
            Err(error) if Instant::now() > deadline => return Reading::Unknown(Reason::Failed(format!("{error:#}"))),
            _ if !std::mem::replace(&mut is_told, true) => {
                let Member { pod, container, .. } = member;
                ctx.printer.note(format!(
                    "pod/{pod} does not show its data yet (container {container}): waiting up to {PATIENCE:?}"
                ));
            }
            _ => {}
        }
        sleep(PAUSE).await;
    }
}

fn is_there(now: &Reading<Output>, before: &Reading<Output>) -> bool {
    match (now, before) {
        (Reading::Present(now), Reading::Present(before)) => now.is_same(before),
        (now, _) => *now == Reading::NotAsked,
    }
}
