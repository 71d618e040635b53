//! The set with two replicas: scaled, its second pod followed, and scaled back on every way out.

use std::time::Duration;

use futures_util::StreamExt;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::core::ObjectMeta;
use tokio::time::{Instant, interval, sleep, sleep_until};

use crate::commands::shared::lasting;
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::names;
use crate::kubernetes::act::{Act, DeletePod, Scale, command};
use crate::kubernetes::{Cause, Cluster, Object, RequestError, adopt};
use crate::lesson::replicas::{LOCKED, STAYS_MS, Second};
use crate::observe::live::{self, Change};
use crate::observe::{Reading, readiness};
use crate::text::{one_line, seconds};

/// The second pod of the set.
const SECOND: &str = "postgres-1";

/// How long it is followed at most until it is said why it is not Ready.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long it must stay as it is.
const STAYS: Duration = Duration::from_millis(STAYS_MS);

/// How often its log is read.
const LOG: Duration = Duration::from_millis(500);

/// As much of its log as has the line on the lock.
const LINES: u32 = 20;
const BYTES: u32 = 4 << 10;

/// How long the second pod may take to be gone.
const UNDO: Duration = Duration::from_secs(30);

/// The pause before it is looked for again.
const PAUSE: Duration = Duration::from_millis(200);

/// The exchange's set: exactly this one.
#[derive(Clone)]
pub struct Set {
    object: Object,
    uid: String,
}

impl Set {
    pub fn of(set: &StatefulSet) -> anyhow::Result<Self> {
        Ok(Self { object: Object::of(set)?, uid: set.uid().unwrap_or_default() })
    }

    fn scaled_to(&self, replicas: u8) -> Scale {
        Scale { object: self.object.clone(), uid: Some(self.uid.clone()), replicas }
    }
}

/// Scales the set to two, follows the second pod, and scales it back. Gives what was seen of that pod.
pub async fn follow(ctx: &Ctx, set: &Set) -> anyhow::Result<Reading<Second>> {
    let cluster = ctx.cluster().await?;
    let two = set.scaled_to(2);
    ctx.show(|| two.kubectl(cluster.place()));
    ctx.cleanup.allow(UNDO);
    let scaling = {
        let cluster = cluster.clone();
        async move { two.execute(&cluster).await }
    };
    let undo = {
        let (cluster, set) = (cluster.clone(), set.clone());
        move || {
            let (cluster, set) = (cluster.clone(), set.clone());
            async move { back(&cluster, &set).await }
        }
    };
    let by_hand = set.scaled_to(1).kubectl(cluster.place());
    let (ticket, scaled) = lasting::ticketed(ctx, by_hand.clone(), scaling, undo).await?;
    scaled?;
    let start = Instant::now();
    ctx.printer.note("  statefulset/postgres is scaled to 2");
    let second = watch(ctx, start).await?;
    ctx.show(|| by_hand);
    if let Some(Second { name, uid, .. }) = second.present() {
        let delete = DeletePod { name: name.clone(), uid: uid.clone(), grace: None };
        ctx.show(|| delete.kubectl(cluster.place()));
    }
    ctx.cleanup.run_now(ticket).await?;
    ctx.printer.note(format!("  statefulset/postgres is scaled back to 1 (after {})", since(start)));
    Ok(second)
}

/// What becomes of the second pod, until it is known or time is over.
async fn watch(ctx: &Ctx, start: Instant) -> anyhow::Result<Reading<Second>> {
    let cluster = ctx.cluster().await?;
    ctx.show(|| command(cluster.place(), &["get", "pod", SECOND, "--watch"]));
    let mut changes = live::pod(cluster, SECOND);
    let mut log = interval(LOG);
    let (mut second, mut told): (Option<Second>, String) = (None, String::new());
    loop {
        tokio::select! {
            change = changes.next() => match change {
                Some(Change::Pods(pods)) => {
                    second = pods.iter().fold(second, |known, pod| Some(Second::step(known, pod, ms(start.elapsed()))));
                }
                Some(Change::Lost(why)) => ctx.printer.warning(&format!("the watch was interrupted: {why}")),
                _ => {}
            },
            _ = log.tick(), if second.as_ref().is_some_and(Second::may_tell) => {
                let says = waits_for_lock(cluster).await;
                second = second.map(|known| Second { log: says, ..known });
            }
            () = sleep_until(start + until(second.as_ref())) => break,
        }
        if let Some(second) = &second {
            let says = second.says();
            if says != told {
                ctx.printer.note(format!("  {says} (after {})", since(start)));
                told = says;
            }
            if second.ready_ms.is_some() {
                break;
            }
        }
    }
    Ok(match second {
        Some(second) if second.ready_ms.is_none() => Reading::Present(seen_last(ctx, cluster, second, start).await),
        second => second.map_or(Reading::Absent, Reading::Present),
    })
}

/// The second pod as it is at the end. A watch that tells nothing does not say that nothing has changed: the server may be away.
async fn seen_last(ctx: &Ctx, cluster: &Cluster, known: Second, start: Instant) -> Second {
    match cluster.get::<Pod>(SECOND).await {
        Ok(Some(pod)) => Second::step(Some(known), &pod, ms(start.elapsed())),
        Ok(None) => known,
        Err(error) => {
            ctx.printer.warning(&error.to_string());
            known
        }
    }
}

/// For how long the second pod is followed, from when the set was scaled.
fn until(second: Option<&Second>) -> Duration {
    match second {
        Some(second) if second.is_told() => (Duration::from_millis(second.since_ms) + STAYS).min(PATIENCE + STAYS),
        _ => PATIENCE,
    }
}

/// What the second pod's log says of the lock, if it says something of it.
async fn waits_for_lock(cluster: &Cluster) -> Option<String> {
    let log = cluster.last_lines(SECOND, names::POSTGRES, false, LINES, BYTES).await.ok()?;
    log.lines().find(|line| line.contains(LOCKED)).map(one_line)
}

/// Scales the set back, and waits until its second pod is gone.
async fn back(cluster: &Cluster, set: &Set) -> anyhow::Result<()> {
    let deadline = Instant::now() + UNDO;
    loop {
        let failed: anyhow::Error = match step_back(cluster, set).await {
            Ok(true) => return Ok(()),
            Ok(false) => {
                let hint = cluster.place().by_hand.kubectl(["describe", "pod", SECOND]).to("see what it waits for");
                Error::too_late(format!("pod/{SECOND} is still there"), hint).into()
            }
            // Somebody else was faster, or there is another set by now.
            Err(error) if matches!(error.cause, Cause::NotFound(_) | Cause::Conflict { .. }) => error.into(),
            Err(error) if error.cause.is_refusal() => return Err(error.into()),
            Err(error) => error.into(),
        };
        if Instant::now() >= deadline {
            return Err(failed);
        }
        sleep(PAUSE).await;
    }
}

/// Does what is still to be done. Gives whether it is nothing.
///
/// The set's controller deletes the second pod only while the first one is Ready: so it is deleted here, whatever the first one
/// does.
async fn step_back(cluster: &Cluster, set: &Set) -> Result<bool, RequestError> {
    let now = cluster.get::<StatefulSet>(names::POSTGRES).await?;
    let Some(now) = now.filter(|now| now.uid().as_ref() == Some(&set.uid)) else { return Ok(true) };
    // Not beside it: what the controller created before it saw one replica is there once that is seen.
    let pod = cluster.get::<Pod>(SECOND).await?;
    if replicas(&now) > 1 {
        set.scaled_to(1).execute(cluster).await?;
        return Ok(false);
    }
    match pod.filter(|pod| pod.owner_references().iter().any(|owner| owner.uid == set.uid)) {
        Some(pod) if pod.metadata.deletion_timestamp.is_none() => {
            let delete = DeletePod { name: SECOND.to_owned(), uid: pod.uid().unwrap_or_default(), grace: None };
            delete.execute(cluster).await?;
            Ok(false)
        }
        Some(_) => Ok(false),
        None => Ok(readiness::is_observed(&now) && now.status.is_some_and(|status| status.replicas <= 1)),
    }
}

/// Scales the set back if a run of this program that was killed has left it with two replicas.
pub async fn end_of_killed(ctx: &Ctx) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    let set = cluster.get::<StatefulSet>(names::POSTGRES).await?;
    let Some(set) = set.filter(|set| replicas(set) > 1 && is_ours(&set.metadata)) else { return Ok(()) };
    ctx.printer.note("a run that was killed left statefulset/postgres with 2 replicas: it is scaled back to 1");
    let set = Set::of(&set)?;
    ctx.show(|| set.scaled_to(1).kubectl(cluster.place()));
    back(cluster, &set).await
}

/// Whether nobody else has scaled the set since this program did.
fn is_ours(set: &ObjectMeta) -> bool {
    adopt::patched(set, "/f:spec/f:replicas")
}

fn replicas(set: &StatefulSet) -> i32 {
    set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
}

fn since(start: Instant) -> String {
    seconds(ms(start.elapsed()))
}

fn ms(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_followed_until_it_has_stayed_as_it_is() {
        let pending = Second { unschedulable: Some("no".to_owned()), since_ms: 1000, ..Second::default() };
        assert_eq!(until(None), PATIENCE);
        assert_eq!(until(Some(&Second::default())), PATIENCE);
        assert_eq!(until(Some(&pending)), Duration::from_secs(6));
        assert_eq!(until(Some(&Second { since_ms: 29_000, ..pending.clone() })), Duration::from_secs(34));
        assert_eq!(until(Some(&Second { since_ms: 32_000, ..pending })), PATIENCE + STAYS);
    }
}
