//! Takes the server away and follows what happens, until the new one has answered every way or time is over.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::{by_name, view, why};
use crate::context::Ctx;
use crate::dns;
use crate::error::Error;
use crate::exchange::psql;
use crate::kubernetes::act::{Act, DeletePod, EvictPod, Exec, command};
use crate::kubernetes::{Cause, Cluster};
use crate::observe::{Reading, live};
use crate::persistence::How;
use crate::persistence::evidence::NameAnswer;
use crate::persistence::identity::{PodSeen, Server};
use crate::persistence::timeline::{Change, Kind, Timeline, step};

/// The pause before a container that may be there is asked again.
const PAUSE: Duration = Duration::from_millis(100);

/// A pod with a stable name, as it changes.
pub struct Watched {
    name: String,
    changes: BoxStream<'static, live::Change>,
    began: Instant,
}

impl Watched {
    /// Begins to watch, and gives the pod as it is.
    pub async fn begin(ctx: &Ctx, name: &str, deadline: Instant) -> anyhow::Result<(Self, PodSeen)> {
        let cluster = ctx.cluster().await?;
        ctx.show(|| command(cluster.place(), &["get", "pod", name, "--watch"]));
        let mut watched = Self { name: name.to_owned(), changes: live::pod(cluster, name), began: Instant::now() };
        loop {
            match tokio::time::timeout_at(deadline, watched.next()).await {
                Ok(Change::Pod(Some(pod))) => return Ok((watched, *pod)),
                Ok(Change::Lost(_)) => {}
                _ => return Err(replaced(ctx, &watched.name)),
            }
        }
    }

    /// What changes next.
    pub async fn next(&mut self) -> Change {
        while let Some(change) = self.changes.next().await {
            if let Some(change) = seen(change) {
                return change;
            }
        }
        // Watches do not end.
        std::future::pending().await
    }

    /// The time on its clock.
    pub fn now_ms(&self) -> u64 {
        ms(self.began.elapsed())
    }
}

/// What a change of the watch means for the timeline.
fn seen(change: live::Change) -> Option<Change> {
    match change {
        live::Change::Pods(pods) => Some(Change::Pod(pods.first().map(PodSeen::from).map(Box::new))),
        live::Change::Lost(why) => Some(Change::Lost(why)),
        _ => None,
    }
}

/// What came of it.
pub struct Followed {
    /// What was seen.
    pub timeline: Timeline,
    /// What the name answered.
    pub name: Reading<NameAnswer>,
    /// Why it did not, the last time.
    pub name_error: Option<String>,
}

/// Takes the server away, and follows.
pub async fn through(
    ctx: &Ctx,
    mut watched: Watched,
    how: How,
    (pod, server): (&PodSeen, &Server),
    backend: Option<&str>,
    deadline: Instant,
) -> anyhow::Result<Followed> {
    let cluster = ctx.cluster().await?;
    let (may_answer, answers) = watch::channel(false);
    let in_pod = async {
        let mut answers = answers;
        let _ = answers.wait_for(|may| *may).await;
        answered(cluster, &pod.name, &server.start).await;
    };
    let asking = by_name::Asking::default();
    let by_name = async {
        match backend {
            Some(backend) => by_name::ask(cluster, backend, &server.start, deadline, &asking).await,
            None => Reading::NotAsked,
        }
    };
    if let Some(backend) = backend {
        ctx.show(|| {
            let words = by_name::command(&server.start, deadline.saturating_duration_since(Instant::now()));
            let exec = ["exec", "-i", backend, "--"].into_iter().chain(words.iter().map(String::as_str));
            command(cluster.place(), &exec.collect::<Vec<_>>()) + " <by_name.py"
        });
    }
    let taking = take_away(ctx, how, pod);
    let (no_server_yet, no_name_yet) = (why::no_server_yet(ctx), why::no_name_yet(ctx, &asking));
    tokio::pin!(in_pod, by_name, taking, no_server_yet, no_name_yet);

    let mut live = view::Live::begin(ctx)?;
    let mut timeline = step(Timeline::new(how, pod.clone()), Change::Asked, watched.now_ms());
    let asked = Instant::now();
    let (mut acknowledged, mut answered, mut name) = (false, false, None);
    let mut name_until = deadline;
    loop {
        let change = tokio::select! {
            done = &mut taking, if !acknowledged => {
                done?;
                acknowledged = true;
                Change::Acknowledged(ms(asked.elapsed()))
            }
            change = watched.next() => change,
            () = &mut in_pod, if !answered => {
                answered = true;
                Change::Answered
            }
            reading = &mut by_name, if name.is_none() => {
                let addresses = reading.present().map(|name| name.addresses.clone());
                name = Some(reading);
                match addresses {
                    Some(addresses) => Change::AnsweredByName(addresses),
                    None => Change::Pod(timeline.last.clone().map(Box::new)),
                }
            }
            () = sleep_until(name_until) => break,
            () = &mut no_server_yet, if !answered => continue,
            () = &mut no_name_yet, if answered && name.is_none() => continue,
        };
        timeline = step(timeline, change, watched.now_ms());
        may_answer.send_replace(timeline.may_answer());
        live.show(&timeline, acknowledged)?;
        let ready = timeline.event(Kind::Ready).is_some();
        if acknowledged && answered && ready {
            if name.is_some() {
                break;
            }
            name_until = name_until.min(Instant::now() + dns::SETTLED);
        }
    }
    if !acknowledged {
        taking.await?;
    }
    Ok(Followed { timeline, name: name.unwrap_or_else(|| asking.given_up()), name_error: asking.error() })
}

/// Ends when another server than the one before has answered in a pod.
pub async fn answered(cluster: &Cluster, pod: &str, before: &str) {
    let ask = psql::when_it_answers("SELECT extract(epoch FROM pg_postmaster_start_time())::text;");
    let ask = Exec { pod: pod.to_owned(), ..ask };
    loop {
        match ask.execute(cluster).await {
            Ok(ended) if ended.code == 0 && !ended.stdout.trim().is_empty() && ended.stdout.trim() != before => return,
            _ => sleep(PAUSE).await,
        }
    }
}

/// Asks the cluster, or the server itself, for the end of this server and of no other.
pub async fn take_away(ctx: &Ctx, how: How, pod: &PodSeen) -> anyhow::Result<()> {
    let delete = |grace| DeletePod { name: pod.name.clone(), uid: pod.uid.clone(), grace };
    let asked = match how {
        How::Delete => ctx.perform(&delete(None)).await,
        How::Kill => ctx.perform(&delete(Some(1))).await,
        How::Force => ctx.perform(&delete(Some(0))).await,
        How::Evict => ctx.perform(&EvictPod { name: pod.name.clone(), uid: pod.uid.clone() }).await,
        How::Crash => return crash(ctx).await,
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
        asked => asked,
    }
}

/// The program that stops the server goes with the server's container, and may not live to say how it ended.
async fn crash(ctx: &Ctx) -> anyhow::Result<()> {
    /// A shell's exit code for a program that was killed.
    const KILLED: i32 = 128;
    match ctx.perform(&psql::crash()).await {
        Ok(ended) if ended.code != 0 && ended.code < KILLED => Err(Error::new(
            format!("the server could not be stopped: {}", ended.stderr.trim()),
            ctx.by_hand.kubectl("describe pod/postgres-0").to("see what runs there"),
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
