//! `completion`: what the shell offers when somebody presses TAB.

mod install;

use std::path::PathBuf;

use clap::Subcommand;

use crate::complete::Shell;
use crate::context::Ctx;
use crate::error::Outcome;

const EXAMPLES: &str = "\
Examples:
  source <(kubectl completion bash)            # the shell completes kubectl
  kubectl kubecoin completion install          # kubectl completes kubecoin
  source <(kubectl-kubecoin completion bash)   # the shell completes kubectl-kubecoin

TAB offers commands, flags, and names from your kubeconfig and your cluster.";

/// What `completion` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, disable_help_subcommand = true)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Create the file that lets kubectl complete `kubectl kubecoin`
    Install(Install),
    /// Delete the file that `install` created
    Uninstall,
    /// Print the bash script that completes `kubectl-kubecoin`
    Bash,
    /// Print the zsh script that completes `kubectl-kubecoin`
    Zsh,
    /// Print the fish script that completes `kubectl-kubecoin`
    Fish,
    /// Print the PowerShell script that completes `kubectl-kubecoin`
    Powershell,
}

#[derive(Debug, clap::Args)]
struct Install {
    /// Folder of PATH to create it in [default: where kubectl-kubecoin is]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Prints a script, or creates or deletes the file.
///
/// # Errors
/// If the file cannot be created or deleted.
pub fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let shell = match &args.action {
        Action::Install(Install { folder }) => return install::install(folder.as_deref(), ctx),
        Action::Uninstall => return install::uninstall(ctx),
        Action::Bash => Shell::Bash,
        Action::Zsh => Shell::Zsh,
        Action::Fish => Shell::Fish,
        Action::Powershell => Shell::Powershell,
    };
    ctx.printer.out_text(&shell.script()?)?;
    Ok(Outcome::Holds)
}
