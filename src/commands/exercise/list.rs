//! `exercise` alone: the exercise that runs, or which are solved.

use jiff::Timestamp;

use super::commands;
use crate::commands::shared::exercise::kept;
use crate::commands::shared::exercise::symptoms::symptoms;
use crate::commands::shared::look::look;
use crate::commands::shared::results;
use crate::context::Ctx;
use crate::error::Outcome;
use crate::findings::Depth;
use crate::lesson::exercise::record::Record;
use crate::lesson::exercise::{EXERCISES, solved};
use crate::lesson::results::Results;
use crate::output::{Column, Line, Role, Table};
use crate::persistence::verdict::Holds;
use crate::text::duration;

const COLUMNS: [Column; 3] = [Column::always("EXERCISE"), Column::always("SOLVED"), Column::always("AGE")];

/// Shows it.
///
/// # Errors
/// If the cluster cannot be asked.
pub async fn run(ctx: &Ctx) -> anyhow::Result<Outcome> {
    match kept::read(ctx).await? {
        Some(record) => running(ctx, &record).await?,
        None => list(ctx).await?,
    }
    Ok(Outcome::Holds)
}

async fn running(ctx: &Ctx, record: &Record) -> anyhow::Result<()> {
    let look = Box::pin(look(ctx, Depth::All.into())).await?;
    let since = duration(Timestamp::now().duration_since(record.started_at));
    let title = Line::default().and(Role::Title, format!("exercise {}", record.number));
    ctx.printer.out(title.and(Role::Plain, format!(" has run for {since}; {}", so_far(record))))?;
    for symptom in symptoms(&look) {
        ctx.printer.out_wrapped(Line::from(format!("  {symptom}")), 2)?;
    }
    commands::show(ctx)?;
    Ok(())
}

/// `2 of 3 hints given, not answered yet`.
fn so_far(record: &Record) -> String {
    let hints = match record.hints {
        0 => "no hint given".to_owned(),
        hints => format!("{hints} of 3 hints given"),
    };
    let answered = if record.answered { "answered, not corrected yet" } else { "not answered yet" };
    format!("{hints}, {answered}")
}

async fn list(ctx: &Ctx) -> anyhow::Result<()> {
    let kept = results::read(ctx).await?;
    let known = kept.present().cloned().unwrap_or_default();
    let now = Timestamp::now();
    let mut table = Table::new(&COLUMNS, false);
    for exercise in EXERCISES {
        let answer = known.of_exercise(exercise.number);
        let age = answer.map(|answer| duration(now.duration_since(answer.at)));
        let is_solved = answer.is_some_and(|answer| answer.holds == Holds::Yes);
        let solved = if is_solved { "yes" } else { "no" };
        table.row([exercise.number.to_string(), solved.to_owned(), age.unwrap_or_default()]);
    }
    ctx.printer.out_text(&table.text())?;
    if let Some(why) = results::unknown(&kept) {
        ctx.printer.warning(&why);
    }
    ctx.printer.out(next(ctx, &known))
}

/// The next exercise, if one is left.
fn next(ctx: &Ctx, known: &Results) -> Line {
    let start = ctx.own_command("exercise start");
    let all = if solved(known) == EXERCISES.len() { "all exercises are solved; one more: " } else { "next: " };
    Line::from(all).and(Role::Command, start.line())
}
