//! `lesson`: the five questions, each answered by an experiment on the user's own cluster, after a prediction.

mod confirm;
mod kinds;
mod list;
mod order;
mod predict;
mod replicas;
mod services;

use std::path::PathBuf;

use super::shared::demo::{self, report, setting::Seen};
use super::shared::practice::NoRoom;
use super::shared::proof::{self, file};
use super::shared::{self, answer, exercise, lease, results};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::exchange::names;
use crate::lesson::evidence::Evidence;
use crate::lesson::question::{Prediction, Question};
use crate::lesson::report::Report;
use crate::lesson::results::Answer;
use crate::lesson::{self, storage, unguarded};
use crate::output::{Line, Role};
use crate::persistence::rows::Run;
use crate::persistence::verdict::Holds;

/// What shows what the guards of question 2 prevent.
const WITHOUT_GUARDS: [&str; 3] = ["lesson", "2", "--without-guards"];

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin lesson                     # the questions, and which are answered
  kubectl kubecoin lesson 5                   # predict, then see what happens
  kubectl kubecoin lesson 5 --predict b       # without a prompt
  kubectl kubecoin lesson 2 --without-guards  # what two servers do to one volume
  kubectl kubecoin lesson 3 --report answer.html --report answer.json

What came of a question is kept in the ConfigMap kubecoin-lesson of the namespace; your prediction is not.
Exit code 1 if this cluster does not show the answer.";

/// What `lesson` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Number of the question, 1 to 5 [default: list all]
    #[arg(value_name = "QUESTION", value_parser = ["1", "2", "3", "4", "5"], hide_possible_values = true)]
    number: Option<String>,

    /// Your prediction: the letter of an answer
    #[arg(long, value_name = "LETTER", requires = "number", conflicts_with = "no_predict")]
    predict: Option<String>,

    /// With question 2: let two servers use one volume, in a set made for this
    #[arg(long, requires = "number")]
    without_guards: bool,

    /// Do not ask for a prediction
    #[arg(long, requires = "number")]
    no_predict: bool,

    /// Write a report: .html, .md, .xml (JUnit), or .json for verify-report; can be repeated
    #[arg(long, value_name = "FILE", requires = "number")]
    report: Vec<PathBuf>,

    /// Skip confirmation prompts
    #[arg(short, long, requires = "number")]
    yes: bool,
}

/// Lists the questions, or answers one.
///
/// # Errors
/// If the cluster cannot be asked, or something is the matter with the exchange.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    match args.number.as_ref().and_then(|number| lesson::question(number.parse().ok()?)) {
        None => list::run(ctx).await,
        Some(question) => Box::pin(answer_by_experiment(args, ctx, asked(args, ctx, question)?)).await,
    }
}

/// The question, or the one beside it that has no guards.
fn asked(args: &Args, ctx: &Ctx, question: &'static Question) -> Result<&'static Question, Error> {
    if !args.without_guards {
        Ok(question)
    } else if question.number == unguarded::QUESTION.number {
        Ok(&unguarded::QUESTION)
    } else {
        let hint = ctx.own_command(WITHOUT_GUARDS).to("use it with question 2");
        Err(Error::new(format!("question {} has no experiment without guards", question.number), hint))
    }
}

async fn answer_by_experiment(args: &Args, ctx: &Ctx, question: &'static Question) -> anyhow::Result<Outcome> {
    args.report.iter().try_for_each(|path| file::check(path))?;
    let given = predict::given(args, question)?;
    shared::announce(ctx).await?;
    exercise::none_runs(ctx, "not started").await?;
    let snapshot = shared::glance(ctx).await?;
    shared::is_deployed(ctx, &snapshot).await?;
    if !ON_ANY_DATABASE.contains(&question.number) {
        shared::is_one_server(ctx, &snapshot, "not started")?;
    }
    predict::show(ctx, question)?;
    let prediction = match given {
        predict::Given::Yes(prediction) => Some(prediction),
        predict::Given::No => None,
        predict::Given::Ask => Some(predict::ask(ctx, question).await),
    };
    ctx.printer.note(format!("this takes about {} s: it {}", question.seconds, question.does));
    if let Some(room) = question.room {
        ctx.printer.note(format!("it needs {room}"));
    }
    match Box::pin(seen(args, ctx, question)).await {
        Err(error) if error.is::<NoRoom>() => recorded(ctx, question, prediction, &error),
        seen => conclude(args, ctx, seen?, prediction).await,
    }
}

/// Shows what was seen elsewhere, where there is no room for the experiment. That answers nothing here.
fn recorded(
    ctx: &Ctx,
    question: &Question,
    prediction: Option<Prediction>,
    why: &anyhow::Error,
) -> anyhow::Result<Outcome> {
    ctx.printer.warning(&format!("the experiment was not started: {why:#}"));
    let Some(report) = lesson::recorded(question)? else { return Ok(Outcome::DoesNotHold) };
    let at = report.about.at.strftime("%Y-%m-%d");
    ctx.printer.out(format!("a recorded run of {at}, on another cluster, with its names and addresses:"))?;
    proof::checks(ctx, &report.evidence.checks())?;
    ctx.printer.out(Line::default())?;
    answer::compared(ctx, &report.evidence, prediction)?;
    ctx.printer.out(Line::default())?;
    answer::conclusion(ctx, &report.evidence)?;
    ctx.printer.note("a recorded run does not count as an answer here");
    Ok(Outcome::DoesNotHold)
}

/// The questions that are answered beside the database: by names, and by a practice set.
const ON_ANY_DATABASE: [u8; 2] = [3, 4];

/// What an experiment has seen, and the commands that do the same by hand.
struct Experiment {
    evidence: Evidence,
    by_hand: Vec<String>,
}

/// Does the experiment. Those that change something have a Lease: there is one at a time in a namespace.
async fn seen(args: &Args, ctx: &Ctx, question: &Question) -> anyhow::Result<Experiment> {
    ctx.keep_commands();
    if question.number == lesson::services::QUESTION.number {
        return shown(ctx, Evidence::Services(Box::new(Box::pin(services::observe(ctx)).await?)));
    }
    let run = Run::new();
    let lease = lease::take(ctx, &run).await?;
    tokio::select! {
        seen = alone(args, ctx, question.number, &run, lease.is_some()) => seen,
        lost = lease::lost(lease.as_ref(), ctx.cluster().await?) => Err(lost.into()),
    }
}

async fn alone(args: &Args, ctx: &Ctx, number: u8, run: &Run, is_alone: bool) -> anyhow::Result<Experiment> {
    match number {
        1 => {
            let (seen, by_hand) = Box::pin(kinds::observe(ctx, run, is_alone, args.yes)).await?;
            Ok(Experiment { evidence: Evidence::Kinds(Box::new(seen)), by_hand })
        }
        2 if args.without_guards => {
            shown(ctx, Evidence::Unguarded(Box::new(Box::pin(replicas::unguarded::observe(ctx, run)).await?)))
        }
        2 => {
            confirm::scaling(ctx, args.yes).await?;
            shown(ctx, Evidence::Replicas(Box::new(Box::pin(replicas::observe(ctx, run, is_alone)).await?)))
        }
        4 => shown(ctx, Evidence::Order(Box::new(Box::pin(order::observe(ctx, run)).await?))),
        _ => {
            let report = demo::of_exchange(ctx, run, is_alone, args.yes).await?;
            let evidence = Evidence::Storage(Box::new(storage::Seen(report.evidence)));
            Ok(Experiment { evidence, by_hand: report.about.by_hand })
        }
    }
}

/// What was seen, with its checks shown. What is done to the exchange's pod shows them itself.
fn shown(ctx: &Ctx, evidence: Evidence) -> anyhow::Result<Experiment> {
    proof::checks(ctx, &evidence.checks())?;
    Ok(Experiment { evidence, by_hand: ctx.kept_commands() })
}

/// Says what it has come to, keeps that, and writes the reports.
async fn conclude(args: &Args, ctx: &Ctx, seen: Experiment, prediction: Option<Prediction>) -> anyhow::Result<Outcome> {
    let Experiment { evidence, by_hand } = seen;
    let question = evidence.question();
    ctx.printer.out(Line::default())?;
    answer::compared(ctx, &evidence, prediction)?;
    ctx.printer.out(Line::default())?;
    answer::conclusion(ctx, &evidence)?;
    // A run that shows nothing takes no earlier answer away.
    if evidence.is_an_answer() && evidence.holds() != Holds::Unknown {
        results::keep(ctx, question.number, &Answer::now(&evidence)?).await;
    }
    let holds = evidence.holds() == Holds::Yes;
    if !args.report.is_empty() {
        let ours = names::selector();
        let seen = evidence.of_a_pod().map(|evidence| Seen::of(evidence, &ours));
        let seen = seen.unwrap_or_else(|| Seen { selector: ours, ..Seen::default() });
        let about = report::about(ctx, Some(seen), by_hand).await?;
        file::tell(ctx, &file::save(&args.report, &Report { about, evidence }));
    }
    go_on(ctx, question, holds).await?;
    Ok(Outcome::holds_if(holds))
}

/// What helps now, or comes next.
async fn go_on(ctx: &Ctx, question: &Question, holds: bool) -> anyhow::Result<()> {
    if !holds {
        let hint = if *question == unguarded::QUESTION {
            ctx.own_command(WITHOUT_GUARDS).to("try it again")
        } else {
            ctx.own_command("doctor").to("find what is wrong with the exchange").and("then run it again")
        };
        ctx.printer.hint(hint);
        return Ok(());
    }
    let more = ctx.own_command(["explain", question.topic]);
    ctx.printer.out(Line::from("more about this: ").and(Role::Command, more.line()))?;
    if *question == lesson::replicas::QUESTION {
        let without = ctx.own_command(WITHOUT_GUARDS);
        ctx.printer.out(Line::from("if nothing kept the second server away: ").and(Role::Command, without.line()))?;
        let several = ctx.own_command("explain replication");
        let instead = "what people do instead: two replicas that share nothing but a log: ";
        ctx.printer.out(Line::from(instead).and(Role::Command, several.line()))?;
        let deploy = ctx.by_hand.elsewhere().own("deploy --ha --init-db --create-namespace");
        ctx.printer.out(Line::from("deploy them in a namespace of their own: ").and(Role::Command, deploy.line()))?;
    }
    list::next(ctx, &results::read(ctx).await?)
}
