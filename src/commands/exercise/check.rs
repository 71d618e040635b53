//! `exercise check`: whether the fault is corrected. If it was named too, the exercise is solved.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::commands::shared::exercise::{kept, live, restore};
use crate::commands::shared::look::{Look, look};
use crate::commands::shared::waiting::{self, Told};
use crate::commands::shared::{announce, lease, proof, results};
use crate::context::Ctx;
use crate::error::Outcome;
use crate::findings::{self, Depth, Finding};
use crate::flags::duration;
use crate::lesson::exercise::check::{self, Seen};
use crate::lesson::exercise::record::{Record, Standing};
use crate::lesson::exercise::{self, QUESTION, answer};
use crate::lesson::results::Answer;
use crate::observe::Snapshot;
use crate::output::{Line, Role};
use crate::persistence::rows::Run;
use crate::persistence::verdict::{self, Check, Holds};
use crate::text::Hint;

/// The pause before it is looked at again.
const PAUSE: Duration = Duration::from_millis(500);

/// How long the cluster has to notice a correction, before what is seen counts as wrong.
const SOON: Duration = Duration::from_secs(10);

/// What `exercise check` is asked.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How long to wait until a correction takes effect
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    timeout: Duration,
}

/// Checks it, and ends the exercise if it is solved.
///
/// # Errors
/// If no exercise runs, or the cluster cannot be asked or changed.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    announce(ctx).await?;
    let record = kept::of_started(ctx).await?;
    let deadline = Instant::now() + args.timeout;
    let Some(checked) = waiting::within(deadline, checked(ctx, &record, deadline)).await else {
        return waiting::in_time(ctx, "the check did not finish", args.timeout, None);
    };
    let Checked { checks, standing, works } = checked?;
    proof::titled(ctx, "check", &checks)?;
    match verdict::holds(checks.iter()) {
        Holds::Yes if record.answered => solved(ctx, &record, &checks).await,
        Holds::Yes => {
            ctx.printer.out(format!("the exchange works again. {QUESTION}"))?;
            ctx.printer.hint(ctx.own_command("exercise answer").to("say which field was wrong, to end the exercise"));
            Ok(Outcome::DoesNotHold)
        }
        Holds::No | Holds::Unknown => {
            advise(ctx, &standing, works, record.answered)?;
            Ok(Outcome::DoesNotHold)
        }
    }
}

/// What was seen last.
struct Checked {
    checks: Vec<Check>,
    standing: Standing,
    /// Whether nothing is wrong with the exchange, whatever was changed.
    works: bool,
}

/// Looks until all holds, or nothing comes right by itself.
async fn checked(ctx: &Ctx, record: &Record, deadline: Instant) -> anyhow::Result<Checked> {
    let (cluster, start) = (ctx.cluster().await?, Instant::now());
    let mut told = Told::default();
    let mut seen = Box::pin(look(ctx, Depth::Around.into())).await?;
    loop {
        let live = live::read(cluster).await?;
        let found: Vec<Finding> = seen.diagnoses.iter().map(|it| it.finding.clone()).collect();
        let (path, namespace) = (&seen.details.path, cluster.namespace());
        let of = Seen { record, live: &live, path, found: &found, namespace };
        let checks = of.checks();
        if Instant::now() >= deadline || !of.is_pending(&checks, start.elapsed() < SOON) {
            return Ok(Checked { checks, standing: record.standing(&live), works: seen.health.holds() });
        }
        for line in told.news(&found, start.elapsed()) {
            ctx.printer.note(line);
        }
        sleep(PAUSE).await;
        let snapshot = Snapshot::read(cluster).await?;
        seen = Box::pin(Look::again_if_needed(cluster, snapshot, Depth::Around.into())).await;
    }
}

/// Says what helps.
fn advise(ctx: &Ctx, standing: &Standing, works: bool, is_answered: bool) -> anyhow::Result<()> {
    let or_undo =
        |words: &str| Hint::from(words).and(ctx.own_command("exercise undo").to("or have everything restored"));
    let hint = if standing.has_fault() && is_answered {
        ctx.printer.out("the fault is still there")?;
        or_undo("correct the field that you named, with edit, patch or set of kubectl")
    } else if standing.has_fault() {
        ctx.printer.out("the fault is still there")?;
        ctx.own_command("exercise hint").to("see where to look")
    } else if !standing.tried.is_empty() && works {
        or_undo("it works, but deploy would change it back: set it to what it was")
    } else if !standing.tried.is_empty() {
        or_undo("set it to what it was")
    } else if !standing.foreign.is_empty() || !standing.gone.is_empty() {
        or_undo("change back what the exercise did not change")
    } else {
        ctx.own_command("doctor --spoil").to("see what is still wrong, and why")
    };
    ctx.printer.hint(hint);
    Ok(())
}

/// Ends the exercise, and says what it was.
async fn solved(ctx: &Ctx, record: &Record, checks: &[Check]) -> anyhow::Result<Outcome> {
    let lease = lease::take(ctx, &Run::new()).await?;
    tokio::select! {
        ended = end(ctx, record, checks) => ended?,
        lost = lease::lost(lease.as_ref(), ctx.cluster().await?) => return Err(lost.into()),
    }
    let title = Line::default().and(Role::Good, format!("exercise {} is solved", record.number));
    let was = match answer::given(record) {
        Some((part, path)) => format!(": {path} of {} was wrong", part.reference(ctx.cluster().await?.namespace())),
        None => String::new(),
    };
    ctx.printer.out(title.and(Role::Plain, was))?;
    let cause = exercise::find(record.number).and_then(|it| findings::every().find(|cause| cause.slug == it.code));
    if let Some(cause) = cause {
        ctx.printer.out(format!("doctor calls this {}: {}", cause.id, cause.title))?;
        let more = ctx.own_command(["explain", cause.id]);
        ctx.printer.out(Line::from("more about this: ").and(Role::Command, more.line()))?;
    }
    let next = ctx.own_command("exercise start");
    ctx.printer.out(Line::from("next: ").and(Role::Command, next.line()))?;
    Ok(Outcome::Holds)
}

/// All as it was before, also who owns which field. The record goes last: what was interrupted can be done again.
async fn end(ctx: &Ctx, record: &Record, checks: &[Check]) -> anyhow::Result<()> {
    Box::pin(restore::ownership(ctx, record)).await?;
    restore::created(ctx).await?;
    results::keep_exercise(ctx, record.number, &Answer::of(Holds::Yes, &check::digest_of(checks)?)).await;
    kept::delete(ctx).await
}
