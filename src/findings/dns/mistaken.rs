//! What several causes look at in a name that a person or a Deployment has mistaken.

use super::explanation::{Covers, Explanation};
use crate::dns::answer::{Answer, Expected};
use crate::dns::facts::Facts;
use crate::dns::names::View;
use crate::dns::verdict::{Answered, Verdict};
use crate::findings::finding::{Cause, Weight};
use crate::text::Hint;

/// What is to be known of a name that ends in a dot.
pub const ABSOLUTE: &str = "with a dot at its end, no search domain is added";

/// Whether it is a name as people write them, and is not there.
pub fn is_mistaken(answered: &Answered) -> bool {
    let not_there = matches!(answered.got, Answer::NoSuchName | Answer::NoRecord);
    let is_of_people = answered.question.view == View::Application || answered.question.typed;
    is_of_people && answered.verdict == Verdict::Differs && not_there
}

/// Whether the user has typed it, and it is none of the exchange's.
pub fn is_of_the_user(answered: &Answered) -> bool {
    answered.question.expected == Expected::Something
}

/// The name without the dot at its end, if it is no full name in spite of that. The full name of whatever has one in the cluster
/// has this label in it.
pub fn absolute(name: &str) -> Option<&str> {
    name.strip_suffix('.').filter(|name| !name.split('.').any(|label| label == "svc"))
}

/// The first label of a name, and the second one, which is a namespace.
pub fn labels(name: &str) -> (&str, Option<&str>) {
    let mut labels = name.trim_end_matches('.').split('.');
    (labels.next().unwrap_or_default(), labels.next())
}

/// Which Service may be meant, in words.
pub fn meant(facts: &Facts, first: &str) -> String {
    let similar = facts.known_services().find(|known| *known != first && distance(known, first) <= 2);
    similar.map(|known| format!(": did you mean {known}?")).unwrap_or_default()
}

/// Why the name of an answer is not there.
pub fn because(
    answered: &Answered,
    cause: &'static Cause,
    object: impl Into<String>,
    says: String,
    hint: impl Into<Hint>,
) -> Explanation {
    Explanation::of(Covers::Name(answered.question.name.clone()), cause, Weight::Problem, object, says, hint)
}

/// How many letters must be changed, added or left out to make one word of another.
pub fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut before = row[0];
        row[0] = at + 1;
        for (index, other) in other.iter().enumerate() {
            let changed = before + usize::from(letter != *other);
            before = row[index + 1];
            row[index + 1] = changed.min(before + 1).min(row[index] + 1);
        }
    }
    row[other.len()]
}
