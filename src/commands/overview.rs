//! `kubectl kubecoin` alone: where one is, and what comes next.

use kube::ResourceExt;
use tokio::join;

use super::shared::look::{Look, look};
use super::shared::results;
use crate::context::Ctx;
use crate::error::Outcome;
use crate::findings::{Depth, TABLE_MISSING};
use crate::kubernetes::ByHand;
use crate::kubernetes::on;
use crate::lesson::results::Results;
use crate::lesson::{QUESTIONS, next_of};
use crate::observe::Reading;
use crate::output::{Line, Role};
use crate::persistence::proof::Proof;

/// The steps before the questions, each with its command.
const STEPS: [&str; 2] = ["deploy", "init-db"];

/// What helps where something is the matter, and where nothing is left to do.
const STATUS: &str = "status";
const LESSON: &str = "lesson";

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
    let (look, kept) = join!(Box::pin(look(ctx, Depth::All.into())), results::read(ctx));
    let (look, kept) = (look?, kept?);
    let Place { says, done, next } = place(&look, &kept);
    let steps = STEPS.len() + QUESTIONS.len();
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

/// Of an exchange that is healthy: which question comes next.
fn in_the_lesson(look: &Look, kept: &Reading<Results>) -> Place {
    let nothing = Results::default();
    let results = kept.present().unwrap_or(&nothing);
    let answered = QUESTIONS.iter().filter(|question| results.is_answered(question.number)).count();
    let annotations = look.snapshot.statefulset.present().map(ResourceExt::annotations);
    let proof = annotations.and_then(Proof::of).map(|proof| format!(", last proof {}", proof.words(look.now)));
    let says = match kept {
        Reading::Unknown(_) => ", and it is unknown which questions are answered".to_owned(),
        _ => format!(", {answered} of {} questions answered", QUESTIONS.len()),
    };
    let number = next_of(results).map(|question| question.number.to_string());
    let next = [LESSON.to_owned()].into_iter().chain(number).collect();
    Place { says: format!("exchange running{}{says}", proof.unwrap_or_default()), done: STEPS.len() + answered, next }
}
