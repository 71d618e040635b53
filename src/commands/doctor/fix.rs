//! `doctor --fix`: one finding is mended, and looked for again.

use std::io::{IsTerminal as _, stdin};

use tokio::time::{Instant, sleep};

use super::{Args, PAUSE, view};
use crate::commands::shared::confirm::line;
use crate::commands::shared::look::{Look, Scope, look};
use crate::commands::shared::{announce, lease};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::findings::{Cause, Finding, Mend};
use crate::kubernetes::act::Act as _;
use crate::persistence::rows::Run;
use crate::text::one_line;

/// Looks for it, asks, mends it, and looks again.
///
/// # Errors
/// If there is no safe mend for it, the user does not agree, or it fails.
pub async fn run(args: &Args, code: &str, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let all = super::causes(args, ctx)?;
    let cause = super::asked_for(code, &all, ctx)?;
    let scope = args.scope(&all);
    args.tell_nothing(ctx).await?;
    announce(ctx).await?;
    let place = ctx.cluster().await?.place();
    let first = Box::pin(look(ctx, scope)).await?;
    let Some(finding) = found(&first, cause) else {
        ctx.printer.out(format!("not found: {} ({}); nothing was changed", cause.id, cause.title))?;
        return Ok(Outcome::Holds);
    };
    ctx.printer.note(view::head(&finding));
    explained(&first, &finding)?;
    let Some(mend) = finding.mend(&first.observed(place)) else { return Err(none(&finding)) };
    let shown = mend.kubectl(place);
    ctx.printer.note("this mends it:");
    ctx.printer.command(&shown);
    agree(args, ctx).await?;
    let _lease = lease::take(ctx, &Run::new()).await?;
    // Meanwhile the user has read and typed: what was seen may be over.
    let now = Box::pin(look(ctx, scope)).await?;
    let Some(there) = everything(&now).find(|it| is_same(it, &finding)) else {
        ctx.printer.out(format!("{} is gone already; nothing was changed", cause.id))?;
        return Ok(Outcome::Holds);
    };
    // Only what was shown is run.
    let Some(mend) = there.mend(&now.observed(place)).filter(|mend| mend.kubectl(place) == shown) else {
        return Err(changed(ctx, &finding));
    };
    perform(ctx, &mend).await?;
    again(args, scope, ctx, &finding).await
}

/// What the cause finds, also where another brings it about.
fn found(look: &Look, cause: &Cause) -> Option<Finding> {
    everything(look).find(|finding| finding.cause == cause).cloned()
}

/// All that was found, each cause before its consequences.
fn everything(look: &Look) -> impl Iterator<Item = &Finding> {
    look.diagnoses.iter().flat_map(|it| [&it.finding].into_iter().chain(&it.consequences))
}

/// Whether both are of one cause and one object.
fn is_same(one: &Finding, other: &Finding) -> bool {
    one.cause == other.cause && one.object == other.object
}

/// Refuses to mend what is only a consequence: it would come back.
fn explained(look: &Look, finding: &Finding) -> Result<(), Error> {
    let Some(first) = look.diagnoses.iter().find(|it| it.consequences.contains(finding)) else { return Ok(()) };
    let [consequence, cause] = [finding, &first.finding].map(|it| it.cause.id);
    let says = format!(
        "not fixed: {consequence} is a consequence of {cause}: {} {}",
        first.finding.object, first.finding.says
    );
    Err(Error::new(says, first.finding.hint.clone()))
}

/// There is no safe act for it.
fn none(finding: &Finding) -> anyhow::Error {
    let says = format!("not fixed: doctor has no safe mend for {} here", finding.cause.id);
    Error::new(says, finding.hint.clone()).into()
}

/// Another command would mend it by now.
fn changed(ctx: &Ctx, finding: &Finding) -> anyhow::Error {
    let says = format!("not fixed: {} changed while you read the command", finding.object);
    Error::new(says, ctx.own_command("doctor").to("check again")).into()
}

/// Asks, and fails unless the user agrees.
async fn agree(args: &Args, ctx: &Ctx) -> Result<(), Error> {
    if args.yes {
        return Ok(());
    }
    if !stdin().is_terminal() {
        return Err(refused("this needs a confirmation, but there is no terminal"));
    }
    ctx.printer.note("type yes to run it:");
    let typed = line().await;
    if typed.is_some_and(|line| line.trim() == "yes") { Ok(()) } else { Err(refused("not confirmed")) }
}

fn refused(why: &str) -> Error {
    Error::new(format!("not fixed: {why}"), "confirm with --yes")
}

/// Runs it, and says so.
async fn perform(ctx: &Ctx, mend: &Mend) -> anyhow::Result<()> {
    let ended = mend.execute(ctx.cluster().await?).await?;
    match ended.filter(|ended| ended.code != 0) {
        None => Ok(()),
        Some(ended) => Err(Error::new(
            format!("not fixed: the command ended with exit code {}: {}", ended.code, one_line(&ended.stderr)),
            ctx.own_command("doctor").to("check again"),
        )
        .into()),
    }
}

/// Looks until it is gone, or the time is over. Says what is still wrong.
async fn again(args: &Args, scope: Scope<'_>, ctx: &Ctx, mended: &Finding) -> anyhow::Result<Outcome> {
    let deadline = Instant::now() + args.timeout;
    loop {
        let look = Box::pin(look(ctx, scope)).await?;
        if !everything(&look).any(|it| is_same(it, mended)) {
            ctx.printer.out(format!("fixed: {} is gone", mended.cause.id))?;
            return rest(ctx, &look);
        }
        if Instant::now() >= deadline {
            ctx.printer.error(&format!("{} was still there after {:?}", mended.cause.id, args.timeout));
            ctx.printer.hint(&mended.hint);
            return Ok(Outcome::DoesNotHold);
        }
        sleep(PAUSE).await;
    }
}

/// Says what else is wrong. It is not what was to be fixed, so it does not count.
fn rest(ctx: &Ctx, look: &Look) -> anyhow::Result<Outcome> {
    for it in look.diagnoses.iter().filter(|it| it.finding.weight.is_bad()) {
        ctx.printer.out(view::head(&it.finding))?;
    }
    Ok(Outcome::Holds)
}
