//! `kubectl kubecoin` alone: where one is, and what comes next.

use kube::ResourceExt;
use tokio::join;

use super::shared::exercise;
use super::shared::look::{Look, look};
use super::shared::results;
use crate::context::Ctx;
use crate::error::Outcome;
use crate::findings::{Depth, TABLE_MISSING};
use crate::kubernetes::ByHand;
use crate::kubernetes::on;
use crate::lesson::exercise::solved;
use crate::lesson::results::Results;
use crate::lesson::{QUESTIONS, next_of};
use crate::observe::Reading;
use crate::output::{Line, Role};
use crate::persistence::proof::Proof;

/// The steps before the questions, each with its command.
const STEPS: [&str; 2] = ["deploy", "init-db"];

/// How many exercises come after the questions. More can be done, but need not.
const EXERCISES: usize = 3;

/// What helps where something is the matter, and where nothing is left to do.
const STATUS: &str = "status";
const LESSON: &str = "lesson";

/// What goes on after the questions.
const EXERCISE: &str = "exercise";

/// Where one is: what is so, how many steps are done, and the command of the next one.
struct Place {
    says: String,
    done: usize,
    next: Vec<String>,
}

/// Reads the cluster and says it.
///
/// # Errors
/// If the cluster cannot be asked.
pub async fn run(ctx: &Ctx) -> anyhow::Result<Outcome> {
    let cluster = ctx.cluster().await?;
    let (look, kept, running) =
        join!(Box::pin(look(ctx, Depth::All.into())), results::read(ctx), exercise::untold(ctx, false));
    let (look, kept, running) = (look?, kept?, running?);
    let Place { says, done, next } = match running {
        Some(number) => in_an_exercise(number, &kept),
        None => place(&look, &kept),
    };
    let steps = STEPS.len() + QUESTIONS.len() + EXERCISES;
    let at = if done < steps { format!("step {} of {steps}", done + 1) } else { format!("all {steps} steps done") };
    ctx.printer.out(
        Line::default()
            .and(Role::Title, cluster.namespace())
            .and(Role::Plain, format!("{}: {says} ({at})", on(&cluster.place().context))),
    )?;
    ctx.printer.out(Line::from("next: ").and(Role::Command, ctx.own_command(next).line()))?;
    ctx.printer.out(Line::from("all commands: ").and(Role::Command, ByHand::default().own("--help").line()))?;
    Ok(Outcome::Holds)
}

fn place(look: &Look, kept: &Reading<Results>) -> Place {
    let findings = look.findings();
    let at = |says: String, done, next: &str| Place { says, done, next: vec![next.to_owned()] };
    match findings.iter().find(|finding| finding.weight.is_bad()) {
        _ if look.snapshot.is_empty() => at("no exchange yet".to_owned(), 0, STEPS[0]),
        Some(finding) if finding.cause == &TABLE_MISSING => {
            at("exchange running, table missing".to_owned(), 1, STEPS[1])
        }
        Some(finding) => at(format!("exchange not healthy: {} {}", finding.object, finding.says), STEPS.len(), STATUS),
        None if !look.health.holds() => at(format!("exchange {}", look.health.words()), STEPS.len(), STATUS),
        None => in_the_lesson(look, kept),
    }
}

/// While an exercise runs: what is wrong with the exchange is not told.
fn in_an_exercise(number: u8, kept: &Reading<Results>) -> Place {
    let nothing = Results::default();
    let done = done(kept.present().unwrap_or(&nothing));
    Place { says: format!("exercise {number} runs"), done, next: vec![EXERCISE.to_owned()] }
}

/// How many steps of the way are done, of an exchange that has its table.
fn done(results: &Results) -> usize {
    STEPS.len() + answered(results) + solved(results).min(EXERCISES)
}

fn answered(results: &Results) -> usize {
    QUESTIONS.iter().filter(|question| results.is_answered(question.number)).count()
}

/// Of an exchange that is healthy: which question comes next, or an exercise.
fn in_the_lesson(look: &Look, kept: &Reading<Results>) -> Place {
    let nothing = Results::default();
    let results = kept.present().unwrap_or(&nothing);
    let annotations = look.snapshot.statefulset.present().map(ResourceExt::annotations);
    let proof = annotations.and_then(Proof::of).map(|proof| format!(", last proof {}", proof.words(look.now)));
    if look.snapshot.is_replicated() {
        let says = "exchange running, with a replicated database".to_owned();
        return Place { says, done: done(results), next: ["explain", "replication"].map(str::to_owned).into() };
    }
    let says = match kept {
        Reading::Unknown(_) => ", and it is unknown which questions are answered".to_owned(),
        _ => format!(", {} of {} questions answered{}", answered(results), QUESTIONS.len(), exercises(results)),
    };
    let next = match next_of(results) {
        Some(question) => [LESSON.to_owned(), question.number.to_string()],
        None => [EXERCISE.to_owned(), "start".to_owned()],
    };
    let says = format!("exchange running{}{says}", proof.unwrap_or_default());
    Place { says, done: done(results), next: next.into() }
}

/// How many exercises are solved, once there is one.
fn exercises(results: &Results) -> String {
    match solved(results) {
        0 => String::new(),
        1 => ", 1 exercise solved".to_owned(),
        solved => format!(", {solved} exercises solved"),
    }
}
