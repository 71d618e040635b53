//! The questions, and how far each is answered in this namespace.

use jiff::Timestamp;

use crate::commands::shared::results;
use crate::context::Ctx;
use crate::error::Outcome;
use crate::lesson::results::{Answer, Results};
use crate::lesson::{QUESTIONS, next_of};
use crate::observe::Reading;
use crate::output::{Column, Line, Role, Table};
use crate::persistence::verdict::Holds;
use crate::text::duration;

const COLUMNS: [Column; 4] =
    [Column::always("QUESTION"), Column::always("ABOUT"), Column::always("ANSWERED"), Column::always("AGE")];

/// Shows them.
pub async fn run(ctx: &Ctx) -> anyhow::Result<Outcome> {
    let kept = results::read(ctx).await?;
    let known = kept.present().cloned().unwrap_or_default();
    let now = Timestamp::now();
    let mut table = Table::new(&COLUMNS, false);
    for question in QUESTIONS {
        let answer = known.of(question.number);
        let age = answer.map(|answer| duration(now.duration_since(answer.at)));
        let cells = [question.number.to_string(), question.title.to_owned(), answered(answer).to_owned()];
        table.row(cells.into_iter().chain([age.unwrap_or_default()]));
    }
    ctx.printer.out_text(&table.text())?;
    if let Some(why) = results::unknown(&kept) {
        ctx.printer.warning(&why);
    }
    next(ctx, &kept)?;
    Ok(Outcome::Holds)
}

/// Whether a question is answered, in a few words.
fn answered(answer: Option<&Answer>) -> &'static str {
    match answer.map(|answer| answer.holds) {
        Some(Holds::Yes) => "yes",
        Some(Holds::No) => "no: this cluster shows something else",
        Some(Holds::Unknown) => "no: not shown",
        None => "no",
    }
}

/// The next question, if one is left.
pub fn next(ctx: &Ctx, kept: &Reading<Results>) -> anyhow::Result<()> {
    let nothing = Results::default();
    let line = match next_of(kept.present().unwrap_or(&nothing)) {
        Some(question) => {
            let command = ctx.own_command(["lesson", &question.number.to_string()]);
            Line::from("next: ").and(Role::Command, command.line())
        }
        None => Line::from("all questions are answered"),
    };
    ctx.printer.out(line)
}
