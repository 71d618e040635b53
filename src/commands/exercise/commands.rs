//! The question of an exercise, and the commands that there are while one runs.

use crate::context::Ctx;
use crate::lesson::exercise::QUESTION;
use crate::output::{Line, Role};

/// What each command does.
const COMMANDS: [(&str, &str); 5] = [
    ("status", "see what is wrong"),
    ("exercise hint", "see the next hint"),
    ("exercise answer", "say which field is wrong"),
    ("exercise check", "check whether you have corrected it"),
    ("exercise undo", "give up, and restore everything"),
];

/// Shows them.
pub fn show(ctx: &Ctx) -> anyhow::Result<()> {
    ctx.printer.out(QUESTION)?;
    ctx.printer.out(Line::default())?;
    let lines = COMMANDS.map(|(command, does)| (ctx.own_command(command).line(), does));
    let width = lines.iter().map(|(command, _)| command.chars().count()).max().unwrap_or_default();
    for (command, does) in lines {
        let command = Line::from("  ").and(Role::Command, format!("{command:<width$}"));
        ctx.printer.out(command.and(Role::Plain, format!("   {does}")))?;
    }
    Ok(())
}
