//! Parses, runs, and turns what comes of it into an exit code.

use std::process::ExitCode;

use clap::Parser;
use kubectl_kubecoin::cli::{self, Cli};
use kubectl_kubecoin::context::Ctx;
use kubectl_kubecoin::log;
use kubectl_kubecoin::output::report;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Also when help or a version was asked for. A closed stdout or stderr leaves nobody to tell.
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    log::start(cli.global.verbosity);
    let ctx = Ctx::new(cli.global, cli::asked(std::env::args_os()));
    let outcome =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Into::into).and_then(|runtime| {
            let outcome = runtime.block_on(ctx.cleanup.around(cli::run(cli.command, &ctx), ctx.printer));
            // A lookup in DNS that hangs must not hold up the end.
            runtime.shutdown_background();
            outcome
        });
    outcome.map_or_else(|error| report(&error, ctx.printer), ExitCode::from)
}
