//! What the user typed, and the command that it leads to.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands::{
    completion, deploy, dns_check, doctor, exercise, explain, init_db, lesson, manifests, open, overview,
    persistence_demo, psql, reference, replay, rotate_password, status, switchover, teardown, verify_report, version,
};
use crate::complete;
use crate::context::Ctx;
use crate::error::Outcome;
use crate::flags::Global;
use crate::log;
use crate::output::report;

const AFTER_HELP: &str = "\
Examples:
  kubectl kubecoin deploy --init-db      # deploy everything, with the table
  kubectl kubecoin status                # show its objects and whether they are healthy
  kubectl kubecoin deploy -n alice       # deploy another exchange in namespace alice

Without a command, it shows where you are and what to do next.
kubectl's connection flags work before or after a command; see --help.
Exit codes: 0 all checks passed; 1 a check failed; 2 it could not run; 130 interrupted.";

/// Deploy a small exchange on Kubernetes, and prove that its data outlives its pod.
#[derive(Debug, Parser)]
#[command(name = "kubectl-kubecoin", bin_name = "kubectl kubecoin", version, after_help = AFTER_HELP, term_width = 90)]
#[command(disable_help_subcommand = true, args_override_self = true)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,

    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands, in the order of the lesson.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Deploy the exchange and wait until it works
    Deploy(deploy::Args),
    /// Create the wallets table
    InitDb(init_db::Args),
    /// Show the exchange's objects and whether they are healthy
    Status(status::Args),
    /// Find the cause of what is wrong, and what helps
    Doctor(doctor::Args),
    /// Explain an idea of the lesson, or a finding
    Explain(explain::Args),
    /// Check that the cluster's DNS matches the exchange's pods and Services
    DnsCheck(dns_check::Args),
    /// Delete the database pod, and prove that its name, storage and data survive
    PersistenceDemo(persistence_demo::Args),
    /// Answer the five questions of the lesson by experiment
    Lesson(lesson::Args),
    /// Find and correct a fault in your own exchange
    Exercise(exercise::Args),
    /// Open the exchange's page in a browser
    Open(open::Args),
    /// Run psql in the database pod
    Psql(psql::Args),
    /// Write the exchange's manifests as YAML, for kubectl apply and for Git
    Manifests(manifests::Args),
    /// Sync PostgreSQL's password with the Secret, or set a new one
    RotatePassword(rotate_password::Args),
    /// Make another member of a replicated database the primary
    Switchover(switchover::Args),
    /// Delete the exchange; its data is kept unless you say otherwise
    Teardown(teardown::Args),
    /// Check a report of persistence-demo or lesson again, without a cluster
    VerifyReport(verify_report::Args),
    /// Replay the timeline of a report at its real speed, without a cluster
    Replay(replay::Args),
    /// Complete commands, flags and names when you press TAB
    Completion(completion::Args),
    /// Show the version of this plugin and of the server
    Version(version::Args),
    /// Write the manual of every command
    #[command(hide = true)]
    Reference(reference::Args),
}

/// Parses, runs, and turns what comes of it into an exit code.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(code) = complete::answer(Cli::command) {
        return code;
    }
    let (cli, asked) = match parse(std::env::args_os()) {
        Ok(parsed) => parsed,
        // Also when help or a version was asked for. A closed stdout or stderr leaves nobody to tell.
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    log::start(cli.global.verbosity);
    let ctx = Ctx::new(cli.global, asked);
    let outcome =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Into::into).and_then(|runtime| {
            let outcome = runtime.block_on(ctx.cleanup.around(run(cli.command, &ctx), ctx.printer));
            // A lookup in DNS that hangs must not hold up the end.
            runtime.shutdown_background();
            outcome
        });
    outcome.map_or_else(|error| report(&error, ctx.printer), ExitCode::from)
}

/// Runs a command; without one, says where one is and what comes next.
///
/// # Errors
/// If it could not run.
async fn run(command: Option<Command>, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let outcome = match command {
        None => overview::run(ctx).await,
        Some(Command::Deploy(args)) => Box::pin(deploy::run(args, ctx)).await,
        Some(Command::InitDb(args)) => init_db::run(&args, ctx).await,
        Some(Command::Status(args)) => status::run(&args, ctx).await,
        Some(Command::Doctor(args)) => Box::pin(doctor::run(&args, ctx)).await,
        Some(Command::Explain(args)) => Box::pin(explain::run(&args, ctx)).await,
        Some(Command::DnsCheck(args)) => Box::pin(dns_check::run(&args, ctx)).await,
        Some(Command::PersistenceDemo(args)) => Box::pin(persistence_demo::run(&args, ctx)).await,
        Some(Command::Lesson(args)) => Box::pin(lesson::run(&args, ctx)).await,
        Some(Command::Exercise(args)) => Box::pin(exercise::run(&args, ctx)).await,
        Some(Command::Open(args)) => Box::pin(open::run(&args, ctx)).await,
        Some(Command::Psql(args)) => Box::pin(psql::run(&args, ctx)).await,
        Some(Command::Manifests(args)) => Box::pin(manifests::run(args, ctx)).await,
        Some(Command::RotatePassword(args)) => rotate_password::run(&args, ctx).await,
        Some(Command::Switchover(args)) => switchover::run(&args, ctx).await,
        Some(Command::Teardown(args)) => teardown::run(&args, ctx).await,
        Some(Command::VerifyReport(args)) => verify_report::run(&args, ctx),
        Some(Command::Replay(args)) => replay::run(&args, ctx).await,
        Some(Command::Completion(args)) => completion::run(&args, ctx),
        Some(Command::Reference(args)) => reference::run(&args, Cli::command(), ctx),
        Some(Command::Version(args)) => version::run(&args, ctx).await,
    }?;
    Ok(ctx.with_warnings(outcome))
}

/// What a line means, and the command in it as it was typed.
fn parse(line: impl IntoIterator<Item = OsString>) -> clap::error::Result<(Cli, Vec<String>)> {
    let mut command = Cli::command();
    let given = command.try_get_matches_from_mut(line)?;
    let cli = Cli::from_arg_matches(&given).map_err(|error| error.format(&mut command))?;
    Ok((cli, asked(&command, &given)))
}

/// The command of a line and its own flags, as they were typed. Those of every command are left out: they may hold a token.
fn asked(cli: &clap::Command, given: &ArgMatches) -> Vec<String> {
    let Some((name, given)) = given.subcommand() else { return Vec::new() };
    let mut words = vec![name.to_owned()];
    let flags = cli.find_subcommand(name).into_iter().flat_map(clap::Command::get_arguments);
    let own = flags.filter(|flag| !flag.is_global_set());
    for flag in own.filter(|flag| given.value_source(flag.get_id().as_str()) == Some(ValueSource::CommandLine)) {
        let long = flag.get_long().map(|long| format!("--{long}"));
        let values = given.get_raw(flag.get_id().as_str()).filter(|_| flag.get_action().takes_values());
        match values {
            None => words.extend(long),
            Some(values) => {
                let values = values.map(|value| value.to_string_lossy().into_owned());
                words.extend(values.flat_map(|value| long.clone().into_iter().chain([value])));
            }
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_stand_before_and_after_the_command() {
        for line in
            ["-n alice version --context=c", "version --namespace alice --context c", "--context c version -n=alice"]
        {
            let cli = Cli::try_parse_from(["kubectl-kubecoin"].into_iter().chain(line.split(' '))).unwrap();
            assert_eq!(cli.global.connection.namespace.as_deref(), Some("alice"), "{line}");
            assert_eq!(cli.global.connection.context.as_deref(), Some("c"), "{line}");
        }
    }

    #[test]
    fn verbosity_is_kubectls() {
        for (line, level) in [("version", 0), ("-v version", 1), ("version -v=6", 6), ("--v=9 version", 9)] {
            let cli = Cli::try_parse_from(["kubectl-kubecoin"].into_iter().chain(line.split(' '))).unwrap();
            assert_eq!(cli.global.verbosity, level, "{line}");
        }
    }

    /// The examples in the help of a command and of those below it, as a shell gives them to this program.
    fn examples(command: &clap::Command) -> Vec<Vec<String>> {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let help = help.replace(" \\\n", " ");
        let lines =
            help.lines().filter(|line| line.starts_with("  ")).filter_map(|line| line.split_once("kubectl kubecoin"));
        let own = lines.map(|(_, rest)| {
            let end = [" | ", " > ", " < "].iter().filter_map(|it| rest.find(it)).min().unwrap_or(rest.len());
            // What shlex takes for a comment, a shell does too.
            let line = format!("kubectl-kubecoin {}", &rest[..end]);
            shlex::split(&line).unwrap_or_else(|| panic!("{line}"))
        });
        own.chain(command.get_subcommands().flat_map(examples)).collect()
    }

    #[test]
    fn each_example_in_a_help_can_be_typed() {
        let examples = examples(&Cli::command());
        for example in &examples {
            Cli::try_parse_from(example).unwrap_or_else(|error| panic!("{example:?}: {error}"));
        }
        assert!(examples.len() > 40, "only {} were found", examples.len());
    }

    #[test]
    fn what_was_asked_is_told_without_secrets() {
        let asked = |line: &str| {
            let parsed = parse(["kubectl-kubecoin"].into_iter().chain(line.split(' ')).map(OsString::from));
            parsed.map(|(_, asked)| asked).unwrap_or_default()
        };
        let line = "--token hush persistence-demo -n alice --how=kill -y --rows 7 --report a.md --report b.json";
        let words = "persistence-demo --how kill --rows 7 --report a.md --report b.json --yes";
        assert_eq!(asked(line).join(" "), words);
        assert_eq!(asked("persistence-demo"), ["persistence-demo"]);
        assert_eq!(asked("nonsense"), [""; 0]);
    }
}
