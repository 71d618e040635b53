//! What a run has recorded: everything that its verdict rests on, and nothing else.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::How;
use super::identity::Identity;
use super::load::{self, Load};
use super::rows::{self, Row, Run};
use super::timeline::{Kind, Timeline};
use crate::observe::Reading;

/// One replacement of the server, from before to after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cycle {
    pub run: Run,
    /// How the server was taken away.
    pub how: How,
    /// When it was asked for, by this machine's clock.
    pub asked_at: Timestamp,
    /// How many marked rows were written.
    pub marked: u32,
    /// Everything before.
    pub before: Moment,
    /// Everything after; absent if the server did not come back in time.
    pub after: Reading<Moment>,
    /// What was seen meanwhile.
    pub timeline: Timeline,
    /// The lines of PostgreSQL's log that say how it started.
    pub log: Reading<Vec<String>>,
    /// What the headless name answers to the backend.
    pub name: Reading<NameAnswer>,
    /// Why it did not, the last time, if it ever did not. Earlier reports do not say.
    pub name_error: Option<String>,
    /// What a writer has done meanwhile, if there was one.
    pub load: Reading<Load>,
    /// The longest gap between two rows of the writer that the user allows, in milliseconds.
    pub max_gap_ms: Option<u64>,
}

/// Identities and rows at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Moment {
    /// The identities.
    pub identity: Identity,
    /// All rows of the table, marked ones included; absent if there is no table.
    pub rows: Reading<Vec<Row>>,
}

/// What a client finds under the headless name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NameAnswer {
    /// The pod that asked.
    pub from: String,
    pub name: String,
    /// The addresses it had when the new server answered.
    pub addresses: Vec<String>,
    /// The pod's own name below it.
    pub pod_name: String,
    /// The addresses that one had.
    pub pod_addresses: Vec<String>,
    /// The start of the server that answered.
    pub start: String,
    /// What failed before, each once.
    pub errors: Vec<String>,
}

impl Cycle {
    /// Whether a row is a marked one, and none of a writer.
    #[must_use]
    pub fn marked(&self, row: &Row) -> bool {
        self.run.wrote(&row.id) && load::number(&self.run, &row.id).is_none()
    }

    /// How long no query was answered in the pod, in milliseconds since the replacement was asked for.
    #[must_use]
    pub fn downtime_ms(&self) -> Option<u64> {
        self.timeline.after_ms(Kind::Answered)
    }

    /// The same for a client that uses the name.
    #[must_use]
    pub fn downtime_by_name_ms(&self) -> Option<u64> {
        self.timeline.after_ms(Kind::AnsweredByName)
    }

    /// Whether a row is the user's: neither this run's nor one that another run takes away.
    #[must_use]
    pub fn others(&self, row: &Row) -> bool {
        !self.run.wrote(&row.id) && !rows::is_passing(&row.id)
    }

    /// The user's rows, before.
    pub fn others_before(&self) -> impl Iterator<Item = &Row> {
        rows_of(&self.before).filter(|row| self.others(row))
    }

    /// The marked rows, before.
    pub fn marked_before(&self) -> impl Iterator<Item = &Row> {
        rows_of(&self.before).filter(|row| self.marked(row))
    }
}

fn rows_of(moment: &Moment) -> impl Iterator<Item = &Row> {
    moment.rows.present().into_iter().flatten()
}
