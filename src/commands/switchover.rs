//! `switchover`: makes another member of a replicated database the primary.

use std::time::Duration;

use kube::ResourceExt;
use tokio::time::Instant;

use super::shared::{self, announce, switch, waiting};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::exchange::names;
use crate::flags::duration;
use crate::observe::{Snapshot, readiness};

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin switchover                     # Patroni chooses the new primary
  kubectl kubecoin switchover --to postgres-1

Writes fail for about a second. No acknowledged row is lost: only a member that has them all becomes the primary.";

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
    let done = waiting::within(deadline, switched(args, ctx, deadline));
    waiting::in_time(ctx, "no other member became the primary", args.timeout, done.await)
}

async fn switched(args: &Args, ctx: &Ctx, deadline: Instant) -> anyhow::Result<Outcome> {
    announce(ctx).await?;
    let snapshot = shared::snapshot(ctx).await?;
    shared::is_deployed(ctx, &snapshot).await?;
    let to = args.to.as_deref().map(|to| to.trim_start_matches("pod/"));
    let before = check(ctx, &snapshot, to)?;
    let snapshot = if to.is_none() { switch::with_standby(ctx, snapshot, deadline).await? } else { snapshot };
    let after = switch::switch(ctx, &snapshot, &before, to, deadline).await?;
    ctx.printer.out(after.says(&before))?;
    Ok(Outcome::Holds)
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
