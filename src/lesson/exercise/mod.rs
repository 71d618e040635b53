//! The exercises: each makes a field of the learner's own exchange wrong, to be found and corrected. Pure: which faults there are,
//! what is kept of the time before, and how a try stands.

mod database_host;
mod finalizer;
mod image;
mod lost_label;
mod node_selector;
mod other_secret;
mod partition;
mod readiness_probe;
mod released_volume;
mod secret_key;
mod selector;
mod target_port;

pub mod answer;
pub mod check;
pub mod fault;
pub mod part;
pub mod path;
pub mod record;

use std::collections::BTreeMap;
use std::fmt::{self, Debug, Formatter};

use fault::Fault;
use part::Part;

use super::results::{Answer, Results};
use crate::findings::Observed;
use crate::text::Hint;

/// A fault to be found. Each has a file of its own.
pub struct Exercise {
    /// Its number, which tells nothing of the fault.
    pub number: u8,
    /// The cause by which `doctor` names it: `selector-matches-nothing`.
    pub code: &'static str,
    /// What it needs to take effect.
    pub needs: Needs,
    /// What it can be. Which one it is, is drawn.
    pub faults: fn() -> Vec<Fault>,
    /// Where to look: the second hint.
    pub look: fn(&Observed) -> Vec<Hint>,
}

/// What an exercise needs to take effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing that is not there.
    Nothing,
    /// Room for one more pod of a Deployment: the old one stays until the new one is ready.
    RoomFor(Part),
    /// The rights to change volumes, and the lesson's own volume.
    Volume,
}

impl Debug for Exercise {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "exercise {}", self.number)
    }
}

/// The question of every exercise.
pub const QUESTION: &str = "Which field of which object is wrong?";

/// All of them, by their numbers.
pub const EXERCISES: [&Exercise; 12] = [
    &image::EXERCISE,
    &selector::EXERCISE,
    &node_selector::EXERCISE,
    &database_host::EXERCISE,
    &finalizer::EXERCISE,
    &target_port::EXERCISE,
    &secret_key::EXERCISE,
    &partition::EXERCISE,
    &other_secret::EXERCISE,
    &lost_label::EXERCISE,
    &readiness_probe::EXERCISE,
    &released_volume::EXERCISE,
];

/// The exercise with this number.
#[must_use]
pub fn find(number: u8) -> Option<&'static Exercise> {
    EXERCISES.into_iter().find(|exercise| exercise.number == number)
}

/// How many are solved.
#[must_use]
pub fn solved(results: &Results) -> usize {
    EXERCISES.iter().filter(|exercise| results.is_solved(exercise.number)).count()
}

/// What came of each exercise that was tried, by its number.
#[must_use]
pub fn answers(results: &Results) -> BTreeMap<u8, Answer> {
    let answer = |exercise: &&Exercise| Some((exercise.number, results.of_exercise(exercise.number)?.clone()));
    EXERCISES.iter().filter_map(answer).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::fault::Step;
    use super::part::ALL;
    use super::path::differences;
    use super::record::{Live, Record};
    use super::*;
    use crate::exchange::objects::{self, Objects};
    use crate::exchange::settings::{Settings, Storage};
    use crate::findings;
    use crate::kubernetes::Object;

    /// What `deploy` applies, as the server has it, in so far as exercises touch it.
    fn deployed() -> Live {
        let storage = Storage::Static { host_path: None, hostname: None };
        let objects = Objects::new(&Settings::of("default", storage)).unwrap();
        let mut all = objects.in_order().unwrap();
        let template = &objects.postgres.spec.as_ref().unwrap().template;
        let mut pod = objects::pod_of("postgres-0", Some(&"default".to_owned()), template);
        pod.metadata.generate_name = None;
        pod.metadata.name = Some("postgres-0".to_owned());
        all.push(Object::of(&pod).unwrap());
        let live = ALL.map(|part| {
            let is_it = |object: &&Object| object.name == part.name("default") && object.resource == part.resource();
            let mut body = all.iter().find(is_it).unwrap().body.clone();
            body["metadata"]["uid"] = "a uid".into();
            if part == Part::Set {
                body["spec"]["updateStrategy"] =
                    json!({ "type": "RollingUpdate", "rollingUpdate": { "partition": 0 } });
            }
            (part, Some(body))
        });
        live.into()
    }

    fn fields(live: &Live, part: Part) -> Value {
        let (_, object) = live.iter().find(|(of, _)| *of == part).unwrap();
        part.fields(object.as_ref().unwrap())
    }

    fn all_faults() -> impl Iterator<Item = (&'static Exercise, Fault)> {
        EXERCISES.into_iter().flat_map(|exercise| (exercise.faults)().into_iter().map(move |fault| (exercise, fault)))
    }

    #[test]
    fn each_fault_changes_the_field_that_is_the_answer_and_nothing_else() {
        let live = deployed();
        for (exercise, fault) in all_faults() {
            for part in ALL {
                let before = fields(&live, part);
                let found = differences(&before, &fault.states(part, &before).pop().unwrap());
                let paths: Vec<_> = found.iter().map(|difference| &difference.path).collect();
                // Whose claim a volume was, changes with the claim.
                if part == fault.part && !fault.steps.contains(&Step::ReplaceClaim) {
                    assert_eq!(paths, [&fault.fields[0]], "{exercise:?}");
                    assert_eq!(fault.fields[0].get(&before).is_some(), found[0].before.is_some(), "{exercise:?}");
                } else {
                    assert!(paths.is_empty(), "{exercise:?}: {part:?}: {paths:?}");
                }
            }
        }
    }

    #[test]
    fn each_step_sets_what_is_there_or_can_be_there() {
        let live = deployed();
        for (exercise, fault) in all_faults() {
            for step in &fault.steps {
                let (Step::Set { part, path, .. } | Step::Restore { part, path }) = step else { continue };
                let mut after = fields(&live, *part);
                assert!(path.set(&mut after, Some(json!("other"))), "{exercise:?}: {path}");
            }
        }
    }

    #[test]
    fn each_answer_names_a_part_of_what_is_wrong_or_the_field_around_it() {
        let live = deployed();
        for (exercise, fault) in all_faults() {
            let after = fault.states(fault.part, &fields(&live, fault.part)).pop().unwrap();
            for field in &fault.fields {
                let is_known_later = fault.steps.contains(&Step::ReplaceClaim);
                assert!(is_known_later || field.get(&after).is_some(), "{exercise:?}: {field}");
                let (one, other) = (field.to_string(), fault.fields[0].to_string());
                assert!(one.starts_with(&other) || other.starts_with(&one), "{exercise:?}: {one}");
            }
        }
    }

    #[test]
    fn the_record_does_not_tell() {
        let live = deployed();
        for (exercise, fault) in all_faults() {
            let new =
                || Record::new(exercise.number, &fault, &live, vec![], "salt".to_owned(), jiff::Timestamp::UNIX_EPOCH);
            let (_, entry) = new().entry().unwrap();
            let names = [fault.part.name("default"), fault.part.key().to_owned()];
            let values = fault.steps.iter().filter_map(|step| match step {
                Step::Set { value, .. } => value.as_ref().map(Value::to_string),
                Step::CreateSecret { name } => Some((*name).to_owned()),
                _ => None,
            });
            // Short numbers are part of hashes too.
            let values = values.filter(|value| value.len() > 5);
            for told in fault
                .fields
                .iter()
                .map(ToString::to_string)
                .chain(names)
                .chain(values)
                .chain([exercise.code.to_owned()])
            {
                assert!(!entry.contains(&told), "{exercise:?}: {told}");
            }
            assert!(new().is_object(fault.part));
            assert!(fault.fields.iter().all(|field| new().is_answer(fault.part, field)), "{exercise:?}");
        }
    }

    #[test]
    fn each_exercise_is_whole() {
        for (at, exercise) in EXERCISES.into_iter().enumerate() {
            assert_eq!(usize::from(exercise.number), at + 1);
            assert!(findings::every().any(|cause| cause.slug == exercise.code), "{exercise:?}: {}", exercise.code);
            let faults = (exercise.faults)();
            assert!(!faults.is_empty(), "{exercise:?}");
            for (at, fault) in faults.iter().enumerate() {
                assert!(!fault.fields.is_empty() && !fault.steps.is_empty(), "{exercise:?}");
                assert!(!faults[..at].contains(fault), "{exercise:?}: twice the same");
            }
        }
    }
}
