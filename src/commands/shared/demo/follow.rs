//! Stops a pod, or its node, and follows what happens, until the new one has been asked every way or time is over.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::node;
use super::subject::Subject;
use super::view::Live;
use super::watched::{Seen, Watched, ms, replaced, until_seen};
use crate::cleanup::Ticket;
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::psql;
use crate::kubernetes::Cause;
use crate::kubernetes::act::{Act, DeletePod, EvictPod};
use crate::observe::Reading;
use crate::persistence::How;
use crate::persistence::evidence::{Moment, NameAnswer};
use crate::persistence::identity::PodSeen;
use crate::persistence::timeline::{Change, Kind, Timeline, step};

/// The pause before a container that may be there is asked again.
const PAUSE: Duration = Duration::from_millis(100);

/// How long another member may take to be the primary, and to answer by name, before the node of the old one is started all the
/// same. The claim to be the primary is over after 20 s.
const TAKEOVER: Duration = Duration::from_mins(2);

/// Stops the pod, or its node, and follows what happens, until the new one has been asked every way or time is over. Gives what was seen, and
/// what its names lead to.
pub async fn through<S: Subject>(
    ctx: &Ctx,
    subject: &S,
    mut watched: Watched,
    (how, before): (How, &Moment),
    deadline: Instant,
) -> anyhow::Result<(Timeline, Reading<NameAnswer>)> {
    let pod = &before.pod;
    let ((running, is_running), (ready, is_ready)) = (watch::channel(None), watch::channel(None));
    let seen = Seen { running: is_running, ready: is_ready };
    let answering = answered_in_pod(ctx, before, seen.running.clone());
    let naming = subject.named(ctx, before, seen, deadline);
    let stopping = stop(ctx, subject, how, pod);
    let ((away, is_away), (enough, is_enough)) = (watch::channel(None), watch::channel(false));
    let starting = start_again(ctx, is_away, is_enough, deadline);
    let promoting = subject.promoted(ctx, pod);
    let (no_server_yet, no_name_yet) = (subject.explain_server(ctx), subject.explain_name(ctx));
    tokio::pin!(answering, naming, stopping, starting, promoting, no_server_yet, no_name_yet);

    let mut live = if S::IS_SHOWN { Some(Live::begin(ctx)?) } else { None };
    let mut timeline = step(Timeline::new(how, pod.clone()), Change::Asked, watched.now_ms());
    let asked = Instant::now();
    let (mut acknowledged, mut answered, mut is_promoted, mut is_on) = (false, !S::ANSWERS, false, how != How::Node);
    let mut name: Option<Reading<NameAnswer>> = None;
    let (mut until, mut is_back) = (Some(deadline), false);
    // Whoever asks by the name is there before the pod is stopped.
    if let Poll::Ready(found) = poll_fn(|context| Poll::Ready(naming.as_mut().poll(context))).await {
        name = Some(found?);
    }
    loop {
        let change = tokio::select! {
            stopped = &mut stopping, if !acknowledged => {
                away.send_replace(stopped?);
                acknowledged = true;
                Some(Change::Acknowledged(ms(asked.elapsed())))
            }
            took = &mut starting, if !is_on => {
                is_on = true;
                Some(Change::NodeStarted(took?))
            }
            change = watched.next() => Some(change),
            done = &mut answering, if !answered => {
                done?;
                answered = true;
                Some(Change::Answered)
            }
            found = &mut naming, if name.is_none() => {
                let found = found?;
                let change = found.present().and_then(|found| named(found, &timeline));
                name = Some(found);
                change
            }
            promoted = &mut promoting, if !is_promoted => {
                is_promoted = true;
                Some(Change::Promoted(promoted?))
            }
            () = over(until) => break,
            () = &mut no_server_yet, if !answered => None,
            () = &mut no_name_yet, if is_back && name.is_none() => None,
        };
        if let Some(change) = change {
            timeline = step(timeline, change, watched.now_ms());
            running.send_replace(timeline.last.clone().filter(|_| timeline.may_answer()));
            if timeline.event(Kind::Ready).is_some() && ready.borrow().is_none() {
                ready.send_replace(timeline.last.clone());
            }
            if let Some(live) = &mut live {
                live.show(&timeline, acknowledged)?;
            }
        }
        enough.send_replace(!subject.has_others() || is_promoted && name.is_some());
        let keeps_container = how == How::Crash && subject.has_others();
        if acknowledged && is_on && answered && (keeps_container || timeline.event(Kind::Ready).is_some()) {
            if name.is_some() {
                break;
            }
            if !std::mem::replace(&mut is_back, true) {
                until = S::NAME_LIMIT.map(|limit| deadline.min(Instant::now() + limit));
            }
        }
    }
    if !acknowledged {
        away.send_replace(stopping.await?);
    }
    if !is_on {
        enough.send_replace(true);
        timeline = step(timeline, Change::NodeStarted(starting.await?), watched.now_ms());
        if let Some(live) = &mut live {
            live.show(&timeline, true)?;
        }
    }
    Ok((timeline, name.unwrap_or_else(|| subject.unnamed())))
}

/// Ends at that moment, if there is one.
async fn over(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => std::future::pending().await,
    }
}

/// What it means for the timeline that a name was answered: of a server, that it answered; else that it leads to the new pod.
fn named(answer: &NameAnswer, timeline: &Timeline) -> Option<Change> {
    let first = answer.names.first()?;
    if answer.start.is_some() {
        return Some(Change::AnsweredByName(first.addresses.clone()));
    }
    let addresses = &timeline.last.as_ref()?.addresses;
    first.leads_to(addresses).then(|| Change::Resolved(first.addresses.clone()))
}

/// Ends when another server than the one before has answered in the pod that may have it.
async fn answered_in_pod(
    ctx: &Ctx,
    before: &Moment,
    mut running: watch::Receiver<Option<PodSeen>>,
) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    let pod = until_seen(&mut running).await?.name;
    let start = before.data.database().map_or("", |database| &database.server.start);
    let ask = psql::when_it_answers(&pod, "SELECT extract(epoch FROM pg_postmaster_start_time())::text;");
    loop {
        match ask.execute(cluster).await {
            Ok(ended) if ended.code == 0 && !ended.stdout.trim().is_empty() && ended.stdout.trim() != start => {
                return Ok(());
            }
            _ => sleep(PAUSE).await,
        }
    }
}

/// Starts a node again that was stopped, once that is enough or another member had the time to take over. Gives how many
/// milliseconds that took.
async fn start_again(
    ctx: &Ctx,
    mut is_away: watch::Receiver<Option<Ticket>>,
    mut is_enough: watch::Receiver<bool>,
    deadline: Instant,
) -> anyhow::Result<u64> {
    // The other ends are there for as long as the following is.
    let Some(ticket) = *is_away.wait_for(Option::is_some).await? else { return Ok(0) };
    let limit = TAKEOVER.min(deadline.saturating_duration_since(Instant::now()) / 2);
    let _ = timeout(limit, is_enough.wait_for(|is_enough| *is_enough)).await;
    node::start(ctx, ticket).await
}

/// Asks the cluster, or the server itself, for the end of this server and of no other. Gives how its node is started again, if
/// that was stopped.
async fn stop<S: Subject>(ctx: &Ctx, subject: &S, how: How, pod: &PodSeen) -> anyhow::Result<Option<Ticket>> {
    let delete = |grace| DeletePod { name: pod.name.clone(), uid: pod.uid.clone(), grace };
    let asked = match how {
        How::Delete => ctx.perform(&delete(None)).await,
        How::Kill => ctx.perform(&delete(Some(1))).await,
        How::Force => ctx.perform(&delete(Some(0))).await,
        How::Evict => ctx.perform(&EvictPod { name: pod.name.clone(), uid: pod.uid.clone() }).await,
        How::Crash => return crash(ctx, &pod.name).await.map(|()| None),
        How::Node => {
            let commands = subject.node().context("no command stops the node")?;
            let node = pod.node.as_deref().context("the pod has no node")?;
            return commands.stop(ctx, node).await.map(Some);
        }
    };
    match asked {
        Err(error) if is_another(&error) => Err(replaced(ctx, &pod.name)),
        Err(error) if matches!(Cause::of(&error), Some(Cause::EvictionRefused(_))) => Err(Error::new(
            format!("nothing was deleted: {error:#}"),
            ctx.by_hand
                .kubectl("get poddisruptionbudget")
                .to("see what the budget allows")
                .and("--how delete does not need one"),
        )
        .into()),
        asked => asked.map(|()| None),
    }
}

/// The program that stops the server goes with the server's container, and may not live to say how it ended.
async fn crash(ctx: &Ctx, pod: &str) -> anyhow::Result<()> {
    /// A shell's exit code for a program that was killed.
    const KILLED: i32 = 128;
    match ctx.perform(&psql::crash(pod)).await {
        Ok(ended) if ended.code != 0 && ended.code < KILLED => Err(Error::new(
            format!("the server could not be stopped: {}", ended.stderr.trim()),
            ctx.by_hand.kubectl(["describe", "pod", pod]).to("see what runs there"),
        )
        .into()),
        Err(error) if matches!(Cause::of(&error), Some(Cause::Forbidden(_))) => Err(error),
        _ => Ok(()),
    }
}

/// Whether the pod is not the one any more that it was.
fn is_another(error: &anyhow::Error) -> bool {
    matches!(Cause::of(error), Some(Cause::NotFound(_) | Cause::Conflict { .. }))
}
