//! `exercise undo`: everything as it was before.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::commands::shared::exercise::{kept, live, restore};
use crate::commands::shared::look::look;
use crate::commands::shared::{announce, lease};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::findings::Depth;
use crate::flags::duration;
use crate::lesson::exercise::check;
use crate::lesson::exercise::part::Part;
use crate::lesson::exercise::record::{Record, Standing};
use crate::persistence::rows::Run;

/// The pause before it is looked at again.
const PAUSE: Duration = Duration::from_millis(500);

/// What `exercise undo` is asked.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Restore fields too that you or someone else has changed since
    #[arg(long)]
    force_conflicts: bool,

    /// How long to wait until the exchange is healthy again
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration)]
    timeout: Duration,
}

/// Undoes the exercise that runs.
///
/// # Errors
/// If none runs, somebody else has changed something, or it cannot be restored.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    announce(ctx).await?;
    let record = kept::of_running(ctx).await?;
    let lease = lease::take(ctx, &Run::new()).await?;
    tokio::select! {
        undone = undo(args, ctx, &record) => undone,
        lost = lease::lost(lease.as_ref(), ctx.cluster().await?) => Err(lost.into()),
    }
}

/// Restores everything. The record goes last: what was interrupted can be done again.
async fn undo(args: &Args, ctx: &Ctx, record: &Record) -> anyhow::Result<Outcome> {
    let standing = record.standing(&live::read(ctx.cluster().await?).await?);
    if !args.force_conflicts {
        nothing_foreign(ctx, &standing).await?;
    }
    let deadline = Instant::now() + args.timeout;
    restore::fields(ctx, record, deadline).await?;
    let is_healthy = standing.gone.iter().all(|part| *part == Part::Claim) && is_healthy(ctx, deadline).await?;
    restore::created(ctx).await?;
    restore::ownership(ctx, record).await?;
    kept::delete(ctx).await?;
    ctx.printer.out(format!("exercise {} undone", record.number))?;
    if !is_healthy {
        left(ctx, &standing, args.timeout).await?;
    }
    Ok(Outcome::holds_if(is_healthy))
}

/// Stops where somebody has changed something that the exercise did not.
async fn nothing_foreign(ctx: &Ctx, standing: &Standing) -> anyhow::Result<()> {
    if standing.foreign.is_empty() {
        return Ok(());
    }
    let namespace = ctx.cluster().await?.namespace().to_owned();
    for change in &standing.foreign {
        ctx.printer.out(check::words(change, &namespace))?;
    }
    let hint = ctx.own_command("exercise undo --force-conflicts").to("restore these too");
    Err(Error::new("not undone: more was changed than the exercise did", hint).into())
}

async fn is_healthy(ctx: &Ctx, deadline: Instant) -> anyhow::Result<bool> {
    ctx.printer.note("waiting until the exchange is healthy again");
    loop {
        if Box::pin(look(ctx, Depth::All.into())).await?.health.holds() {
            return Ok(true);
        }
        if Instant::now() > deadline {
            return Ok(false);
        }
        sleep(PAUSE).await;
    }
}

/// What undo could not restore, and what helps.
async fn left(ctx: &Ctx, standing: &Standing, timeout: Duration) -> anyhow::Result<()> {
    let namespace = ctx.cluster().await?.namespace();
    let gone: Vec<String> = standing.gone.iter().map(|part| part.reference(namespace)).collect();
    if gone.is_empty() {
        ctx.printer.error(&format!("the exchange was not healthy after {timeout:?}"));
        ctx.printer.hint(ctx.own_command("doctor").to("find what is wrong"));
    } else {
        ctx.printer.error(&format!("deleted since the exercise began, and not restored: {}", gone.join(", ")));
        ctx.printer.hint(ctx.own_command("deploy --force-conflicts").to("create what is missing"));
    }
    Ok(())
}
