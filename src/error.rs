//! What a command comes to: an outcome, or an error that says what helps.

use std::process::ExitCode;

use crate::kubernetes::RequestError;
use crate::text::Hint;

/// What a command that ran has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All holds: exit code 0.
    Holds,
    /// Something does not hold, and the output says what: exit code 1.
    DoesNotHold,
    /// The exit code of a program that was run on the user's behalf.
    Exit(u8),
}

impl Outcome {
    /// `Holds` if so.
    #[must_use]
    pub fn holds_if(condition: bool) -> Self {
        if condition { Self::Holds } else { Self::DoesNotHold }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Holds => Self::SUCCESS,
            Outcome::DoesNotHold => Self::FAILURE,
            Outcome::Exit(code) => Self::from(code),
        }
    }
}

/// The exit code of a command that ran until its time was over.
const TOO_LATE: u8 = 1;

/// The exit code of a command that could not run.
const COULD_NOT_RUN: u8 = 2;

/// Why a command came to nothing, and one thing that helps.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    message: String,
    hint: Hint,
    code: u8,
}

impl Error {
    /// Why it could not run, with a hint: a sentence that names a command where one helps.
    pub fn new(message: impl Into<String>, hint: impl Into<Hint>) -> Self {
        Self { message: message.into(), hint: hint.into(), code: COULD_NOT_RUN }
    }

    /// The same of what has not come in time. The command ran, and so it is that something does not hold.
    pub fn too_late(message: impl Into<String>, hint: impl Into<Hint>) -> Self {
        Self { code: TOO_LATE, ..Self::new(message, hint) }
    }
}

/// The user stopped the command.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// The hint of an error, and the exit code of a command that ended with it.
#[must_use]
pub fn hint_and_code(error: &anyhow::Error) -> (Option<Hint>, u8) {
    match (error.downcast_ref::<Error>(), error.downcast_ref::<RequestError>()) {
        (Some(error), _) => (Some(error.hint.clone()), error.code),
        (_, Some(error)) => (Some(error.hint()), COULD_NOT_RUN),
        _ => (None, COULD_NOT_RUN),
    }
}
