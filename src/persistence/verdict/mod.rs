//! What recorded evidence proves. Pure: the same evidence always has the same verdict, with or without a cluster. What could not
//! be asked, or was not, is neither held for proved nor against a set of whose program nothing is known: the verdict says by name
//! what it leaves open.

mod identity;
mod name;
mod output;
mod postgres;
mod replication;

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

pub use name::CheckName;
use serde::{Deserialize, Serialize};

use super::How;
use super::evidence::{DataAsked, Evidence, Moment, Turn};
use super::timeline::{Kind, Timeline};
use crate::observe::{Reading, Reason};
use crate::text::seconds;

/// Whether something is so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Holds {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// It is not known, which is neither.
    Unknown,
}

impl Display for Holds {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yes => "holds",
            Self::No => "does not hold",
            Self::Unknown => "is not known",
        })
    }
}

/// What a verdict leaves open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Open {
    /// Nobody said how to read the data.
    Data,
    /// A pod has no claim.
    Claim,
    /// Nobody could ask for a pod's name.
    Name,
    /// The end of the old server was not waited for: grace 0 does not.
    Overlap,
}

impl Display for Open {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Data => "data not checked",
            Self::Claim => "data not on a claim",
            Self::Name => "DNS not checked",
            Self::Overlap => "one server at a time not shown",
        })
    }
}

/// One thing that was to be proved, with its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What.
    pub name: CheckName,
    /// Whether it is so.
    pub holds: Holds,
    /// What shows it.
    pub evidence: String,
    /// What it leaves open. Then it is not known, and nothing hangs on it.
    pub open: Option<Open>,
}

impl Check {
    /// One that counts.
    #[must_use]
    pub fn new(name: CheckName, holds: Holds, evidence: impl Into<String>) -> Self {
        Self { name, holds, evidence: evidence.into(), open: None }
    }

    /// One that is left open.
    fn open(open: Open, name: CheckName, evidence: impl Into<String>) -> Self {
        Self { open: Some(open), ..Self::new(name, Holds::Unknown, evidence) }
    }
}

/// What evidence comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// No if one check does not hold; yes only if every one does that is not left open.
    pub holds: Holds,
    /// The pods that were stopped.
    pub pods: Vec<PodVerdict>,
    /// Whether all were that had to be.
    pub complete: Check,
}

/// What the evidence on one pod comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodVerdict {
    /// The pod's name.
    pub pod: String,
    /// As of the whole.
    pub holds: Holds,
    /// All checks, those that are left open included.
    pub checks: Vec<Check>,
}

/// What no run of this kind shows, however it ends.
pub const NOT_SHOWN: [&str; 3] = ["loss of the node", "loss of the disk", "deletion of the cluster"];

/// The same of a run in which the node went away, and came back.
const NOT_SHOWN_OF_A_NODE: [&str; 3] = ["a node that never comes back", "loss of the disk", "deletion of the cluster"];

/// What replication does not protect from, which looks as if it did.
const NOT_A_BACKUP: &str = "a dropped table (replication is no backup)";

/// What a run does not show, by how the server was stopped and whether the database is replicated.
#[must_use]
pub fn not_shown(how: How, is_replicated: bool) -> Vec<&'static str> {
    let all = if how == How::Node { NOT_SHOWN_OF_A_NODE } else { NOT_SHOWN };
    all.into_iter().chain(is_replicated.then_some(NOT_A_BACKUP)).collect()
}

/// Judges it.
#[must_use]
pub fn judge(evidence: &Evidence) -> Verdict {
    Verdict::of(evidence.turns.iter().map(|turn| of_pod(evidence, turn)).collect(), complete(evidence))
}

/// Judges one pod by itself.
#[must_use]
pub fn of_pod(evidence: &Evidence, turn: &Turn) -> PodVerdict {
    PodVerdict::of(&turn.before.pod.name, checks(evidence, turn))
}

/// What checks come to. None prove nothing.
#[must_use]
pub fn holds<'a>(checks: impl Iterator<Item = &'a Check> + Clone) -> Holds {
    let mut counted = checks.filter(|check| check.open.is_none()).map(|check| check.holds).peekable();
    if counted.peek().is_none() {
        return Holds::Unknown;
    }
    counted.fold(Holds::Yes, |all, one| match (all, one) {
        (Holds::No, _) | (_, Holds::No) => Holds::No,
        (Holds::Unknown, _) | (_, Holds::Unknown) => Holds::Unknown,
        (Holds::Yes, Holds::Yes) => Holds::Yes,
    })
}

impl PodVerdict {
    /// Of these checks.
    pub(super) fn of(pod: &str, checks: Vec<Check>) -> Self {
        Self { pod: pod.to_owned(), holds: holds(checks.iter()), checks }
    }

    /// What it leaves open.
    #[must_use]
    pub fn open(&self) -> BTreeSet<Open> {
        self.checks.iter().filter_map(|check| check.open).collect()
    }
}

impl Verdict {
    /// Of these pods.
    pub(super) fn of(pods: Vec<PodVerdict>, complete: Check) -> Self {
        let holds = holds(pods.iter().flat_map(|pod| &pod.checks).chain([&complete]));
        Self { holds, pods, complete }
    }

    /// What it leaves open.
    #[must_use]
    pub fn open(&self) -> BTreeSet<Open> {
        self.pods.iter().flat_map(PodVerdict::open).collect()
    }

    /// The verdict in a few words.
    #[must_use]
    pub fn words(&self) -> String {
        let open = self.open();
        if self.holds != Holds::Yes || open.is_empty() {
            return self.holds.to_string();
        }
        let holds = if open.contains(&Open::Data) { "identity holds" } else { "identity and data hold" };
        // What is on no claim need not be read to know that it goes with its pod.
        let is_said = |open_one: &&Open| **open_one != Open::Data || !open.contains(&Open::Claim);
        open.iter().filter(is_said).fold(holds.to_owned(), |words, open| format!("{words}, {open}"))
    }

    /// The checks that keep it from holding, each with its pod, if it is one's: those that do not hold or, if there are none,
    /// those that are not known.
    #[must_use]
    pub fn against(&self) -> Vec<(Option<&str>, &Check)> {
        let against = |(_, check): &(Option<&str>, &Check)| self.holds != Holds::Yes && check.holds == self.holds;
        self.counted().filter(against).collect()
    }

    /// The checks that count.
    fn counted(&self) -> impl Iterator<Item = (Option<&str>, &Check)> {
        let of_pods =
            self.pods.iter().flat_map(|pod| pod.checks.iter().map(move |check| (Some(pod.pod.as_str()), check)));
        // Of a single pod nothing else is to be said.
        let complete = (self.pods.len() != 1 || self.complete.holds != Holds::Yes).then_some((None, &self.complete));
        of_pods.filter(|(_, check)| check.open.is_none()).chain(complete)
    }

    /// The most important one that keeps it from holding: the first, but for data that went back to an older state or began
    /// again. Whatever else does not hold, rows above all, follows from that.
    #[must_use]
    pub fn foremost(&self) -> Option<(Option<&str>, &Check)> {
        let against = self.against();
        let goes_back = |(_, check): &(Option<&str>, &Check)| {
            check.holds == Holds::No && matches!(check.name, CheckName::Start | CheckName::LogGoesOn)
        };
        against.iter().copied().find(goes_back).or(against.first().copied())
    }

    /// What it comes to in a sentence. If it holds, who took over, the user's rows, or the pods that were stopped; else its only
    /// check against it, or how many there are and the most important one.
    #[must_use]
    pub fn conclusion(&self) -> String {
        let Some((pod, check)) = self.foremost() else {
            let last = |name| self.pods.iter().flat_map(|pod| &pod.checks).rfind(|check| check.name == name);
            let said = last(CheckName::TookOver).or(last(CheckName::YourRows)).unwrap_or(&self.complete);
            return said.evidence.clone();
        };
        let is_of_one = self.complete.holds == Holds::Yes && self.pods.iter().all(|one| Some(one.pod.as_str()) == pod);
        let of_pod = pod.filter(|_| !is_of_one).map(|pod| format!("pod/{pod}: ")).unwrap_or_default();
        let said = format!("{of_pod}{}: {}", check.name, check.evidence);
        let are = if self.holds == Holds::No { "failed" } else { "could not be made" };
        match self.against().len() {
            0 | 1 => said,
            several => format!("{several} of {} checks {are}; first: {said}", self.counted().count()),
        }
    }
}

fn checks(evidence: &Evidence, turn: &Turn) -> Vec<Check> {
    let now = match &turn.after {
        Reading::Present(now) => now,
        other => return vec![came_back(evidence, turn, other)],
    };
    let mut checks = identity::checks(evidence, turn, now);
    match &evidence.data {
        DataAsked::None => checks.push(output::not_asked(turn, now)),
        DataAsked::Output { .. } => checks.push(output::check(turn, now)),
        DataAsked::Postgres { marked, max_gap_ms, is_replicated } => {
            let of = if *is_replicated { replication::checks } else { postgres::checks };
            checks.extend(of(evidence, (*marked, *max_gap_ms), turn, now));
        }
    }
    checks
}

/// Of a pod of which there is nothing after.
fn came_back(evidence: &Evidence, turn: &Turn, after: &Reading<Moment>) -> Check {
    const NAME: CheckName = CheckName::CameBack;
    if let Reading::Unknown(reason) = after {
        return Check::new(NAME, Holds::Unknown, format!("it could not be read: {}", words(reason)));
    }
    let missing = match evidence.data {
        DataAsked::Postgres { .. } => "no query was answered in time",
        DataAsked::None | DataAsked::Output { .. } => "no pod was ready in time",
    };
    let (last, old) = (turn.timeline.last.as_ref(), &turn.before.pod);
    let goes_on = evidence.how == How::Node
        && last.is_some_and(|pod| pod.uid == old.uid && pod.container.is_some() && pod.container == old.container);
    let goes_on = if goes_on { ", in the container from before: was its node stopped?" } else { "" };
    Check::new(NAME, Holds::No, format!("{missing}; last seen: {}{goes_on}", last_seen(&turn.timeline)))
}

/// Whether each pod was stopped that was to be.
fn complete(evidence: &Evidence) -> Check {
    const NAME: CheckName = CheckName::EveryPod;
    let (planned, turns) = (&evidence.planned, &evidence.turns);
    let were = if evidence.how.replaces_pod() { "deleted" } else { "stopped" };
    let stopped: Vec<&str> = turns.iter().map(|turn| turn.before.pod.name.as_str()).collect();
    if stopped.iter().zip(planned).any(|(stopped, planned)| stopped != planned) {
        Check::new(NAME, Holds::No, format!("{} were {were}, not {}", stopped.join(", "), planned.join(", ")))
    } else if stopped.len() == planned.len() && !planned.is_empty() {
        Check::new(NAME, Holds::Yes, stopped.join(", "))
    } else {
        Check::new(NAME, Holds::Unknown, format!("{} of {} were {were}", stopped.len(), planned.len()))
    }
}

fn so(condition: bool) -> Holds {
    if condition { Holds::Yes } else { Holds::No }
}

/// Why something is not known.
#[must_use]
pub fn words(reason: &Reason) -> &str {
    match reason {
        Reason::Forbidden(_) => "you may not read it",
        Reason::Failed(why) => why,
    }
}

/// Something without which nothing else is the same; what is empty was not read.
fn same(name: CheckName, what: &str, before: &str, after: &str) -> Check {
    if before.is_empty() || after.is_empty() {
        Check::new(name, Holds::Unknown, format!("{what} could not be read"))
    } else if before == after {
        Check::new(name, Holds::Yes, format!("{what} {after}"))
    } else {
        Check::new(name, Holds::No, format!("{what} was {before}, is {after}"))
    }
}

/// How the pod was when it was seen last.
fn last_seen(timeline: &Timeline) -> String {
    let Some(pod) = &timeline.last else { return "no pod".to_owned() };
    let how = if pod.deleted_at.is_some() {
        "Terminating"
    } else if pod.node.is_none() {
        "Pending, without a node"
    } else if pod.container.is_none() {
        "not running"
    } else if pod.ready {
        "Ready"
    } else {
        "running, not ready"
    };
    let node = pod.node.as_ref().map(|node| format!(" on {node}")).unwrap_or_default();
    let waits = pod.waits.as_ref().map(|waits| format!(": {waits}")).unwrap_or_default();
    format!("pod/{} {how}{node}{waits}", pod.name)
}

/// How long a pod was away, in words.
#[must_use]
pub fn downtime(evidence: &Evidence, turn: &Turn) -> String {
    let times = evidence.downtimes().map(|(kind, words)| {
        let time = turn.timeline.after_ms(kind).map_or("not known".to_owned(), seconds);
        format!("{time} {words}")
    });
    let lost = if turn.timeline.event(Kind::Lost).is_some() { " (the watch was interrupted meanwhile)" } else { "" };
    format!("{}{lost}, since the {}", times.join(", "), evidence.how.noun())
}

/// How long several pods were away, in words.
#[must_use]
pub fn downtimes(evidence: &Evidence) -> Vec<String> {
    let turns = &evidence.turns;
    if turns.len() < 2 {
        return Vec::new();
    }
    let said = |(kind, words): (Kind, &str)| {
        let times = turns.iter().filter_map(|turn| turn.timeline.after_ms(kind)).collect();
        Some(format!("downtime {words}, {} times: {}", turns.len(), spread(times)?))
    };
    evidence.downtimes().into_iter().filter_map(said).collect()
}

/// The least, the middle and the most of some times.
#[must_use]
pub fn spread(mut all: Vec<u64>) -> Option<String> {
    all.sort_unstable();
    let middle = match all.len() {
        0 => return None,
        count if count % 2 == 1 => all[count / 2],
        count => u64::midpoint(all[count / 2 - 1], all[count / 2]),
    };
    Some(format!("min {}, median {}, max {}", seconds(*all.first()?), seconds(middle), seconds(*all.last()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_times() {
        assert_eq!(spread(vec![]), None);
        assert_eq!(spread(vec![3000, 1000, 2500]).unwrap(), "min 1.000 s, median 2.500 s, max 3.000 s");
        assert_eq!(spread(vec![1000, 2000]).unwrap(), "min 1.000 s, median 1.500 s, max 2.000 s");
    }
}
