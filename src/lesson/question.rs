//! What a question of the lesson is: its answers to choose from, and what is said once it is answered.

use std::fmt::{self, Display, Formatter};

/// A question that an experiment on the user's own cluster answers.
#[derive(Debug, PartialEq, Eq)]
pub struct Question {
    /// Its number, from 1 to 5.
    pub number: u8,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// What is asked.
    pub asks: &'static str,
    /// Two to four answers. One of them is right; each of the others is what people really believe.
    pub choices: &'static [Choice],
    /// What the experiment does, in a sentence.
    pub does: &'static str,
    /// For about how many seconds it lasts.
    pub seconds: u32,
    /// What it needs beside the exchange; none if nothing.
    pub room: Option<&'static str>,
    /// The answer, in two sentences.
    pub answer: &'static str,
    /// What the experiment does not show.
    pub not_shown: &'static [&'static str],
    /// The topic of `explain` that goes on from here.
    pub topic: &'static str,
    /// The report of a run on the test cluster, for where there is no room for the experiment; none if it needs none.
    pub recorded: Option<&'static str>,
}

/// One of the answers to choose from.
#[derive(Debug, PartialEq, Eq)]
pub struct Choice {
    /// The answer.
    pub says: &'static str,
    /// Why it is right, or why it is not.
    pub why: &'static str,
    /// Whether it is right.
    pub is_right: bool,
}

/// What somebody who is asked may press, in the order of the answers.
const KEYS: [char; 4] = ['a', 'b', 'c', 'd'];

/// What somebody has said before the experiment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prediction {
    /// The answer with this index.
    Choice(usize),
    /// They do not know.
    Unknown,
}

impl Question {
    /// The answers, each with its key.
    pub fn keyed(&self) -> impl Iterator<Item = (char, &'static Choice)> {
        KEYS.into_iter().zip(self.choices)
    }

    /// What a key or a word stands for; none if it stands for nothing here. Nothing at all is "I don't know".
    #[must_use]
    pub fn prediction(&self, typed: &str) -> Option<Prediction> {
        let typed = typed.trim().trim_end_matches([')', '.']).to_lowercase();
        if typed.is_empty() {
            return Some(Prediction::Unknown);
        }
        let position = self.keyed().position(|(key, _)| typed.chars().eq([key]));
        position.map(Prediction::Choice)
    }

    /// The answer that was chosen; none if they do not know.
    #[must_use]
    pub fn chosen(&self, prediction: Prediction) -> Option<&'static Choice> {
        match prediction {
            Prediction::Choice(index) => self.choices.get(index),
            Prediction::Unknown => None,
        }
    }
}

impl Display for Question {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "question {}: {}", self.number, self.asks)
    }
}
