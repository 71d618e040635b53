//! The data of a program of which nothing is known: what the user's command prints.

use super::{Check, CheckName, Holds, Open, words};
use crate::observe::Reading;
use crate::persistence::evidence::{Data, Moment, Turn};
use crate::persistence::output::Output;

const NAME: CheckName = CheckName::SameData;

/// Where nobody said how to read it.
pub(super) fn not_asked(turn: &Turn, now: &Moment) -> Check {
    match (&turn.before.data, &now.data) {
        (Data::None, Data::None) => Check::open(Open::Data, NAME, "not checked: no --read was given"),
        _ => Check::new(NAME, Holds::Unknown, UNREAD),
    }
}

const UNREAD: &str = "it was not read both before and after";

/// Where it was read.
pub(super) fn check(turn: &Turn, now: &Moment) -> Check {
    let (holds, evidence) = match (&turn.before.data, &now.data) {
        (Data::Output(before), Data::Output(now)) => compared(before, now),
        _ => (Holds::Unknown, UNREAD.to_owned()),
    };
    let within = turn.container.as_ref().map(|name| format!(" (container {name})")).unwrap_or_default();
    Check::new(NAME, holds, evidence + &within)
}

fn compared(before: &Reading<Output>, now: &Reading<Output>) -> (Holds, String) {
    match (before, now) {
        (Reading::Present(before), Reading::Present(_)) if !before.is_something() => {
            (Holds::Unknown, format!("before, --read printed {}", before.words()))
        }
        (Reading::Present(before), Reading::Present(now)) if before.is_same(now) => (Holds::Yes, now.words()),
        (Reading::Present(before), Reading::Present(now)) => {
            (Holds::No, format!("before: {}; after: {}", before.words(), now.words()))
        }
        (Reading::Unknown(reason), _) | (_, Reading::Unknown(reason)) => {
            (Holds::Unknown, format!("--read could not be run: {}", words(reason)))
        }
        _ => (Holds::Unknown, UNREAD.to_owned()),
    }
}
