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
    /// The same; and `dns-check` finds the second one, which is why a name does not resolve.
    Names(&'static str, &'static str),
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
    /// The same, after something that the test cluster needs, in words.
    ByHintAfter(&'static str, fn(Place)),
    /// Something else, in words.
    By(&'static str, fn(Place)),
}

/// Back to the backend's revision before.
pub const UNDO: Mend = Mend::By("`kubectl rollout undo deployment/backend`", |place| {
    place.kubectl("rollout undo deployment/backend");
});

/// Restores all that `deploy` applies.
pub const DEPLOY: Mend = Mend::By("`deploy --force-conflicts`", |place| {
    place.deploy();
});

impl Expects {
    /// The code that `doctor` is to find.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Cause(code) | Self::Names(code, _) | Self::Note(code) => code,
        }
    }

    /// The code that `dns-check` is to find, if it is asked.
    pub fn code_of_names(&self) -> Option<&'static str> {
        match self {
            Self::Names(_, code) => Some(code),
            Self::Cause(_) | Self::Note(_) => None,
        }
    }

    /// All codes that are to be found.
    pub fn codes(&self) -> impl Iterator<Item = &'static str> {
        [self.code()].into_iter().chain(self.code_of_names())
    }

    /// The exit code of `status`: what is only worth knowing does not change it.
    pub fn code_of_status(&self) -> i32 {
        match self {
            Self::Cause(_) | Self::Names(..) => 1,
            Self::Note(_) => 0,
        }
    }

    /// Whether that is what was found.
    pub fn is(&self, report: &Report) -> bool {
        match self {
            Self::Cause(code) | Self::Names(code, _) => report.causes() == [*code],
            Self::Note(code) => report.causes().is_empty() && report.codes().contains(code),
        }
    }
}
