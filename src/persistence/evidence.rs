//! What a run has recorded: everything that its verdict rests on, and nothing else.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::How;
use super::identity::{ClaimSeen, PodSeen, Server};
use super::load::{self, Load};
use super::output::Output;
use super::rows::{self, Row, Run};
use super::timeline::{Kind, Timeline};
use crate::observe::Reading;

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    pub run: Run,
    pub set: SetSeen,
    /// How its pods were stopped.
    pub how: How,
    /// The commands by which a node was stopped and started again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodeAsked>,
    /// The pods that were to be stopped, in this order.
    pub planned: Vec<String>,
    /// What was asked of their data.
    pub data: DataAsked,
    /// One for each pod that was stopped.
    pub turns: Vec<Turn>,
}

/// The `StatefulSet` whose pods were stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetSeen {
    pub name: String,
    pub uid: String,
}

/// What was run on the user's machine for the node of a pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NodeAsked {
    /// What stopped it.
    pub stop: String,
    /// What started it again.
    pub start: String,
}

/// What was asked of the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum DataAsked {
    /// Nothing: nobody said how to read it.
    None,
    /// What commands of the user print.
    Output {
        /// What was run in each pod before, to write; none if nothing was.
        write: Option<String>,
        /// What was run in each pod before and after.
        read: String,
    },
    /// The rows of the exchange, and PostgreSQL itself.
    Postgres {
        /// How many marked rows were written.
        marked: u32,
        /// The longest gap between two rows of the writer that the user allows, in milliseconds.
        max_gap_ms: Option<u64>,
        /// Whether the database is replicated: each turn stops the member that takes writes, and another one takes over.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_replicated: bool,
    },
}

/// One pod, from before it was stopped to after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Turn {
    /// When its end was asked for, by this machine's clock.
    pub asked_at: Timestamp,
    /// The container in which the user's commands were run; none if none were.
    pub container: Option<String>,
    /// Everything before.
    pub before: Moment,
    /// Everything after; absent if it did not come back in time.
    pub after: Reading<Moment>,
    /// What was seen meanwhile.
    pub timeline: Timeline,
    /// What the names lead to, once they lead to the new pod. Unknown where nobody could ask.
    pub name: Reading<NameAnswer>,
    /// Why they did not, the last time, if they ever did not.
    pub name_error: Option<String>,
    /// The lines of PostgreSQL's log that say how it started.
    pub log: Reading<Vec<String>>,
    /// What a writer has done meanwhile, if there was one.
    pub load: Reading<Load>,
    /// Who takes writes after, in a replicated database.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub takeover: Reading<Takeover>,
}

/// The member that takes writes once the one that was stopped is back, and what is known from there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Takeover {
    /// Its pod.
    pub pod: String,
    /// Its server, with all rows. It was read before the member that came back was.
    pub database: Database,
    /// What the name of the pod that was stopped leads to, once it leads to the new one.
    pub name: Reading<Resolved>,
}

/// A pod and what it has, at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Moment {
    pub pod: PodSeen,
    /// The claims that it names; of the exchange's, the one that its data directory is on.
    pub claims: Vec<Claimed>,
    pub data: Data,
}

/// A claim that a pod names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claimed {
    /// Its name, as the pod has it.
    pub name: String,
    pub claim: Reading<ClaimSeen>,
    /// The UID of the claim's volume.
    pub volume: Reading<String>,
}

/// What was read in a pod.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Data {
    /// Nothing was.
    None,
    /// What the user's command printed.
    Output(Reading<Output>),
    /// PostgreSQL, and the rows in it.
    Postgres(Box<Database>),
}

/// PostgreSQL, and the rows of the exchange.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Database {
    pub server: Server,
    /// All rows of the table, marked ones included; absent if there is no table.
    pub rows: Reading<Vec<Row>>,
}

/// What a client finds under the names of a pod.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NameAnswer {
    /// The pod that asked.
    pub from: String,
    /// Each name that was asked for, the one that applications use first.
    pub names: Vec<Resolved>,
    /// The start of the server that answered by the first of them, if one was asked.
    pub start: Option<String>,
    /// The pod of that server, if it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod: Option<String>,
    /// What failed before, each once.
    pub errors: Vec<String>,
}

/// What is answered for a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resolved {
    pub name: String,
    /// Its addresses; none if there is no such name.
    pub addresses: Vec<String>,
}

impl Resolved {
    /// Whether the name leads to a pod with these addresses, and nowhere else.
    #[must_use]
    pub fn leads_to(&self, addresses: &[String]) -> bool {
        !self.addresses.is_empty() && self.addresses.iter().all(|address| addresses.contains(address))
    }
}

impl Data {
    /// The database, if that was read.
    #[must_use]
    pub fn database(&self) -> Option<&Database> {
        match self {
            Self::Postgres(database) => Some(database),
            Self::None | Self::Output(_) => None,
        }
    }
}

impl Moment {
    /// All rows of the table, if they were read.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.data.database().and_then(|database| database.rows.present()).into_iter().flatten()
    }
}

impl Evidence {
    /// Whether each turn stops another pod.
    #[must_use]
    pub fn has_several_pods(&self) -> bool {
        self.planned.iter().any(|pod| Some(pod) != self.planned.first())
    }

    /// The two times for which something was away: from when it was stopped until this was seen, and what that is in words.
    #[must_use]
    pub fn downtimes(&self) -> [(Kind, &'static str); 2] {
        match self.data {
            DataAsked::Postgres { is_replicated: true, .. } => {
                [(Kind::AnsweredByName, "as an application sees it"), (Kind::Answered, "until the member is back")]
            }
            DataAsked::Postgres { .. } => [(Kind::Answered, "in the pod"), (Kind::AnsweredByName, "by the name")],
            DataAsked::None | DataAsked::Output { .. } => {
                [(Kind::Ready, "until Ready"), (Kind::Resolved, "by the name")]
            }
        }
    }

    /// Whether the turns stop members of a replicated database.
    #[must_use]
    pub fn is_replicated(&self) -> bool {
        matches!(self.data, DataAsked::Postgres { is_replicated: true, .. })
    }

    /// Whether a row is a marked one, and none of a writer.
    #[must_use]
    pub fn is_marked(&self, row: &Row) -> bool {
        self.run.wrote(&row.id) && load::number(&self.run, &row.id).is_none()
    }

    /// Whether a row is the user's: neither this run's nor one that another run deletes.
    #[must_use]
    pub fn is_the_users(&self, row: &Row) -> bool {
        !self.run.wrote(&row.id) && !rows::is_passing(&row.id)
    }

    /// The marked rows before a turn.
    pub fn marked_before<'a>(&'a self, turn: &'a Turn) -> impl Iterator<Item = &'a Row> {
        turn.before.rows().filter(|row| self.is_marked(row))
    }

    /// The user's rows before a turn.
    pub fn users_before<'a>(&'a self, turn: &'a Turn) -> impl Iterator<Item = &'a Row> {
        turn.before.rows().filter(|row| self.is_the_users(row))
    }
}
