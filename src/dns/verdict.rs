//! Whether an answer is the one that the cluster's objects call for.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::answer::{Answer, Expected};
use super::names::{Question, View};
use crate::exchange::names;

/// What is to be said of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// It is as it should be.
    Ok,
    /// It is an older one, and may be for now.
    Stale,
    /// It is another one.
    Differs,
    /// There is none.
    Silent,
    /// It was not asked, or what it should be could not be found out.
    Unknown,
}

impl Verdict {
    /// The verdict on an answer.
    #[must_use]
    pub fn on(expected: &Expected, got: &Answer) -> Self {
        match (expected, got) {
            (_, Answer::Silence(_)) => Self::Silent,
            (_, Answer::NotAsked(_)) | (Expected::Unknown(_), _) => Self::Unknown,
            (expected, Answer::Records(records)) if expected.allows(records) => Self::Ok,
            (Expected::NoRecord, Answer::NoRecord) | (Expected::NoSuchName, Answer::NoSuchName) => Self::Ok,
            _ => Self::Differs,
        }
    }

    /// A word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Stale => "stale",
            Self::Differs => "differs",
            Self::Silent => "silent",
            Self::Unknown => "unknown",
        }
    }
}

/// A question and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Answered {
    pub question: Question,
    /// The answer.
    pub got: Answer,
    /// For how long it may be kept, if it says so.
    pub kept: Option<Duration>,
    /// How long it took, the way into the pod and back included.
    pub took: Option<Duration>,
    pub verdict: Verdict,
    /// The code of the finding that says why it is not ok, once it was judged.
    #[serde(skip)]
    pub why: Option<&'static str>,
}

impl Answered {
    /// With the verdict that the question alone calls for.
    #[must_use]
    pub fn new(question: Question, got: Answer, kept: Option<Duration>, took: Option<Duration>) -> Self {
        let verdict = Verdict::on(&question.expected, &got);
        Self { question, got, kept, took, verdict, why: None }
    }

    /// Whether something is to be explained.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        matches!(self.verdict, Verdict::Stale | Verdict::Differs | Verdict::Silent)
    }
}

/// Whether the answers show that the names are as they should be: none is wrong, the DNS server has given the address of a pod
/// of the set under the headless name, and every name that the user has typed was asked and is as it should be.
#[must_use]
pub fn holds(answers: &[Answered]) -> bool {
    answers.iter().all(|answered| !answered.is_wrong())
        && answers.iter().any(shows_the_headless_name)
        && answers.iter().filter(|answered| answered.question.typed).all(|answered| answered.verdict == Verdict::Ok)
}

fn shows_the_headless_name(answered: &Answered) -> bool {
    answered.verdict == Verdict::Ok
        && answered.question.view == View::Server
        && answered.question.service.as_deref() == Some(names::POSTGRES_SERVICE)
        && matches!(answered.question.expected, Expected::Records(_))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::{IpAddr, Ipv4Addr};

    use proptest::prelude::*;

    use super::*;
    use crate::dns::answer::{Kind, Record};

    fn addresses(last: &[u8]) -> BTreeSet<Record> {
        last.iter().map(|last| Record::Address(IpAddr::V4(Ipv4Addr::new(10, 0, 0, *last)))).collect()
    }

    fn any_answer() -> impl Strategy<Value = Answer> {
        prop_oneof![
            proptest::collection::btree_set(any::<u8>(), 1..4)
                .prop_map(|set| Answer::Records(addresses(&set.into_iter().collect::<Vec<_>>()))),
            Just(Answer::NoRecord),
            Just(Answer::NoSuchName),
            Just(Answer::Refused("Server Failure".to_owned())),
            Just(Answer::Silence("refused".to_owned())),
            Just(Answer::NotAsked("no getent".to_owned())),
        ]
    }

    fn answered(expected: Expected, got: Answer) -> Answered {
        let question = Question {
            view: View::Server,
            name: "postgres-headless.alice.svc.cluster.local".to_owned(),
            kind: Kind::A,
            expected,
            service: Some(names::POSTGRES_SERVICE.to_owned()),
            typed: false,
        };
        Answered::new(question, got, None, None)
    }

    proptest! {
        #[test]
        fn no_other_answer_is_ever_ok(wanted in proptest::collection::btree_set(any::<u8>(), 1..4), got in any_answer()) {
            let wanted = addresses(&wanted.into_iter().collect::<Vec<_>>());
            let is_it = got == Answer::Records(wanted.clone());
            prop_assert_eq!(Verdict::on(&Expected::Records(wanted.clone()), &got) == Verdict::Ok, is_it);
            prop_assert_eq!(holds(&[answered(Expected::Records(wanted), got)]), is_it);
        }

        #[test]
        fn what_is_missing_is_never_ok(got in any_answer()) {
            prop_assert_ne!(Verdict::on(&Expected::Missing("no pod".to_owned()), &got), Verdict::Ok);
        }

        #[test]
        fn what_is_unknown_neither_fails_nor_holds(got in any_answer()) {
            let unknown = answered(Expected::Unknown("you may not read it".to_owned()), got.clone());
            prop_assert_eq!(unknown.is_wrong(), matches!(got, Answer::Silence(_)));
            prop_assert!(!holds(&[unknown]));
        }
    }

    #[test]
    fn a_typed_name_that_was_not_asked_is_not_shown() {
        let wanted = addresses(&[7]);
        let headless = answered(Expected::Records(wanted.clone()), Answer::Records(wanted.clone()));
        let typed = |expected, got| {
            let answered = answered(expected, got);
            Answered { question: Question { typed: true, ..answered.question.clone() }, ..answered }
        };
        let not_asked = Answer::NotAsked("neither getent nor python3 in the pod".to_owned());
        let unreadable = Expected::Unknown("you may not read it".to_owned());
        for (expected, got, is_shown) in [
            (Expected::Something, Answer::Records(wanted.clone()), true),
            (Expected::Something, not_asked, false),
            (unreadable, Answer::Records(wanted), false),
        ] {
            assert_eq!(holds(&[headless.clone(), typed(expected, got.clone())]), is_shown, "{got:?}");
        }
    }

    #[test]
    fn nothing_asked_is_nothing_shown() {
        assert!(!holds(&[]));
        let nowhere = answered(Expected::NoSuchName, Answer::NoSuchName);
        assert!(nowhere.verdict == Verdict::Ok && !holds(&[nowhere]));
    }
}
