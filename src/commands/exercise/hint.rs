//! `exercise hint`: what is seen, where to look, and what `doctor` says, one after another.

use crate::commands::shared::exercise::kept;
use crate::commands::shared::exercise::symptoms::symptoms;
use crate::commands::shared::look::{Look, look};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::findings::{Depth, Finding};
use crate::kubernetes::Place;
use crate::lesson::exercise::{self, Exercise};
use crate::output::{Line, Role};
use crate::text::brief;

/// How many there are.
const ALL: u8 = 3;

/// Gives the next hint; once all were given, all of them again.
///
/// # Errors
/// If no exercise runs, or the cluster cannot be asked.
pub async fn run(ctx: &Ctx) -> anyhow::Result<Outcome> {
    let mut record = kept::of_started(ctx).await?;
    let Some(exercise) = exercise::find(record.number) else {
        let hint = ctx.own_command("exercise undo").to("restore everything");
        return Err(Error::new(format!("this version knows no exercise {}", record.number), hint).into());
    };
    let look = Box::pin(look(ctx, Depth::Around.into())).await?;
    let fault = fault(&look, exercise);
    if fault.is_none() && look.health.holds() {
        ctx.printer.out("the fault is not seen any more")?;
        next(ctx, "exercise check")?;
        return Ok(Outcome::Holds);
    }
    let place = ctx.cluster().await?.place();
    if record.hints < ALL {
        record.hints += 1;
        kept::update(ctx, &record).await?;
        give(ctx, record.hints, exercise, &look, fault, place)?;
    } else {
        for number in 1..=ALL {
            give(ctx, number, exercise, &look, fault, place)?;
        }
    }
    next(
        ctx,
        match record.hints {
            _ if record.answered => "exercise check",
            ALL.. => "exercise answer",
            _ => "exercise hint",
        },
    )?;
    Ok(Outcome::Holds)
}

/// What `doctor` finds of the fault.
fn fault<'a>(look: &'a Look, exercise: &Exercise) -> Option<&'a Finding> {
    let all = look.diagnoses.iter().flat_map(|it| [&it.finding].into_iter().chain(&it.consequences));
    all.into_iter().find(|finding| finding.cause.slug == exercise.code)
}

/// One of them.
fn give(
    ctx: &Ctx,
    number: u8,
    exercise: &Exercise,
    look: &Look,
    fault: Option<&Finding>,
    place: &Place,
) -> anyhow::Result<()> {
    let (about, lines) = match number {
        1 => ("what is seen", symptoms(look)),
        2 => ("where to look", (exercise.look)(&look.observed(place)).iter().map(ToString::to_string).collect()),
        _ => (
            "what doctor finds",
            vec![fault.map_or_else(
                || "doctor does not find this fault any more, but something else is wrong".to_owned(),
                |finding| format!("{} {}", finding.object, brief(&finding.says)),
            )],
        ),
    };
    let title = Line::default().and(Role::Title, format!("hint {number} of {ALL}"));
    ctx.printer.out(title.and(Role::Plain, format!(": {about}")))?;
    lines.into_iter().try_for_each(|line| ctx.printer.out_wrapped(Line::from(format!("  {line}")), 2))
}

fn next(ctx: &Ctx, words: &'static str) -> anyhow::Result<()> {
    ctx.printer.out(Line::from("next: ").and(Role::Command, ctx.own_command(words).line()))
}
