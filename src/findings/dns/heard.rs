//! What a finding was judged by, where answers show it.

use std::iter;

use super::ALL;
use crate::dns::answer::Answer;
use crate::dns::heard::{Heard, Names};
use crate::dns::verdict::Answered;
use crate::findings::finding::Finding;

/// As many answers as a person reads.
const MOST: usize = 3;

/// The answers that were not as they should be, and who was asked, a fact a line. Nothing for other findings.
#[must_use]
pub fn of(names: &Names, finding: &Finding) -> Vec<String> {
    let Some(heard) = names.heard.present().filter(|_| ALL.contains(&finding.cause)) else { return Vec::new() };
    let wrong: Vec<&Answered> = heard.answers.iter().filter(|answered| answered.is_wrong()).collect();
    if wrong.is_empty() {
        return Vec::new();
    }
    let more = wrong.len().checked_sub(MOST).filter(|more| *more > 0).map(|more| format!("and {more} more answers"));
    iter::once(asked(heard)).chain(wrong.into_iter().take(MOST).map(answer)).chain(more).collect()
}

fn asked(heard: &Heard) -> String {
    let server = heard.asker.server.as_deref().unwrap_or("nobody");
    format!("asked from pod/{}, which asks {server}", heard.asker.pod)
}

fn answer(answered: &Answered) -> String {
    let question = &answered.question;
    let got = match &answered.got {
        Answer::Silence(why) => format!("no answer ({why})"),
        other => other.to_string(),
    };
    format!("{} {}: {got}; it should be {}", question.name, question.kind, question.expected)
}
