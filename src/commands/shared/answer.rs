//! What a question of the lesson has come to, for people: as it happens, and from its report.

use super::proof::role;
use crate::context::Ctx;
use crate::lesson::evidence::Evidence;
use crate::lesson::question::Prediction;
use crate::output::{Line, Role, beside};
use crate::persistence::verdict::Holds;
use crate::text::one_line;

/// What was said before, what was seen, and why it is so. Without a prediction, only what was seen.
pub fn compared(ctx: &Ctx, evidence: &Evidence, prediction: Option<Prediction>) -> anyhow::Result<()> {
    let question = evidence.question();
    let observed = evidence.observed();
    let Some(prediction) = prediction else {
        return ctx.printer.out_wrapped(Line::default().and(Role::Title, "observed: ").and(Role::Plain, observed), 2);
    };
    let chosen = question.chosen(prediction);
    let right = question.choices.iter().find(|choice| choice.is_right);
    let why = match evidence.against() {
        None => chosen.or(right).map_or(question.answer, |choice| choice.why).to_owned(),
        Some(check) => format!("This run does not show it. {}: {}.", check.name, one_line(&check.evidence)),
    };
    let said = chosen.map_or("I don't know.", |choice| choice.says);
    ctx.printer.out_text(&beside(&["YOU SAID", "OBSERVED", "WHY"], &[said, &observed, &why]))
}

/// The answer, if this run shows it.
pub fn conclusion(ctx: &Ctx, evidence: &Evidence) -> anyhow::Result<()> {
    let (question, holds) = (evidence.question(), evidence.holds());
    let title = |word: &str| Line::default().and(Role::Title, "answer: ").and(role(holds), word.to_owned());
    let line = match (holds, evidence.against()) {
        (Holds::Yes, _) | (_, None) => Line::default().and(Role::Title, "answer: ").and(Role::Plain, question.answer),
        (Holds::No, Some(check)) => {
            let says = format!(" — {}: {}", check.name, one_line(&check.evidence));
            title("this cluster shows something else").and(Role::Plain, says)
        }
        (Holds::Unknown, Some(check)) => {
            let says = format!(" — {}: {}", check.name, one_line(&check.evidence));
            title("not shown").and(Role::Plain, says)
        }
    };
    ctx.printer.out_wrapped(line, 2)?;
    ctx.printer.out_wrapped(Line::from(format!("not shown: {}", evidence.not_shown().join("; "))), 2)
}

/// By what a report and a result in the cluster are known to be of one run.
pub fn digest(ctx: &Ctx, evidence: &Evidence) -> anyhow::Result<()> {
    ctx.printer.out(format!("evidence: sha256:{}", evidence.digest()?))
}
