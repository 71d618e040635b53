//! What a topic shows of the objects: facts with the fields that say so, and tables where things are compared.

use serde::Serialize;

use crate::observe::{Reading, Reason};

/// A piece of what a topic shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Shown {
    Fact(Fact),
    Table(Table),
}

/// What is so of an object, and by which of its fields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Fact {
    /// As kubectl names it: `service/backend-service`.
    pub object: String,
    /// What is so: it goes on after the object's name.
    pub says: String,
    /// The fields that say so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Field>,
}

/// A field of an object, and its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    pub path: &'static str,
    /// None if the field is not set.
    pub value: Option<String>,
}

/// Things side by side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Table {
    pub columns: &'static [&'static str],
    pub rows: Vec<Vec<String>>,
}

impl Fact {
    /// What is so of an object.
    pub fn new(object: impl Into<String>, says: impl Into<String>) -> Self {
        Self { object: object.into(), says: says.into(), because: Vec::new() }
    }

    /// The same with one more field that says so.
    #[must_use]
    pub fn because(mut self, path: &'static str, value: impl Into<String>) -> Self {
        self.because.push(Field { path, value: Some(value.into()) });
        self
    }

    /// The same with a field that is not set.
    #[must_use]
    pub fn because_unset(mut self, path: &'static str) -> Self {
        self.because.push(Field { path, value: None });
        self
    }

    /// The same with a field that may be set.
    #[must_use]
    pub fn because_of(self, path: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.because(path, value),
            None => self.because_unset(path),
        }
    }
}

impl From<Fact> for Shown {
    fn from(fact: Fact) -> Self {
        Self::Fact(fact)
    }
}

impl From<Table> for Shown {
    fn from(table: Table) -> Self {
        Self::Table(table)
    }
}

/// The pods, as an object that was read.
pub const PODS: &str = "the list of pods";

/// What is shown of an object that was read. One that is not there, or could not be read, is named with the reason.
pub fn of<T>(object: &str, reading: &Reading<T>, shows: impl FnOnce(&T) -> Vec<Shown>) -> Vec<Shown> {
    match reading {
        Reading::Present(value) => shows(value),
        other => vec![Fact::new(object, missing(other)).into()],
    }
}

/// Why there is nothing to show of an object.
fn missing<T>(reading: &Reading<T>) -> String {
    match reading {
        Reading::Unknown(Reason::Forbidden(_)) => "is not known: you may not read it".to_owned(),
        Reading::Unknown(Reason::Failed(why)) => format!("is not known: {why}"),
        Reading::Absent => "does not exist".to_owned(),
        Reading::Present(_) | Reading::NotAsked => "was not read".to_owned(),
    }
}
