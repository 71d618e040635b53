//! What is shown of every exchange.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::StatefulSet;
use kube::ResourceExt;
use serde::Serialize;

use crate::commands::shared::look::Look;
use crate::commands::status::report::age;
use crate::findings::{Finding, Health};
use crate::lesson::exercise::{self, EXERCISES};
use crate::lesson::results::{Answer, Results};
use crate::lesson::{self, QUESTIONS};
use crate::observe::details::Details;
use crate::observe::path::Path;
use crate::observe::{Reading, readiness};
use crate::output::{Column, Table};
use crate::persistence::proof::Proof;
use crate::persistence::verdict::Holds;
use crate::text::{duration, one_line};

const COLUMNS: [Column; 10] = [
    Column::always("NAMESPACE"),
    Column::always("HEALTH"),
    Column::wide("FINDING"),
    Column::always("READY"),
    Column::wide("TABLE"),
    Column::wide("WALLETS"),
    Column::always("LESSON"),
    Column::always("EXERCISE"),
    Column::always("LAST-PROOF"),
    Column::always("AGE"),
];

/// All exchanges of a cluster.
#[derive(Debug, Serialize)]
pub struct Board {
    pub items: Vec<Exchange>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exchange {
    pub namespace: String,
    /// How it is, in one word.
    pub health: Health,
    /// The first thing that is the matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<Finding>,
    ready: i32,
    desired: i32,
    complete: bool,
    /// Whether it has its table.
    table: Reading<bool>,
    /// How many wallets it has, if it was asked.
    wallets: Option<u64>,
    /// What came of each question of the lesson that was tried, by its number. Its owner can write anything there.
    lesson: Reading<BTreeMap<u8, Answer>>,
    /// What came of each exercise that was tried, by its number. Its owner can write anything there too.
    exercises: Reading<BTreeMap<u8, Answer>>,
    /// The number of the exercise that runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    exercise: Option<u8>,
    /// The last verdict of `persistence-demo`, if there is one.
    last_proof: Option<Proof>,
    created_at: Option<Timestamp>,
}

/// What came of each question that was tried in a namespace.
pub fn answers_in(lessons: &Reading<BTreeMap<String, Results>>, namespace: &str) -> Reading<BTreeMap<u8, Answer>> {
    lessons.map(|all| all.get(namespace).map(lesson::answers).unwrap_or_default())
}

/// What came of each exercise that was tried in a namespace.
pub fn exercises_in(lessons: &Reading<BTreeMap<String, Results>>, namespace: &str) -> Reading<BTreeMap<u8, Answer>> {
    lessons.map(|all| all.get(namespace).map(exercise::answers).unwrap_or_default())
}

impl Exchange {
    /// Without what came of the questions.
    pub fn new(set: &StatefulSet, look: &Look) -> Self {
        let database = &look.details.database;
        Self {
            namespace: set.namespace().unwrap_or_default(),
            health: look.health,
            finding: look.findings().into_iter().next(),
            ready: set.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0),
            desired: set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
            complete: readiness::statefulset(set),
            table: table(&look.details),
            wallets: database.present().and_then(|database| database.rows),
            lesson: Reading::NotAsked,
            exercises: Reading::NotAsked,
            exercise: None,
            last_proof: Proof::of(set.annotations()),
            created_at: set.metadata.creation_timestamp.as_ref().map(|time| time.0),
        }
    }

    /// With what came of the questions and exercises in its namespace.
    pub fn with_answers(self, lessons: &Reading<BTreeMap<String, Results>>) -> Self {
        let (lesson, exercises) = (answers_in(lessons, &self.namespace), exercises_in(lessons, &self.namespace));
        Self { lesson, exercises, ..self }
    }

    /// With the exercise that runs in its namespace. Its cause is not told, unless the user wants to be told.
    pub fn with_exercise(self, running: &BTreeMap<String, u8>, spoil: bool) -> Self {
        let exercise = running.get(&self.namespace).copied();
        let finding = if exercise.is_none() || spoil { self.finding } else { None };
        Self { finding, exercise, ..self }
    }

    /// How many questions are answered; empty if none was tried.
    fn answered(&self) -> String {
        how_many(&self.lesson, QUESTIONS.len())
    }

    /// How many exercises are solved, and which one runs; empty if none was tried and none runs.
    fn solved(&self) -> String {
        let solved = how_many(&self.exercises, EXERCISES.len());
        let running = self.exercise.map(|number| format!("({number})"));
        [solved, running.unwrap_or_default()].join(" ").trim().to_owned()
    }

    /// The exercises in a few words: nothing if none was tried and none runs.
    fn exercises(&self) -> String {
        let solved = how_many(&self.exercises, EXERCISES.len());
        let solved = if solved.is_empty() { String::new() } else { format!("; exercises {solved}") };
        let running = self.exercise.map(|number| format!("; exercise {number} runs"));
        solved + &running.unwrap_or_default()
    }

    /// It in one line, which is another one only if something has happened.
    fn summary(&self) -> String {
        let Self { namespace, health, ready, desired, .. } = self;
        let answered = match self.answered() {
            nothing if nothing.is_empty() => "not begun".to_owned(),
            answered => answered,
        };
        let proof = self.last_proof.map(|proof| format!("; last proof {} at {}", proof.holds, proof.at));
        let finding = self.finding.as_ref().map(|it| format!("; {} {} {}", it.cause.id, it.object, it.says));
        let words = [Some(self.exercises()), proof, finding].map(Option::unwrap_or_default).concat();
        one_line(&format!("{namespace}: {}; ready {ready}/{desired}; lesson {answered}{words}", health.words()))
    }
}

/// Whether it has its table: what the database says or, if that was not asked, what the backend has seen of it.
fn table(details: &Details) -> Reading<bool> {
    let by_the_backend = details.path.present().and_then(Path::has_table);
    match (&details.database, by_the_backend) {
        (Reading::NotAsked, Some(has_table)) => Reading::Present(has_table),
        (database, _) => database.map(|database| database.locked || database.columns.is_some()),
    }
}

/// How many of all are done; empty if none was tried.
fn how_many(answers: &Reading<BTreeMap<u8, Answer>>, all: usize) -> String {
    match answers {
        Reading::Present(answers) if !answers.is_empty() => {
            let done = answers.values().filter(|answer| answer.holds == Holds::Yes).count();
            format!("{done}/{all}")
        }
        Reading::Unknown(_) => "unknown".to_owned(),
        Reading::Present(_) | Reading::Absent | Reading::NotAsked => String::new(),
    }
}

impl Board {
    pub fn table(&self, wide: bool, now: Timestamp) -> String {
        let mut table = Table::new(&COLUMNS, wide);
        for exchange in &self.items {
            let has_table = match exchange.table {
                Reading::Present(true) => "yes",
                Reading::Present(false) => "no",
                Reading::Unknown(_) => "unknown",
                Reading::Absent | Reading::NotAsked => "",
            };
            table.row([
                exchange.namespace.clone(),
                exchange.health.word().to_owned(),
                exchange.finding.as_ref().map(|finding| finding.cause.id.to_owned()).unwrap_or_default(),
                format!("{}/{}", exchange.ready, exchange.desired),
                has_table.to_owned(),
                exchange.wallets.map(|wallets| wallets.to_string()).unwrap_or_default(),
                exchange.answered(),
                exchange.solved(),
                exchange.last_proof.map(|proof| proof.words(now)).unwrap_or_default(),
                age(exchange.created_at, now).map(duration).unwrap_or_default(),
            ]);
        }
        table.text()
    }

    /// Each in one line, by its namespace.
    pub fn summaries(&self) -> BTreeMap<String, String> {
        self.items.iter().map(|exchange| (exchange.namespace.clone(), exchange.summary())).collect()
    }
}

/// What has changed between two times, a line each: what is there, and then what is no longer.
pub fn changes(before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Vec<String> {
    let other = now.iter().filter(|(namespace, summary)| before.get(*namespace) != Some(*summary));
    let gone = before.keys().filter(|namespace| !now.contains_key(*namespace));
    other.map(|(_, summary)| summary.clone()).chain(gone.map(|namespace| format!("{namespace}: deleted"))).collect()
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::observe::Reason;
    use crate::persistence::How;

    const NOW: &str = "2026-11-24T02:05:00Z";

    fn at(minute: u8) -> Timestamp {
        format!("2026-11-24T02:0{minute}:00Z").parse().unwrap()
    }

    fn answers(all: &[(u8, Holds)]) -> Reading<BTreeMap<u8, Answer>> {
        let answer = |holds| Answer { holds, at: at(0), evidence: "sha256:00".to_owned() };
        Reading::Present(all.iter().map(|(number, holds)| (*number, answer(*holds))).collect())
    }

    pub fn alice() -> Exchange {
        Exchange {
            namespace: "alice".to_owned(),
            health: Health::Healthy,
            finding: None,
            ready: 1,
            desired: 1,
            complete: true,
            table: Reading::Present(true),
            wallets: Some(12),
            lesson: answers(&[(5, Holds::Yes), (3, Holds::Yes), (1, Holds::No)]),
            exercises: answers(&[]),
            exercise: None,
            last_proof: Some(Proof { holds: Holds::Yes, at: at(0), how: How::Delete }),
            created_at: Some(at(0)),
        }
    }

    fn rows(exchange: Exchange, wide: bool) -> Vec<Vec<String>> {
        let table = Board { items: vec![exchange] }.table(wide, NOW.parse().unwrap());
        assert!(wide || table.lines().all(|line| line.len() <= 80), "{table}");
        table
            .lines()
            .map(|line| line.split("   ").map(|cell| cell.trim().to_owned()).filter(|cell| !cell.is_empty()).collect())
            .collect()
    }

    #[test]
    fn the_table_says_how_far_the_lesson_is() {
        let [headings, row] = &rows(alice(), false)[..] else { panic!("two lines") };
        assert_eq!(headings, &["NAMESPACE", "HEALTH", "READY", "LESSON", "EXERCISE", "LAST-PROOF", "AGE"]);
        assert_eq!(row, &["alice", "Healthy", "1/1", "2/5", "<none>", "holds 5m ago", "5m"]);
        assert_eq!(
            rows(alice(), true)[1],
            ["alice", "Healthy", "<none>", "1/1", "yes", "12", "2/5", "<none>", "holds 5m ago", "5m"]
        );
        for (lesson, cell) in [
            (answers(&[]), "<none>"),
            (answers(&[(1, Holds::Unknown)]), "0/5"),
            (Reading::Unknown(Reason::Forbidden("no".to_owned())), "unknown"),
        ] {
            assert_eq!(rows(Exchange { lesson, ..alice() }, false)[1][3], cell);
        }
    }

    #[test]
    fn the_table_says_which_exercises_are_solved_and_which_runs() {
        let running = BTreeMap::from([("alice".to_owned(), 2)]);
        let solved = Exchange { exercises: answers(&[(1, Holds::Yes), (2, Holds::No)]), ..alice() };
        let all = EXERCISES.len();
        for (exchange, cell) in [
            (solved.clone(), format!("1/{all}")),
            (solved.clone().with_exercise(&running, false), format!("1/{all} (2)")),
            (alice().with_exercise(&running, false), "(2)".to_owned()),
            (alice().with_exercise(&BTreeMap::new(), false), "<none>".to_owned()),
        ] {
            assert_eq!(rows(exchange, false)[1][4], cell);
        }
        let said = solved.with_exercise(&running, false).summary();
        assert!(
            said.starts_with(&format!("alice: healthy; ready 1/1; lesson 2/5; exercises 1/{all}; exercise 2 runs; "))
        );
    }

    #[test]
    fn the_cause_of_an_exercise_is_not_told_unless_asked_for() {
        let finding = Finding {
            cause: crate::findings::ALL[0],
            weight: crate::findings::Weight::Problem,
            app: "postgres",
            object: "pod/postgres-0".to_owned(),
            says: "is gone".to_owned(),
            hint: "wait".into(),
        };
        let broken = Exchange { finding: Some(finding), ..alice() };
        let running = BTreeMap::from([("alice".to_owned(), 2)]);
        assert_eq!(broken.clone().with_exercise(&running, false).finding, None);
        assert!(broken.clone().with_exercise(&running, true).finding.is_some());
        assert!(broken.with_exercise(&BTreeMap::new(), false).finding.is_some());
    }

    #[test]
    fn what_is_known_of_others_is_not_known_of_a_namespace() {
        let answer = r#"{"holds":"yes","at":"2026-11-24T02:00:00Z","evidence":"sha256:00"}"#;
        let kept = serde_json::json!({ "data": { "question-1": answer, "question-9": answer } });
        let results = Results::from(&serde_json::from_value(kept).unwrap());
        let lessons = Reading::Present([("alice".to_owned(), results)].into());
        assert_eq!(answers_in(&lessons, "alice"), answers(&[(1, Holds::Yes)]));
        assert_eq!(answers_in(&lessons, "bob"), answers(&[]));
        let unknown = Reading::Unknown(Reason::Failed("no".to_owned()));
        assert_eq!(answers_in(&unknown, "alice"), Reading::Unknown(Reason::Failed("no".to_owned())));
    }

    #[test]
    fn only_what_has_changed_is_said_again() {
        let board = |items: &[Exchange]| Board { items: items.to_vec() }.summaries();
        let begun = Exchange { lesson: answers(&[]), last_proof: None, ..alice() };
        let bob = Exchange { namespace: "bob".to_owned(), ..begun.clone() };
        let (first, second) = (board(&[begun.clone(), bob.clone()]), board(&[alice(), bob]));
        assert_eq!(changes(&BTreeMap::new(), &board(&[begun])), ["alice: healthy; ready 1/1; lesson not begun"]);
        let said = ["alice: healthy; ready 1/1; lesson 2/5; last proof holds at 2026-11-24T02:00:00Z"];
        assert_eq!(changes(&first, &second), said);
        assert_eq!(changes(&second, &second), [""; 0]);
        assert_eq!(changes(&second, &board(&[alice()])), ["bob: deleted"]);
    }
}
