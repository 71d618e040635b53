//! `switchover`: makes another member of a replicated database the primary.

use std::time::Duration;

use anyhow::Context as _;
use kube::ResourceExt;
use tokio::time::{Instant, sleep};

use super::shared::{self, announce, waiting};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::exchange::{names, patroni};
use crate::flags::duration;
use crate::kubernetes::exec::Ended;
use crate::observe::replication::Said;
use crate::observe::{Snapshot, readiness};

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin switchover                     # Patroni chooses the new primary
  kubectl kubecoin switchover --to postgres-1

Writes fail for about a second. No acknowledged row is lost: only a member that has them all becomes the primary.";

/// The pause before it is looked at again.
const PAUSE: Duration = Duration::from_millis(250);

/// What `switchover` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Member that becomes the primary [default: the one that Patroni chooses]
    #[arg(long, value_name = "POD")]
    to: Option<String>,

    /// How long to wait until another member takes writes
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = duration)]
    timeout: Duration,
}

/// Switches, and waits until another member takes writes.
///
/// # Errors
/// If the database is not replicated, or Patroni refuses.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let deadline = Instant::now() + args.timeout;
    let done = waiting::within(deadline, switch(args, ctx, deadline));
    waiting::in_time(ctx, "no other member became the primary", args.timeout, done.await)
}

async fn switch(args: &Args, ctx: &Ctx, deadline: Instant) -> anyhow::Result<Outcome> {
    announce(ctx).await?;
    let snapshot = shared::snapshot(ctx).await?;
    shared::is_deployed(ctx, &snapshot).await?;
    let to = args.to.as_deref().map(|to| to.trim_start_matches("pod/"));
    let before = check(ctx, &snapshot, to)?;
    let ended = ctx.perform(&patroni::switchover(&before, to)).await?;
    if !ended.stdout.contains(patroni::SWITCHED) {
        return Err(refused(ctx, &ended, &snapshot).into());
    }
    let after = other_primary(ctx, &before, deadline).await?;
    let timeline = after.timeline.map(|timeline| format!(", on timeline {timeline}")).unwrap_or_default();
    ctx.printer.out(format!("pod/{} is the primary now, instead of pod/{before}{timeline}", after.pod))?;
    Ok(Outcome::Holds)
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

/// The primary that there is, if it can be another one.
fn check(ctx: &Ctx, snapshot: &Snapshot, to: Option<&str>) -> Result<String, Error> {
    if !snapshot.is_replicated() {
        return Err(Error::new(
            "the database is one server: there is no other one that could take its place",
            ctx.own_command("explain replication").to("see what several members are for"),
        ));
    }
    let Some(primary) = snapshot.primary().filter(|pod| readiness::pod(pod)).map(ResourceExt::name_any) else {
        return Err(Error::new("no member is the primary now", ctx.own_command("doctor").to("find out why")));
    };
    match to {
        Some(to) if to == primary => {
            Err(Error::new(format!("pod/{to} is the primary already"), ctx.own_command("status").to("see the members")))
        }
        Some(to) if !snapshot.pods_of(names::POSTGRES).any(|pod| pod.name_any() == to) => Err(Error::new(
            format!("pod/{to} is no member of the database"),
            ctx.own_command("status").to("see the members"),
        )),
        _ => Ok(primary),
    }
}

/// The new primary.
struct After {
    pod: String,
    timeline: Option<u32>,
}

/// Waits until another member is the primary, and ready.
async fn other_primary(ctx: &Ctx, before: &str, deadline: Instant) -> anyhow::Result<After> {
    let cluster = ctx.cluster().await?;
    loop {
        let snapshot = Snapshot::read(cluster).await;
        if let Ok(snapshot) = &snapshot
            && let Some(primary) = snapshot.primary().filter(|pod| readiness::pod(pod) && pod.name_any() != before)
        {
            return Ok(After { pod: primary.name_any(), timeline: Said::of(primary).and_then(|said| said.timeline) });
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
