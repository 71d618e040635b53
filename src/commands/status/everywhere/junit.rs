//! The answers to the lesson as JUnit XML, for a grade book: a suite for each namespace, a case for each question and
//! for each exercise that was tried.

use std::collections::BTreeMap;

use quick_junit::{NonSuccessKind, Property, Report as Suites, TestCase, TestCaseStatus, TestSuite};

use crate::exchange::names;
use crate::lesson::question::Question;
use crate::lesson::results::Answer;
use crate::lesson::{QUESTIONS, question};
use crate::observe::{Reading, Reason};
use crate::persistence::verdict::Holds;
use crate::text::{brief, clean};

/// What a namespace has to show.
pub struct Learner {
    pub namespace: String,
    /// What came of each question that was tried, by its number.
    pub answers: Reading<BTreeMap<u8, Answer>>,
    /// The same of each exercise.
    pub exercises: Reading<BTreeMap<u8, Answer>>,
    /// The command that proves an answer.
    pub proved_by: String,
}

impl Learner {
    /// Whether all answers are known, and hold.
    pub fn all_tried_hold(&self) -> bool {
        let all_hold = |answers: &BTreeMap<u8, Answer>| answers.values().all(|answer| answer.holds == Holds::Yes);
        [&self.answers, &self.exercises].into_iter().all(|answers| answers.present().is_some_and(all_hold))
    }

    /// What the answers are worth: the learner's own word.
    fn claimed(&self) -> String {
        format!("a learner can write any answer into configmap/{}; run {} to prove one", names::LESSON, self.proved_by)
    }
}

/// As XML.
///
/// # Errors
/// If it has no such form, which is a mistake of this program.
pub fn text(learners: &[Learner]) -> anyhow::Result<String> {
    let mut suites = Suites::new("lesson");
    suites.add_test_suites(learners.iter().map(suite));
    Ok(suites.to_string()? + "\n")
}

fn suite(learner: &Learner) -> TestSuite {
    let mut suite = TestSuite::new(clean(&learner.namespace));
    suite.add_property(Property::new("claimed", clean(&learner.claimed())));
    let in_order = (1..).map_while(question).take(QUESTIONS.len());
    suite.add_test_cases(in_order.map(|question| case(learner, question)));
    let exercises = learner.exercises.present().into_iter().flatten();
    suite.add_test_cases(exercises.map(|(number, answer)| exercise(learner, *number, answer)));
    suite
}

/// A question: skipped if nobody has tried it, and an error if it is not known what came of it.
fn case(learner: &Learner, question: &Question) -> TestCase {
    let (status, words) = match &learner.answers {
        Reading::Unknown(Reason::Forbidden(why) | Reason::Failed(why)) => {
            (said(TestCaseStatus::non_success(NonSuccessKind::Error), why), None)
        }
        answers => match answers.present().and_then(|answers| answers.get(&question.number)) {
            Some(answer) => (of(answer), Some(words(answer))),
            None => (said(TestCaseStatus::skipped(), "not tried"), None),
        },
    };
    named(learner, format!("question {}: {}", question.number, question.title), status, words)
}

/// An exercise that was tried. Nobody must do any, so the others are no cases.
fn exercise(learner: &Learner, number: u8, answer: &Answer) -> TestCase {
    named(learner, format!("exercise {number}"), of(answer), Some(words(answer)))
}

fn named(learner: &Learner, name: String, status: TestCaseStatus, words: Option<String>) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(clean(&learner.namespace));
    if let Some(words) = words {
        case.set_system_out(words);
    }
    case
}

fn of(answer: &Answer) -> TestCaseStatus {
    match answer.holds {
        Holds::Yes => TestCaseStatus::success(),
        Holds::No => said(TestCaseStatus::non_success(NonSuccessKind::Failure), "the cluster showed something else"),
        Holds::Unknown => said(TestCaseStatus::non_success(NonSuccessKind::Error), "the answer was not shown"),
    }
}

/// Says why it is no success.
fn said(mut status: TestCaseStatus, why: &str) -> TestCaseStatus {
    status.set_message(brief(why));
    status
}

/// What is claimed. All of it may be written by the learner.
fn words(answer: &Answer) -> String {
    format!("claimed: {} at {}, evidence {}", answer.holds, answer.at, brief(&answer.evidence))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(holds: Holds, evidence: &str) -> Answer {
        Answer { holds, at: "2026-11-24T02:00:00Z".parse().unwrap(), evidence: evidence.to_owned() }
    }

    fn learner(answers: Reading<BTreeMap<u8, Answer>>) -> Learner {
        let exercises = Reading::Present(BTreeMap::new());
        Learner { namespace: "alice".to_owned(), answers, exercises, proved_by: "run lesson N -n alice".to_owned() }
    }

    #[test]
    fn each_question_is_a_case_and_each_answer_is_claimed() {
        let answers = [
            (1, answer(Holds::Yes, "sha256:00")),
            (2, answer(Holds::No, "sha256:\u{1b}[2J<b>")),
            (3, answer(Holds::Unknown, "sha256:02")),
        ];
        let learner = learner(Reading::Present(answers.into()));
        assert!(!learner.all_tried_hold());
        let xml = text(&[learner]).unwrap();
        assert!(xml.contains(r#"<testsuite name="alice" tests="5" skipped="2" errors="1" failures="1">"#), "{xml}");
        assert!(xml.contains("run lesson N -n alice to prove one"), "{xml}");
        assert!(xml.contains("claimed: holds at 2026-11-24T02:00:00Z, evidence sha256:00<"), "{xml}");
        assert!(xml.contains("claimed: does not hold at 2026-11-24T02:00:00Z, evidence sha256:[2J&lt;b&gt;<"), "{xml}");
        assert!(xml.contains("claimed: is not known at ") && !xml.contains('\u{1b}'), "{xml}");
        let at = |number: u8| xml.find(&format!(r#"name="question {number}: "#)).unwrap();
        assert!((1..5).all(|number| at(number) < at(number + 1)), "in the order of their numbers: {xml}");
        assert_eq!(xml.matches(r#"<skipped message="not tried""#).count(), 2, "{xml}");
    }

    #[test]
    fn what_could_not_be_read_is_an_error_of_each_case() {
        let learner = learner(Reading::Unknown(Reason::Forbidden("you may not".to_owned())));
        assert!(!learner.all_tried_hold());
        let xml = text(&[learner]).unwrap();
        assert_eq!(xml.matches(r#"<error message="you may not""#).count(), 5, "{xml}");
    }

    #[test]
    fn each_exercise_that_was_tried_is_a_case() {
        let solved = |holds| Learner {
            exercises: Reading::Present([(2, answer(holds, "sha256:04"))].into()),
            ..learner(Reading::Present(BTreeMap::new()))
        };
        assert!(solved(Holds::Yes).all_tried_hold() && !solved(Holds::No).all_tried_hold());
        let xml = text(&[solved(Holds::Yes)]).unwrap();
        assert!(xml.contains(r#"<testsuite name="alice" tests="6" skipped="5" errors="0" failures="0">"#), "{xml}");
        assert!(xml.contains(r#"<testcase name="exercise 2" classname="alice">"#), "{xml}");
        assert!(xml.contains("claimed: holds at 2026-11-24T02:00:00Z, evidence sha256:04<"), "{xml}");
    }

    #[test]
    fn what_nobody_tried_speaks_against_nobody() {
        assert!(learner(Reading::Present(BTreeMap::new())).all_tried_hold());
    }
}
