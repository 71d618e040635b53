//! The prediction: given by a flag, asked for at a terminal, or left out.

use std::io::{IsTerminal, stderr, stdin};

use super::Args;
use crate::commands::shared::confirm::line;
use crate::context::Ctx;
use crate::error::Error;
use crate::lesson::question::{Prediction, Question};
use crate::output::{Line, Role};

/// Whether there is a prediction.
pub enum Given {
    /// A flag says it.
    Yes(Prediction),
    /// There is to be none, or nobody to ask.
    No,
    /// It is to be asked for.
    Ask,
}

/// What the flags say, and the terminal.
///
/// # Errors
/// If the question has no such answer.
pub fn given(args: &Args, question: &Question) -> Result<Given, Error> {
    let Some(letter) = &args.predict else {
        let can_ask = !args.no_predict && stdin().is_terminal() && stderr().is_terminal();
        return Ok(if can_ask { Given::Ask } else { Given::No });
    };
    question.prediction(letter).map(Given::Yes).ok_or_else(|| {
        let number = question.number;
        Error::new(
            format!("question {number} has no answer {letter:?}"),
            format!("give one of these: {}", letters(question)),
        )
    })
}

/// Shows the question and its answers.
pub fn show(ctx: &Ctx, question: &Question) -> anyhow::Result<()> {
    let title = format!("question {}: ", question.number);
    ctx.printer.out_wrapped(Line::default().and(Role::Title, title).and(Role::Plain, question.asks), 2)?;
    for (letter, choice) in question.keyed() {
        let line = Line::from("  ").and(Role::Title, format!("{letter}  ")).and(Role::Plain, choice.says);
        ctx.printer.out_wrapped(line, 5)?;
    }
    Ok(())
}

/// Asks until one of the answers is typed. Nothing, also where there is nothing more to read, means that they do not know.
pub async fn ask(ctx: &Ctx, question: &Question) -> Prediction {
    let letters = letters(question);
    ctx.printer.note(format!("your prediction: type {letters} and Enter; only Enter means \"I don't know\""));
    loop {
        let Some(typed) = line().await else { return Prediction::Unknown };
        if let Some(prediction) = question.prediction(&typed) {
            return prediction;
        }
        ctx.printer.note(format!("type {letters}, or only Enter"));
    }
}

/// `a, b, c or d`.
fn letters(question: &Question) -> String {
    let letters: Vec<String> = question.keyed().map(|(letter, _)| letter.to_string()).collect();
    match letters.as_slice() {
        [before @ .., last] if !before.is_empty() => format!("{} or {last}", before.join(", ")),
        letters => letters.concat(),
    }
}
