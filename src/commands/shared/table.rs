//! The table of the wallets: created if it is not there.

use std::time::Duration;

use anyhow::Context as _;
use tokio::time::{Instant, timeout};

use super::exercise;
use super::exercise::symptoms::Symptoms;
use super::primary::primary;
use super::waiting::{self, Waited};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::exchange::{psql, wallets};
use crate::kubernetes::Cause;
use crate::kubernetes::exec::Ended;
use crate::observe::Snapshot;
use crate::observe::database::Database;
use crate::text::brief;

/// Creates the table once the database is ready. The pod may be replaced meanwhile: every step can be repeated.
///
/// # Errors
/// If the database cannot be asked.
pub async fn initialise(ctx: &Ctx, timeout: Duration, deadline: Instant) -> anyhow::Result<Outcome> {
    waiting::insist(ctx, deadline, is_passing, async || {
        if is_ready(ctx, timeout, deadline).await? { create(ctx).await } else { Ok(Outcome::DoesNotHold) }
    })
    .await
}

/// What is said of a wait that has run out.
const NOT_READY: &str = "the database was not ready";

/// Waits until the database is ready, or says that it was not. While an exercise runs, its cause is to be found, and only
/// what is seen is told.
async fn is_ready(ctx: &Ctx, timeout: Duration, deadline: Instant) -> anyhow::Result<bool> {
    let exercise = exercise::untold(ctx, false).await?;
    let waited = waiting::or_say(ctx, deadline, waiting::postgres_ready, (NOT_READY, timeout), exercise).await?;
    match (&waited, exercise) {
        (Waited::TimedOut(last), Some(number)) if !last.is_empty() => say_symptoms(ctx, number).await?,
        _ => {}
    }
    Ok(matches!(waited, Waited::Done))
}

/// How long it may take to see what is to be told.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// Says what is seen of an exercise, as far as it can be read soon, and where to look.
async fn say_symptoms(ctx: &Ctx, number: u8) -> anyhow::Result<()> {
    let read = timeout(LAST_LOOK, Snapshot::read(ctx.cluster().await?)).await;
    let snapshot = read.ok().and_then(Result::ok).unwrap_or_default();
    for line in Symptoms::of_objects(number, &snapshot).lines() {
        ctx.printer.note(line);
    }
    ctx.printer.hint(ctx.own_command("exercise hint").to("see where to look"));
    Ok(())
}

/// Whether an error comes from a pod that is being replaced.
fn is_passing(error: &anyhow::Error) -> bool {
    error.is::<NoAnswer>()
        || waiting::server_away(error)
        || matches!(Cause::of(error), Some(Cause::NotFound(_) | Cause::NotRun(_) | Cause::Lost(_)))
}

async fn create(ctx: &Ctx) -> anyhow::Result<Outcome> {
    let primary = primary(ctx).await?.pod;
    let before = describe(ctx, &primary).await?;
    if let (Some(columns), true) = (&before.columns, before.index) {
        return exists(ctx, columns, before.rows.unwrap_or(0));
    }
    if let Some(columns) = &before.columns
        && !wallets::differences(columns).is_empty()
    {
        return exists(ctx, columns, before.rows.unwrap_or(0));
    }
    succeeded(ctx, ctx.perform(&psql::script(&primary, wallets::CREATE)).await?, &primary)?;
    let after = describe(ctx, &primary).await?;
    let table = if before.columns.is_some() { "exists" } else { "created" };
    ctx.printer
        .out(format!("table wallets {table} ({} rows)", after.rows.context("the table wallets does not exist")?))?;
    ctx.printer.out("index idx_wallets_id created")?;
    Ok(Outcome::Holds)
}

/// Says that the table exists, and how it differs from the lesson's, if it does.
fn exists(ctx: &Ctx, columns: &[wallets::Column], rows: u64) -> anyhow::Result<Outcome> {
    let differences = wallets::differences(columns);
    if differences.is_empty() {
        ctx.printer.out(format!("table wallets exists ({rows} rows)"))?;
        ctx.printer.out("index idx_wallets_id exists")?;
        return Ok(Outcome::Holds);
    }
    ctx.printer
        .out(format!("table wallets exists ({rows} rows), but differs from the lesson's; it was not changed"))?;
    for difference in differences {
        ctx.printer.out(format!("  {}", brief(&difference)))?;
    }
    ctx.printer.hint("rename it, and run init-db again: ALTER TABLE wallets RENAME TO wallets_old");
    Ok(Outcome::DoesNotHold)
}

async fn describe(ctx: &Ctx, pod: &str) -> anyhow::Result<Database> {
    Database::parse(&succeeded(ctx, ctx.perform(&Database::ask(pod)).await?, pod)?)
}

/// psql found no server, or a lock. A ready pod that is being stopped refuses connections before it is seen to be unready.
#[derive(Debug, thiserror::Error)]
#[error("the database does not answer: {0}")]
struct NoAnswer(String);

/// psql's exit code when the connection failed or was lost.
const CONNECTION_LOST: i32 = 2;
/// A shell's exit code for a program that was killed, as when its container ends.
const KILLED: i32 = 128;

fn succeeded(ctx: &Ctx, ended: Ended, pod: &str) -> anyhow::Result<Ended> {
    let said = ended.stderr.trim();
    match ended.code {
        0 => Ok(ended),
        CONNECTION_LOST | KILLED.. => Err(NoAnswer(said.to_owned()).into()),
        _ if said.contains(psql::LOCKED) => Err(NoAnswer("someone else has locked its table".to_owned()).into()),
        code => Err(Error::new(
            format!("psql ended with exit code {code}: {said}"),
            ctx.by_hand.kubectl(["logs", pod]).to("read the database's log"),
        )
        .into()),
    }
}
