//! An error, told to people.

use std::process::ExitCode;

use super::printer::{Closed, Printer};
use crate::error::{Interrupted, hint_and_code};

/// The exit code of a command that the user stopped: as a shell has it of SIGINT.
const INTERRUPTED: u8 = 130;

/// Prints an error with its hint, and gives the exit code for it.
#[must_use]
pub fn report(error: &anyhow::Error, printer: Printer) -> ExitCode {
    if error.is::<Closed>() {
        return ExitCode::SUCCESS;
    }
    if let Some(stopped) = error.downcast_ref::<Interrupted>() {
        // For what goes on until Ctrl-C that is no error.
        printer.note(stopped.to_string());
        return ExitCode::from(INTERRUPTED);
    }
    printer.error(&format!("{error:#}"));
    let (hint, code) = hint_and_code(error);
    if let Some(hint) = hint {
        printer.hint(&hint);
    }
    ExitCode::from(code)
}
