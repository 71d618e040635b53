//! The ideas of the lesson: a file for each, which says it and shows it with the objects that are there. Pure.

mod dns;
mod headless;
mod level_one;
mod live;
mod pv_pvc;
mod replication;
mod rollout;
mod shown;
mod statefulset;
mod storage_class;
#[cfg(test)]
mod tests;

pub use live::Live;
pub use shown::{Fact, Field, Shown};

/// An idea of the lesson.
#[derive(Debug)]
pub struct Topic {
    /// What people type.
    pub name: &'static str,
    pub title: &'static str,
    /// The question of the lesson that this topic answers.
    pub question: Option<u8>,
    /// The idea, a sentence each.
    pub idea: [&'static str; 3],
    /// Shows it with the objects.
    pub shows: fn(&Live) -> Vec<Shown>,
    /// Says what cannot be seen with these objects.
    pub not_shown: fn(&Live) -> Vec<String>,
    /// How to see it with kubectl.
    pub by_hand: &'static [Look],
}

/// A look with kubectl.
#[derive(Debug)]
pub struct Look {
    /// What it is for: "see who created each pod".
    pub to: &'static str,
    /// The words of the command, without `kubectl` itself and without the flags of this run.
    pub words: &'static str,
    /// Whether it is of a namespace.
    pub in_namespace: bool,
}

impl Look {
    const fn in_namespace(to: &'static str, words: &'static str) -> Self {
        Self { to, words, in_namespace: true }
    }

    const fn of_cluster(to: &'static str, words: &'static str) -> Self {
        Self { to, words, in_namespace: false }
    }
}

/// All topics, in the order of the lesson.
pub const ALL: [&Topic; 8] = [
    &level_one::TOPIC,
    &statefulset::TOPIC,
    &headless::TOPIC,
    &dns::TOPIC,
    &pv_pvc::TOPIC,
    &storage_class::TOPIC,
    &rollout::TOPIC,
    &replication::TOPIC,
];

/// The topic of a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Topic> {
    ALL.into_iter().find(|topic| topic.name.eq_ignore_ascii_case(name.trim()))
}
