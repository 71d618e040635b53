//! What a fault is.

use super::doctor::Report;
use super::place::{Place, Seen};

/// A fault, and what `doctor` is to say of it.
pub struct Fault {
    /// In words.
    pub what: &'static str,
    pub make: fn(Place),
    /// Whether it has taken effect, as kubectl shows it.
    pub holds: fn(Place) -> Seen,
    pub expects: Expects,
    pub harm: Harm,
    pub mend: Mend,
}

/// What `doctor` finds, and nothing else.
pub enum Expects {
    /// The cause of what is wrong, by its code.
    Cause(&'static str),
    /// Nothing that is wrong, but what is worth knowing.
    Note(&'static str),
}

/// When it does harm.
#[derive(Clone, Copy, PartialEq)]
pub enum Harm {
    /// No user can buy coins.
    Now,
    /// Users see nothing of it until a pod or a connection is to be made again, or ever.
    Later,
    /// It depends on which connections the backend still has.
    ByChance,
}

/// What ends the fault.
pub enum Mend {
    /// The commands of the finding's hint.
    ByHint,
    By(fn(Place)),
}

impl Expects {
    /// The code that is to be found.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Cause(code) | Self::Note(code) => code,
        }
    }

    /// Whether that is what was found.
    pub fn is(&self, report: &Report) -> bool {
        match self {
            Self::Cause(code) => report.causes() == [*code],
            Self::Note(code) => report.causes().is_empty() && report.codes().contains(code),
        }
    }
}
