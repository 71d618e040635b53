//! Another member of a replicated database becomes the primary: by `switchover`, or because `deploy` takes the primary's place away.

use std::time::Duration;

use anyhow::Context as _;
use kube::ResourceExt;
use tokio::time::{Instant, sleep};

use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::patroni;
use crate::kubernetes::exec::Ended;
use crate::observe::{Snapshot, readiness};

/// The pause before it is looked at again.
const PAUSE: Duration = Duration::from_millis(250);

/// Of the time that there is, what is left to Patroni to say why it does not switch.
const LAST_TRY: Duration = Duration::from_secs(5);

/// The new primary.
pub struct After {
    pod: String,
}

impl After {
    /// Says what has become of the role.
    #[must_use]
    pub fn says(&self, before: &str) -> String {
        format!("pod/{} is the primary now, instead of pod/{before}", self.pod)
    }
}

/// Has Patroni make this member the primary, or the one that it chooses, and waits until that one takes writes.
///
/// # Errors
/// If Patroni refuses, which changes nothing; or if no other member is the primary at the deadline.
pub async fn switch(
    ctx: &Ctx,
    snapshot: &Snapshot,
    before: &str,
    to: Option<&str>,
    deadline: Instant,
) -> anyhow::Result<After> {
    let ended = ctx.perform(&patroni::switchover(before, to)).await?;
    if !ended.stdout.contains(patroni::SWITCHED) {
        return Err(refused(ctx, &ended, snapshot).into());
    }
    other_primary(ctx, before, deadline).await
}

/// The same for those who try again: gives why Patroni does not do it yet. It refuses while another standby becomes the one that has
/// every row.
///
/// # Errors
/// If it still refuses at the deadline, or the cluster cannot be asked.
pub async fn attempt(
    ctx: &Ctx,
    snapshot: &Snapshot,
    before: &str,
    to: &str,
    deadline: Instant,
) -> anyhow::Result<Result<After, String>> {
    match switch(ctx, snapshot, before, Some(to), deadline).await {
        Err(error) if error.is::<Error>() && Instant::now() < deadline => Ok(Err(format!("{error:#}"))),
        switched => switched.map(Ok),
    }
}

/// Waits until a standby has every acknowledged row, as after another change of the primary some seconds later. At the deadline, gives
/// what there is then: Patroni says what it makes of that.
///
/// # Errors
/// If the cluster cannot be asked.
pub async fn with_standby(ctx: &Ctx, mut snapshot: Snapshot, deadline: Instant) -> anyhow::Result<Snapshot> {
    let cluster = ctx.cluster().await?;
    let has_none = |snapshot: &Snapshot| snapshot.replication.present().is_some_and(|it| it.synchronous.is_empty());
    if has_none(&snapshot) {
        ctx.printer.note("waiting until a standby has every acknowledged row");
    }
    while has_none(&snapshot) && Instant::now() + LAST_TRY < deadline {
        sleep(PAUSE).await;
        snapshot = Snapshot::read(cluster).await?;
    }
    Ok(snapshot)
}

/// Why Patroni did not do it, and who could take over. Its exit code says nothing of it.
fn refused(ctx: &Ctx, ended: &Ended, snapshot: &Snapshot) -> Error {
    let mut says = [&ended.stdout, &ended.stderr].into_iter().flat_map(|said| said.lines());
    let last = says.rfind(|line| !line.trim().is_empty() && !line.starts_with(['+', '|']));
    let synchronous = snapshot.replication.present().map(|it| it.synchronous.join(", ")).unwrap_or_default();
    let who = match synchronous.as_str() {
        "" => "no member has every acknowledged row now; wait some seconds".to_owned(),
        names => format!("only a member that has every acknowledged row can: {names}"),
    };
    let message = format!("Patroni did not switch: {}", last.unwrap_or("it did not say why"));
    Error::new(message, ctx.own_command("status").to(who))
}

/// Waits until another member is the primary, and ready.
async fn other_primary(ctx: &Ctx, before: &str, deadline: Instant) -> anyhow::Result<After> {
    let cluster = ctx.cluster().await?;
    loop {
        let snapshot = Snapshot::read(cluster).await;
        if let Ok(snapshot) = &snapshot
            && let Some(primary) = snapshot.primary().filter(|pod| readiness::pod(pod) && pod.name_any() != before)
        {
            return Ok(After { pod: primary.name_any() });
        }
        if Instant::now() >= deadline {
            snapshot.context("could not see who the primary is")?;
            return Err(Error::too_late(
                format!("pod/{before} was still the primary"),
                ctx.own_command("status").to("see the members"),
            )
            .into());
        }
        sleep(PAUSE).await;
    }
}
