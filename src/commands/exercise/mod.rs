//! `exercise`: a fault in the user's own exchange, to be found and corrected.

mod answer;
mod check;
mod choose;
mod commands;
mod hint;
mod in_flight;
mod list;
mod make;
mod start;
mod undo;

use clap::Subcommand;

use crate::context::Ctx;
use crate::error::Outcome;

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin exercise              # what runs, or which are solved
  kubectl kubecoin exercise start        # make something wrong, at random
  kubectl kubecoin exercise hint         # three hints, one after another
  kubectl kubecoin exercise answer service/backend-service spec.ports[0].port
  kubectl kubecoin exercise check        # is it corrected?
  kubectl kubecoin exercise undo         # restore everything

While one runs, status, dns-check and doctor show what is seen, and not why.
Exit code 1 if an answer is wrong, or something is still wrong.";

/// What `exercise` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// What to do [default: show what runs, or which are solved]
    #[command(subcommand)]
    action: Option<Action>,
}

/// What can be done with an exercise.
#[derive(Debug, Subcommand)]
enum Action {
    /// Make a field of an object wrong, for you to find
    Start(start::Args),
    /// Give the next of three hints
    Hint,
    /// Say which field of which object is wrong
    Answer(answer::Args),
    /// Check whether the fault is corrected
    Check(check::Args),
    /// Restore everything as it was before
    Undo(undo::Args),
}

/// Does it.
///
/// # Errors
/// If the cluster cannot be asked, or nothing can be done.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    match &args.action {
        None => list::run(ctx).await,
        Some(Action::Start(args)) => Box::pin(start::run(args, ctx)).await,
        Some(Action::Hint) => Box::pin(hint::run(ctx)).await,
        Some(Action::Answer(args)) => Box::pin(answer::run(args, ctx)).await,
        Some(Action::Check(args)) => Box::pin(check::run(args, ctx)).await,
        Some(Action::Undo(args)) => Box::pin(undo::run(args, ctx)).await,
    }
}
