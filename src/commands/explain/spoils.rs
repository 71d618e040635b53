//! A topic answers a question of the lesson. Whoever has not answered that yet is offered to predict first.

use std::io::{IsTerminal, stderr};

use super::live::Objects;
use crate::commands::shared::{confirm, results};
use crate::context::Ctx;
use crate::lesson::topics::Topic;
use crate::observe::Reading;
use crate::output::terminal::is_interactive;

/// Whether the topic is to be shown: its question is answered, or somebody wants to read it all the same.
///
/// # Errors
/// If the cluster cannot be asked.
pub async fn is_welcome(ctx: &Ctx, topic: &Topic, objects: &Objects) -> anyhow::Result<bool> {
    let Some(number) = topic.question.filter(|_| !objects.recorded) else { return Ok(true) };
    let Reading::Present(results) = results::read(ctx).await? else { return Ok(true) };
    if results.is_answered(number) {
        return Ok(true);
    }
    let lesson = ctx.own_command(["lesson", &number.to_string()]);
    ctx.printer.note(
        lesson.to(format!("question {number} of the lesson is about this, and is not answered yet; predict first")),
    );
    if is_interactive() && stderr().is_terminal() {
        ctx.printer.note("read it now all the same? Type y and Enter:");
        return Ok(confirm::line().await.is_some_and(|line| line.trim().eq_ignore_ascii_case("y")));
    }
    Ok(true)
}
