//! What a cause is, what it judges, and what it finds.

use std::fmt::{self, Debug, Formatter};

use jiff::Timestamp;
use kube::core::ObjectMeta;
use serde::{Serialize, Serializer};

use super::mend::Mend;
use crate::exchange::names;
use crate::kubernetes::ByHand;
use crate::observe::Snapshot;
use crate::observe::details::Details;
use crate::observe::logs::Run;
use crate::text::Hint;

/// What is judged.
#[derive(Clone, Copy, Debug)]
pub struct Observed<'a> {
    /// Round 1.
    pub snapshot: &'a Snapshot,
    /// Round 2.
    pub details: &'a Details,
    pub namespace: &'a str,
    /// What a hint's command needs to lead there.
    pub by_hand: &'a ByHand,
    /// The time at which it was read.
    pub now: Timestamp,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Why.
    #[serde(flatten)]
    pub cause: &'static Cause,
    /// How much it weighs.
    pub weight: Weight,
    /// What it concerns, as the value of the label `app`; empty for the exchange as a whole.
    pub app: &'static str,
    /// The object, as kubectl names it.
    pub object: String,
    /// What is the matter.
    pub says: String,
    /// What helps, or shows more.
    pub hint: Hint,
}

/// The database as an object: as if kubectl named it.
const DATABASE: &str = "database/kubecoin";

impl Finding {
    /// What mends it and loses no data, if there is such an act.
    #[must_use]
    pub fn mend(&self, observed: &Observed) -> Option<Mend> {
        self.cause.mend?(observed, self)
    }

    /// What does not get better by itself, and is of the database as a whole.
    pub(super) fn of_database(cause: &'static Cause, says: impl Into<String>, hint: impl Into<Hint>) -> Self {
        let (object, says, hint) = (DATABASE.to_owned(), says.into(), hint.into());
        Self { cause, weight: Weight::Problem, app: names::POSTGRES, object, says, hint }
    }
}

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Weight {
    /// It does not get better by itself.
    Problem,
    /// It takes its time.
    NotYet,
    /// It could not be read. That makes nothing else unhealthy.
    Unknown,
    /// It works, and will do harm one day.
    Warning,
    /// It takes its time, and meanwhile requests are answered.
    Ongoing,
    /// It works, and is worth knowing.
    Info,
}

impl Weight {
    /// Whether it speaks against the exchange as it is now.
    #[must_use]
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Problem | Self::NotYet)
    }
}

/// A cause that was found, with what it brings about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    #[serde(flatten)]
    pub finding: Finding,
    /// What goes away with it.
    pub consequences: Vec<Finding>,
}

/// A cause of trouble. Each has a file of its own below `causes`, with its text beside it.
pub struct Cause {
    /// `KC010`: it never changes, and is never used for another cause.
    pub id: &'static str,
    /// A word for it, as stable: `claim-unbound`.
    pub slug: &'static str,
    /// What is the matter, in a few words.
    pub title: &'static str,
    /// What it means, how it comes about, how to see it by hand, and how to mend it: Markdown.
    pub text: &'static str,
    /// What it brings about: of the same app, or of the whole exchange, that is no finding of its own.
    pub(super) explains: &'static [&'static Cause],
    /// What is read in round 2 for its sake.
    pub(super) needs: &'static [Need],
    /// What mends what is found, if that is safe; none if it is not so for this finding.
    pub(super) mend: Option<fn(&Observed, &Finding) -> Option<Mend>>,
    /// Where it is found.
    pub(super) judge: fn(&Observed) -> Vec<Finding>,
}

/// What a cause needs to be read beside the objects themselves.
#[derive(Clone, Copy)]
pub enum Need {
    /// What the cluster has said of these objects.
    Events(fn(&Snapshot) -> Vec<&ObjectMeta>),
    /// What the database says of itself.
    Database,
    /// What came of a request by the page's own way.
    Path,
    /// What pods are given by Secrets and the like.
    Configuration,
    /// The last words of containers that crash. Only where all around is looked at.
    Logs(fn(&Snapshot) -> Vec<Run>),
    /// The disruption budgets of the namespace. Only where all around is looked at.
    Budgets,
    /// The network policies of the namespace. Only where all around is looked at.
    Policies,
    /// The nodes of the cluster.
    Nodes,
    /// The `StorageClasses` of the cluster.
    Classes,
    /// What DNS answers in a pod.
    Names,
    /// The server's version. Only where all around is looked at.
    Version,
}

impl Cause {
    /// What it brings about, and so hides where both are found, in the order of their ids.
    #[must_use]
    pub fn consequences(&self) -> Vec<&'static Self> {
        let mut all = self.explains.to_vec();
        all.sort_by_key(|other| other.id);
        all
    }

    /// Whether this one brings the other about.
    pub(super) fn explains(&self, other: &Self) -> bool {
        self.explains.contains(&other)
    }
}

impl PartialEq for Cause {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Cause {}

impl Debug for Cause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.slug)
    }
}

/// By its names and its title.
impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Names {
            id: &'static str,
            code: &'static str,
            title: &'static str,
        }
        Names { id: self.id, code: self.slug, title: self.title }.serialize(serializer)
    }
}

/// Whether nothing is the matter, as far as could be read.
#[must_use]
pub fn healthy(findings: &[Finding]) -> bool {
    !findings.iter().any(|finding| finding.weight.is_bad())
}
