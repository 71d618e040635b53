//! Takes a pod away and follows what happens, until the new one is ready and its name has been asked for, or time is over.

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::super::follow::{Watched, ms, take_away};
use super::super::view::Live;
use super::name;
use super::preflight::Ready;
use crate::context::Ctx;
use crate::observe::Reading;
use crate::persistence::How;
use crate::persistence::identity::PodSeen;
use crate::persistence::set::evidence::Resolved;
use crate::persistence::timeline::{Change, Timeline, step};

/// Takes it away, and follows. Gives what was seen, and what its name leads to.
pub async fn through(
    ctx: &Ctx,
    ready: &Ready,
    mut watched: Watched,
    (how, pod): (How, &PodSeen),
    deadline: Instant,
) -> anyhow::Result<(Timeline, Reading<Resolved>)> {
    let (ready_at, mut is_ready_at) = watch::channel(None::<Vec<String>>);
    let naming = async {
        // The other end is there for as long as this is.
        let addresses = is_ready_at.wait_for(Option::is_some).await?.clone().unwrap_or_default();
        name::ask(ctx, ready, &pod.name, &addresses).await
    };
    let taking = take_away(ctx, how, pod);
    tokio::pin!(naming, taking);

    let mut live = Live::begin(ctx)?;
    let mut timeline = step(Timeline::new(how, pod.clone()), Change::Asked, watched.now_ms());
    let asked = Instant::now();
    let (mut acknowledged, mut is_ready, mut name) = (false, false, None);
    while !(acknowledged && is_ready && name.is_some()) {
        let change = tokio::select! {
            done = &mut taking, if !acknowledged => {
                done?;
                acknowledged = true;
                Some(Change::Acknowledged(ms(asked.elapsed())))
            }
            change = watched.next() => Some(change),
            found = &mut naming, if name.is_none() => {
                let found = found?;
                let change = resolved(&found, &timeline);
                name = Some(found);
                change
            }
            () = sleep_until(deadline), if !is_ready => break,
        };
        let Some(change) = change else { continue };
        timeline = step(timeline, change, watched.now_ms());
        live.show(&timeline, acknowledged)?;
        let new = timeline.last.as_ref().filter(|new| new.ready && new.uid != pod.uid);
        if let Some(new) = new.filter(|_| !is_ready) {
            is_ready = true;
            ready_at.send_replace(Some(new.addresses.clone()));
        }
    }
    if !acknowledged {
        taking.await?;
    }
    Ok((timeline, name.unwrap_or(Reading::NotAsked)))
}

/// That the name leads to the new pod, if it does.
fn resolved(found: &Reading<Resolved>, timeline: &Timeline) -> Option<Change> {
    let (found, pod) = (found.present()?, timeline.last.as_ref()?);
    found.leads_to(&pod.addresses).then(|| Change::Resolved(found.addresses.clone()))
}
