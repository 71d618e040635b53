//! The lesson: five questions that are answered by experiment. Pure: what was seen, what it comes to, and the words for it.

pub mod evidence;
pub mod exercise;
pub mod kinds;
pub mod order;
pub mod question;
pub mod replicas;
pub mod report;
pub mod results;
pub mod services;
pub mod storage;
pub mod topics;
pub mod unguarded;

use std::collections::BTreeMap;

use question::Question;
use report::Report;
use results::{Answer, Results};

/// The questions, in the order in which they are best asked.
pub const QUESTIONS: [&Question; 5] =
    [&storage::QUESTION, &services::QUESTION, &kinds::QUESTION, &order::QUESTION, &replicas::QUESTION];

/// The question with this number.
#[must_use]
pub fn question(number: u8) -> Option<&'static Question> {
    QUESTIONS.into_iter().find(|question| question.number == number)
}

/// The next question that is not answered yet; none if all are.
#[must_use]
pub fn next_of(results: &Results) -> Option<&'static Question> {
    QUESTIONS.into_iter().find(|question| !results.is_answered(question.number))
}

/// What came of each question that was tried, by its number.
#[must_use]
pub fn answers(results: &Results) -> BTreeMap<u8, Answer> {
    QUESTIONS.iter().filter_map(|question| Some((question.number, results.of(question.number)?.clone()))).collect()
}

/// The report of a run of this experiment on the test cluster; none of one that needs no room.
///
/// # Errors
/// If it cannot be read, which is a mistake of this program.
pub fn recorded(question: &Question) -> anyhow::Result<Option<Report>> {
    question.recorded.map(Report::parse).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persistence::verdict::Holds;

    #[test]
    fn what_is_recorded_is_the_answer() {
        for question in QUESTIONS.into_iter().chain([&unguarded::QUESTION]) {
            let report = recorded(question).unwrap();
            assert_eq!(report.is_some(), question.room.is_some(), "{question}");
            let Some(report) = report else { continue };
            assert_eq!(report.evidence.holds(), Holds::Yes, "{question}: {:#?}", report.evidence.checks());
            assert_eq!(report.evidence.question(), question);
        }
    }

    #[test]
    fn each_question_is_asked_as_it_should_be() {
        for question in QUESTIONS.into_iter().chain([&unguarded::QUESTION]) {
            let right = question.choices.iter().filter(|choice| choice.is_right).count();
            assert!((2..=4).contains(&question.choices.len()) && right == 1, "{question}");
            assert_eq!(question.answer.matches(". ").count() + 1, 2, "{question}: two sentences");
            let texts = question.choices.iter().flat_map(|choice| [choice.says, choice.why]);
            for text in texts.chain([question.answer]) {
                assert!(text.ends_with('.') && !text.contains("  "), "{text}");
            }
            assert!(topics::find(question.topic).is_some(), "{question}");
            assert!(question.asks.ends_with('?') && !question.not_shown.is_empty(), "{question}");
        }
    }
}
