//! What a report says of a question of the lesson.

use super::content::{Block, Content, Section, Table, asked_of, checks, end, timeline};
use super::evidence::gaps;
use crate::lesson::evidence::Evidence;
use crate::lesson::report::Report;
use crate::persistence::contrast::{self, Contrast};
use crate::persistence::verdict::Holds;

const BY_HAND: &str = "Every change that was made to the cluster, once each, as kubectl commands.";

/// All of it.
pub fn content(report: &Report) -> Content {
    let evidence = &report.evidence;
    let (question, holds) = (evidence.question(), evidence.holds());
    let answer = Block::List(vec![question.answer.to_owned()]);
    let note = if holds == Holds::Yes { "" } else { "This run does not show it: see the proof." };
    let sections = [
        checks("", "The question is answered only if every line holds.", evidence.checks()),
        Section::new("The answer", note, vec![answer]),
    ];
    let asked = asked_of(&report.about, None);
    let end = end(&report.about, asked, BY_HAND, evidence.not_shown());
    Content {
        title: format!("Question {} of the lesson: {}", question.number, question.asks),
        holds,
        verdict: holds.to_string(),
        lead: vec![evidence.observed()],
        sections: sections.into_iter().chain(details(evidence)).chain(end).collect(),
    }
}

/// What was measured, where there is more than the checks say.
fn details(evidence: &Evidence) -> Vec<Section> {
    match evidence {
        Evidence::Kinds(seen) => beside(seen.level_1.present(), seen.with_claim.present(), &seen.level_2),
        Evidence::Storage(seen) => {
            seen.0.turns.iter().map(|turn| timeline("", &turn.timeline, &gaps(&seen.0))).collect()
        }
        Evidence::Order(_) | Evidence::Replicas(_) | Evidence::Services(_) | Evidence::Unguarded(_) => Vec::new(),
    }
}

fn beside(
    level_1: Option<&Contrast>,
    with_claim: Option<&Contrast>,
    level_2: &crate::persistence::evidence::Evidence,
) -> Vec<Section> {
    let (Some(level_1), Some(with_claim)) = (level_1, with_claim) else { return Vec::new() };
    let rows = contrast::table(&[level_1, with_claim], level_2);
    let table = Table { head: &["", "Deployment", "Deployment with a claim", "StatefulSet"], rows };
    vec![Section::new("All three beside each other", "The same steps in each.", vec![Block::Table(table)])]
}
