//! `exercise start`: makes a fault that the user is to find.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::in_flight::InFlight;
use super::{choose, commands, make};
use crate::commands::shared::demo::confirm;
use crate::commands::shared::exercise::{self, kept, live, restore};
use crate::commands::shared::look::{Look, look};
use crate::commands::shared::{self, announce, lease};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::findings::{CHANGED_BY_HAND, Depth, Health};
use crate::flags::duration;
use crate::kubernetes::act::Act as _;
use crate::kubernetes::{Cause, Cluster};
use crate::lesson::exercise::Exercise;
use crate::lesson::exercise::fault::Fault;
use crate::lesson::exercise::record::{Live, Record};
use crate::output::{Line, Role};
use crate::persistence::rows::Run;
use crate::text::hex;

/// The pause before it is looked at again.
const PAUSE: Duration = Duration::from_millis(500);

/// What `exercise start` is asked.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Number of the exercise [default: one at random that you have not solved]
    #[arg(value_name = "EXERCISE")]
    number: Option<u8>,

    /// Make the same fault for everyone, and not one at random
    #[arg(long, value_name = "N", requires = "number", value_parser = clap::value_parser!(u8).range(1..))]
    variant: Option<u8>,

    /// Skip confirmation prompts
    #[arg(short, long)]
    yes: bool,

    /// How long to wait until the fault is seen
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration)]
    timeout: Duration,
}

/// Starts one.
///
/// # Errors
/// If one runs already, the exchange is not healthy, or the fault cannot be made.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    announce(ctx).await?;
    exercise::none_runs(ctx, "not started").await?;
    let cluster = ctx.cluster().await?;
    let before = Box::pin(healthy(ctx)).await?;
    let objects = live::read(cluster).await?;
    let (exercise, fault) = choose::choose(ctx, args.number, args.variant, &objects).await?;
    let namespace = cluster.namespace();
    let what = format!("the exchange in namespace {namespace} will stop working until the fault is corrected");
    confirm::elsewhere(ctx, args.yes, &what, namespace).await?;
    let lease = lease::take(ctx, &Run::new()).await?;
    let record = record(exercise, &fault, &objects, &before)?;
    let deadline = Instant::now() + args.timeout;
    ctx.printer.note("starting: something becomes wrong, and this waits until it is seen");
    let started = tokio::select! {
        started = make_and_see(ctx, exercise, &fault, record, deadline) => started?,
        lost = lease::lost(lease.as_ref(), cluster) => return Err(lost.into()),
    };
    say(ctx, &started)?;
    Ok(Outcome::Holds)
}

/// What `doctor` finds in an exchange that is healthy, by its codes.
async fn healthy(ctx: &Ctx) -> anyhow::Result<Look> {
    let look = Box::pin(look(ctx, Depth::Around.into())).await?;
    let doctor = ctx.own_command("doctor").to("find what is wrong");
    shared::is_deployed(ctx, &look.snapshot).await?;
    shared::is_one_server(ctx, &look.snapshot, "not started")?;
    let found = look.diagnoses.iter().map(|it| &it.finding);
    // What an exercise changes could not be told from what somebody else has changed.
    let against = found.clone().find(|it| it.weight.is_bad() || it.cause == &CHANGED_BY_HAND);
    if let Some(finding) = against {
        let says = format!("not started: {} {}", finding.object, finding.says);
        return Err(Error::new(says, finding.hint.clone().and(doctor)).into());
    }
    if !matches!(look.health, Health::Healthy | Health::WorksAsSeen) {
        return Err(Error::new(format!("not started: the exchange is {}", look.health.words()), doctor).into());
    }
    Ok(look)
}

fn record(exercise: &Exercise, fault: &Fault, objects: &Live, before: &Look) -> anyhow::Result<Record> {
    let known = before.diagnoses.iter().map(|it| it.finding.cause.slug.to_owned()).collect();
    let record =
        Record::new(exercise.number, fault, objects, known, hex(&rand::random::<[u8; 16]>()), Timestamp::now());
    match record.in_plain_text() {
        None => Ok(record),
        Some(what) => {
            let says =
                format!("not started: {what} has its value in plain text, and it would be copied into a ConfigMap");
            Err(Error::new(says, "read the value from a Secret or a ConfigMap").into())
        }
    }
}

/// Makes the fault, and waits until `doctor` names it: before, there is nothing to find. Whatever goes wrong, all is restored.
async fn make_and_see(
    ctx: &Ctx,
    chosen: &Exercise,
    fault: &Fault,
    mut record: Record,
    deadline: Instant,
) -> anyhow::Result<Record> {
    let (cluster, in_flight) = (ctx.cluster().await?, InFlight::default());
    let ticket = ctx.cleanup.push(ctx.own_command("exercise undo").line(), {
        let (cluster, record, in_flight) = (cluster.clone(), record.clone(), in_flight.clone());
        move || {
            let (cluster, record, in_flight) = (cluster.clone(), record.clone(), in_flight.clone());
            async move {
                in_flight.end().await;
                undone(&cluster, &record).await
            }
        }
    });
    let create = kept::creation(cluster, &record)?;
    let creating = {
        let cluster = cluster.clone();
        in_flight.follow(async move { create.execute(&cluster).await })
    };
    if let Err(error) = creating.await? {
        let is_anothers = matches!(error.cause, Cause::Conflict { .. });
        if is_anothers || error.cause.is_refusal() {
            ctx.cleanup.forget(ticket);
        }
        if is_anothers {
            exercise::none_runs(ctx, "not started").await?;
        }
        return Err(error.into());
    }
    make::fault(cluster, fault, &mut record, &in_flight, deadline).await?;
    loop {
        let look = Box::pin(look(ctx, Depth::Around.into())).await?;
        let mut found = look.diagnoses.iter().map(|it| &it.finding);
        if found.any(|it| it.cause.slug == chosen.code && it.weight.is_bad()) {
            break;
        }
        if Instant::now() > deadline {
            return Err(Error::too_late(
                format!("exercise {} did not take effect in time, and was undone", chosen.number),
                ctx.own_command("exercise start").to("start another one"),
            )
            .into());
        }
        sleep(PAUSE).await;
    }
    record.made = true;
    kept::update(ctx, &record).await?;
    ctx.cleanup.forget(ticket);
    Ok(record)
}

/// How long a start that was stopped may take to be undone. It may not be waited for longer.
const UNDO: Duration = Duration::from_secs(8);

async fn undone(cluster: &Cluster, record: &Record) -> anyhow::Result<()> {
    restore::silently(cluster, record, Instant::now() + UNDO).await?;
    // Last: as long as something is not restored, `exercise undo` has to know of it.
    kept::delete_silently(cluster).await
}

fn say(ctx: &Ctx, record: &Record) -> anyhow::Result<()> {
    ctx.printer.out(Line::default().and(Role::Title, format!("exercise {} runs", record.number)))?;
    commands::show(ctx)
}
