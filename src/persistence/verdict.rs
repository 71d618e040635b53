//! What recorded evidence proves. Pure: the same evidence always has the same verdict, with or without a cluster.

use std::fmt::{self, Display, Formatter};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::How;
use super::evidence::{Cycle, Moment};
use super::identity::{ClaimSeen, Identity, PodSeen, SAFE};
use super::load::Fate;
use super::recovery::{self, Start};
use super::rows;
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

/// One thing that was to be proved, with its evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What: a short name.
    pub name: String,
    /// Whether it is so.
    pub holds: Holds,
    /// What shows it.
    pub evidence: String,
}

/// What evidence comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// No if one check does not hold; yes only if every one does.
    pub holds: Holds,
    pub checks: Vec<Check>,
}

impl Verdict {
    /// Of these checks. No check proves nothing.
    #[must_use]
    pub fn of(checks: Vec<Check>) -> Self {
        let any = |holds: Holds| checks.iter().any(|check| check.holds == holds);
        let holds = if any(Holds::No) {
            Holds::No
        } else if any(Holds::Unknown) || checks.is_empty() {
            Holds::Unknown
        } else {
            Holds::Yes
        };
        Self { holds, checks }
    }

    /// The checks that keep it from holding: those that do not hold or, if there are none, those that are not known.
    #[must_use]
    pub fn against(&self) -> Vec<&Check> {
        self.checks.iter().filter(|check| self.holds != Holds::Yes && check.holds == self.holds).collect()
    }

    /// The most important of them: the first one, but for data that went back to an older state or began anew. Whatever else
    /// does not hold, rows above all, follows from that.
    #[must_use]
    pub fn foremost(&self) -> Option<&Check> {
        let against = self.against();
        let goes_back =
            |check: &&Check| check.holds == Holds::No && matches!(check.name.as_str(), "start" | "log goes on");
        against.iter().copied().find(goes_back).or(against.first().copied())
    }

    /// What it comes to in a sentence: the user's rows if it holds, else what keeps it from that.
    #[must_use]
    pub fn conclusion(&self) -> String {
        if let Some(check) = self.foremost() {
            let said = format!("{}: {}", check.name, check.evidence);
            counted(self.holds, self.against().len(), self.checks.len(), &said)
        } else {
            let yours = self.checks.iter().find(|check| check.name == "your rows");
            yours.map(|check| check.evidence.clone()).unwrap_or_default()
        }
    }
}

/// What keeps a verdict from holding, in a sentence: its only check, or how many there are and the most important one.
pub(super) fn counted(holds: Holds, against: usize, all: usize, foremost: &str) -> String {
    let are = if holds == Holds::No { "failed" } else { "could not be made" };
    if against > 1 { format!("{against} of {all} checks {are}; first: {foremost}") } else { foremost.to_owned() }
}

/// What no run of this kind shows, however it ends.
pub const NOT_SHOWN: [&str; 3] = ["loss of the node", "loss of the disk", "deletion of the cluster"];

/// Judges one replacement.
#[must_use]
pub fn judge(cycle: &Cycle) -> Verdict {
    let after = match &cycle.after {
        Reading::Present(after) => after,
        Reading::Unknown(reason) => {
            return Verdict::of(vec![check(
                "came back",
                Holds::Unknown,
                format!("it could not be read: {}", words(reason)),
            )]);
        }
        Reading::Absent | Reading::NotAsked => return Verdict::of(vec![did_not_come_back(cycle)]),
    };
    let (before, now) = (&cycle.before.identity, &after.identity);
    let mut checks = pods(cycle, now);
    checks.push(claim(&before.claim, &now.claim));
    checks.push(volume((&before.claim, &before.volume), (&now.claim, &now.volume)));
    checks.extend([
        same("same database", "system identifier", &before.server.system, &now.server.system),
        directory(before, now),
    ]);
    checks.extend(all_rows(cycle, after));
    checks.extend(under_load(cycle, after));
    checks.extend([
        name(cycle, now),
        one_server(cycle.how, &cycle.timeline, &now.pod, &now.server.lock),
        started(cycle),
        wal(before, now),
        settings(now),
    ]);
    Verdict::of(checks)
}

pub(super) fn check(name: &str, holds: Holds, evidence: impl Into<String>) -> Check {
    Check { name: name.to_owned(), holds, evidence: evidence.into() }
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
pub(super) fn same(name: &str, what: &str, before: &str, after: &str) -> Check {
    if before.is_empty() || after.is_empty() {
        check(name, Holds::Unknown, format!("{what} could not be read"))
    } else if before == after {
        check(name, Holds::Yes, format!("{what} {after}"))
    } else {
        check(name, Holds::No, format!("{what} was {before}, is {after}"))
    }
}

fn did_not_come_back(cycle: &Cycle) -> Check {
    check("came back", Holds::No, format!("no query was answered in time; last seen: {}", last_seen(&cycle.timeline)))
}

/// How the pod was when it was seen last.
pub(super) fn last_seen(timeline: &Timeline) -> String {
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

fn pods(cycle: &Cycle, now: &Identity) -> Vec<Check> {
    let (old, new) = (&cycle.before.identity.pod, &now.pod);
    let mut checks = vec![same("same name", "pod", &old.name, &new.name)];
    if cycle.how.replaces_pod() {
        checks.push(new_pod(&cycle.timeline, old, new));
        checks.push(same("same owner", "statefulset uid", text(old.owner.as_ref()), text(new.owner.as_ref())));
    } else {
        checks.push(if old.uid != new.uid {
            check("same pod", Holds::No, format!("uid {} → {}", old.uid, new.uid))
        } else if new.restarts == old.restarts + 1 {
            check("same pod", Holds::Yes, format!("uid {}, restarts {} → {}", new.uid, old.restarts, new.restarts))
        } else {
            check("same pod", Holds::No, format!("restarts {} → {}, not one more", old.restarts, new.restarts))
        });
    }
    let (before, after) = (&cycle.before.identity.server.start, &now.server.start);
    checks.push(if before == after {
        check("new server", Holds::No, format!("the server of {} still runs", now.server.started_at))
    } else {
        check("new server", Holds::Yes, format!("started {}", now.server.started_at))
    });
    checks
}

/// Whether another pod took the place of the old one, and no third one that of the new one.
pub(super) fn new_pod(timeline: &Timeline, old: &PodSeen, new: &PodSeen) -> Check {
    const NAME: &str = "new pod";
    if old.uid == new.uid {
        check(NAME, Holds::No, format!("uid {} is the old one's", new.uid))
    } else if timeline.successor.as_ref().is_some_and(|uid| *uid != new.uid) {
        check(NAME, Holds::No, "someone replaced the new pod again")
    } else {
        check(NAME, Holds::Yes, format!("uid {} → {}", old.uid, new.uid))
    }
}

pub(super) fn text(value: Option<&String>) -> &str {
    value.map_or("", String::as_str)
}

pub(super) fn claim(before: &Reading<ClaimSeen>, now: &Reading<ClaimSeen>) -> Check {
    const NAME: &str = "same claim";
    match (before, now) {
        (Reading::Present(old), Reading::Present(new)) if old.uid == new.uid && !new.uid.is_empty() => {
            check(NAME, Holds::Yes, format!("pvc/{} uid {}", new.name, new.uid))
        }
        (Reading::Present(old), Reading::Present(new)) => {
            check(NAME, Holds::No, format!("pvc/{} uid {} → pvc/{} uid {}", old.name, old.uid, new.name, new.uid))
        }
        (_, Reading::Absent) => check(NAME, Holds::No, "the data directory is not on a claim: it is lost with its pod"),
        (Reading::Absent, _) => check(NAME, Holds::No, "the data directory was not on a claim"),
        (Reading::Unknown(reason), _) | (_, Reading::Unknown(reason)) => check(NAME, Holds::Unknown, words(reason)),
        _ => check(NAME, Holds::Unknown, "it was not read"),
    }
}

/// Each time the claim, and the UID of its volume.
pub(super) fn volume(
    before: (&Reading<ClaimSeen>, &Reading<String>),
    now: (&Reading<ClaimSeen>, &Reading<String>),
) -> Check {
    const NAME: &str = "same volume";
    let name = |claim: &Reading<ClaimSeen>| claim.present().and_then(|claim| claim.volume.clone());
    let (Some(old), Some(new)) = (name(before.0), name(now.0)) else {
        let holds = if matches!(now.0, Reading::Absent) { Holds::No } else { Holds::Unknown };
        return check(NAME, holds, "no claim names one");
    };
    match (before.1, now.1) {
        _ if old != new => check(NAME, Holds::No, format!("pv/{old} → pv/{new}")),
        (Reading::Present(old_uid), Reading::Present(uid)) if old_uid == uid => {
            check(NAME, Holds::Yes, format!("pv/{new} uid {uid}"))
        }
        (Reading::Present(old_uid), Reading::Present(uid)) => {
            check(NAME, Holds::No, format!("pv/{new} uid {old_uid} → {uid}"))
        }
        (_, Reading::Absent) => check(NAME, Holds::No, format!("pv/{new} does not exist any more")),
        // A claim that is bound never changes its volume.
        _ => check(NAME, Holds::Yes, format!("pv/{new}, by the claim's spec.volumeName: volumes may not be read")),
    }
}

fn directory(before: &Identity, now: &Identity) -> Check {
    let (old, new) = (&before.server, &now.server);
    let mut check = same("same directory", "inode", &old.inode, &new.inode);
    let device =
        if old.device == new.device { new.device.clone() } else { format!("{} → {}", old.device, new.device) };
    if old.directory != new.directory {
        check.holds = Holds::No;
    }
    check.evidence = format!("{} {}, device {device}", new.directory, check.evidence);
    check
}

/// The user's rows and the marked ones.
fn all_rows(cycle: &Cycle, after: &Moment) -> [Check; 2] {
    const NAMES: [&str; 2] = ["your rows", "marked rows"];
    let (Reading::Present(_), Reading::Present(now)) = (&cycle.before.rows, &after.rows) else {
        let (holds, why) = match &after.rows {
            Reading::Absent => (Holds::No, "the table wallets does not exist any more"),
            Reading::Unknown(reason) => (Holds::Unknown, words(reason)),
            _ => (Holds::Unknown, "they were not read before"),
        };
        return NAMES.map(|name| check(name, holds, why));
    };
    let others = now.iter().filter(|row| cycle.others(row));
    let marked = now.iter().filter(|row| cycle.marked(row));
    let theirs = rows::compare(cycle.others_before(), others);
    let own = rows::compare(cycle.marked_before(), marked);
    [yours(NAMES[0], &theirs), written(NAMES[1], cycle, &own)]
}

fn yours(name: &str, difference: &rows::Difference) -> Check {
    let bad = bad(difference);
    if !bad.is_empty() {
        return check(name, Holds::No, bad.join("; "));
    }
    let mut said = match difference.same.as_slice() {
        [] if difference.updated.is_empty() => vec!["you had none".to_owned()],
        [] => vec![],
        same => {
            let shown: Vec<String> = same.iter().take(SHOWN).map(|row| format!("{} {}", row.id, row.balance)).collect();
            let more = if same.len() > SHOWN { ", …" } else { "" };
            let wallets = if same.len() == 1 { "wallet is" } else { "wallets are" };
            vec![format!("your {} {wallets} unchanged ({}{more})", same.len(), shown.join(", "))]
        }
    };
    said.extend(listed("changed meanwhile by the application", &difference.updated));
    said.extend(listed("new meanwhile", &difference.added));
    check(name, Holds::Yes, said.join("; "))
}

fn written(name: &str, cycle: &Cycle, difference: &rows::Difference) -> Check {
    let mut bad = bad(difference);
    // Nobody but this run changes its rows.
    bad.extend(listed("altered", &difference.updated));
    bad.extend(listed("of this run, but never written by it", &difference.added));
    let written = cycle.marked_before().count();
    if written != cycle.marked as usize {
        bad.push(format!("{written} were there before, of {} written", cycle.marked));
    }
    let counted = format!("{} of {} are there, each with the same checksum", difference.same.len(), cycle.marked);
    if bad.is_empty() { check(name, Holds::Yes, counted) } else { check(name, Holds::No, bad.join("; ")) }
}

/// What must not happen to any row.
fn bad(difference: &rows::Difference) -> Vec<String> {
    [("lost", &difference.lost), ("altered", &difference.altered), ("there more than once", &difference.doubled)]
        .into_iter()
        .filter_map(|(what, ids)| listed(what, ids))
        .collect()
}

/// As many rows as are named.
const SHOWN: usize = 3;

fn listed(what: &str, ids: &[String]) -> Option<String> {
    let shown = ids.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let more = if ids.len() > SHOWN { ", …" } else { "" };
    (!ids.is_empty()).then(|| format!("{} {what} ({shown}{more})", ids.len()))
}

/// The writer's rows, and how long it could not write.
fn under_load(cycle: &Cycle, after: &Moment) -> Vec<Check> {
    const NAMES: [&str; 2] = ["rows under load", "gap under load"];
    let (load, rows) = match (&cycle.load, &after.rows) {
        (Reading::NotAsked, _) => return Vec::new(),
        (Reading::Present(load), Reading::Present(rows)) => (load, rows),
        (Reading::Present(_), Reading::Absent) => {
            return vec![check(NAMES[0], Holds::No, "the table wallets does not exist any more")];
        }
        (Reading::Unknown(reason), _) | (_, Reading::Unknown(reason)) => {
            return vec![check(NAMES[0], Holds::Unknown, words(reason))];
        }
        _ => return vec![check(NAMES[0], Holds::Unknown, "what the writer did is not known")],
    };
    let before = cycle.before.rows.present().into_iter().flatten();
    let fate = Fate::of(load, &cycle.run, before, rows.iter());
    let ids = |numbers: &[u32]| numbers.iter().map(u32::to_string).collect::<Vec<_>>();
    let bad: Vec<String> = [
        ("acknowledged, but lost", &fate.lost),
        ("altered", &fate.altered),
        ("there more than once", &fate.doubled),
        ("never written", &fate.unknown),
    ]
    .into_iter()
    .filter_map(|(what, numbers)| listed(what, &ids(numbers)))
    .collect();
    let acknowledged = load.acknowledged.len();
    let said = format!(
        "{acknowledged} acknowledged before and after, each there exactly once; {} more without an answer",
        fate.unacknowledged
    );
    let rows = if !bad.is_empty() {
        check(NAMES[0], Holds::No, bad.join("; "))
    } else if load.servers > 1 && !load.went_on() {
        // Rows of one server alone show nothing of a replacement.
        check(NAMES[0], Holds::Unknown, "the new server acknowledged no row of the writer")
    } else if !load.went_on() {
        check(NAMES[0], Holds::Unknown, format!("the writer reached {} of 2 servers", load.servers))
    } else {
        check(NAMES[0], Holds::Yes, said)
    };
    let errors = if load.errors.is_empty() { String::new() } else { format!(" ({})", load.errors.join("; ")) };
    let gap = match cycle.max_gap_ms {
        Some(most) if load.gap_ms > most => {
            check(NAMES[1], Holds::No, format!("{}, more than {}{errors}", seconds(load.gap_ms), seconds(most)))
        }
        _ if !load.went_on() => check(
            NAMES[1],
            Holds::Unknown,
            format!("{} until the writer ended, and no end of it{errors}", seconds(load.gap_ms)),
        ),
        _ => check(NAMES[1], Holds::Yes, format!("{} as an application sees it{errors}", seconds(load.gap_ms))),
    };
    vec![rows, gap]
}

fn name(cycle: &Cycle, now: &Identity) -> Check {
    const NAME: &str = "same address by name";
    let answer = match &cycle.name {
        Reading::Present(answer) => answer,
        Reading::Unknown(reason) => return check(NAME, Holds::Unknown, words(reason)),
        Reading::Absent => {
            let why = cycle.name_error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
            return check(NAME, Holds::No, format!("no query by the name was answered in time{why}"));
        }
        Reading::NotAsked => return check(NAME, Holds::Unknown, "there is no backend pod to ask"),
    };
    let of_pod = |addresses: &[String]| {
        !addresses.is_empty() && addresses.iter().all(|address| now.pod.addresses.contains(address))
    };
    let said = format!("{} → {}", answer.name, answer.addresses.join(", "));
    if answer.start != now.server.start {
        check(NAME, Holds::No, format!("{said}, but another server answered"))
    } else if !of_pod(&answer.addresses) {
        check(NAME, Holds::No, format!("{said}, but the pod has {}", now.pod.addresses.join(", ")))
    } else if !of_pod(&answer.pod_addresses) {
        let there =
            if answer.pod_addresses.is_empty() { "nothing".to_owned() } else { answer.pod_addresses.join(", ") };
        check(NAME, Holds::No, format!("{said}, but {} → {there}", answer.pod_name))
    } else {
        check(NAME, Holds::Yes, format!("{said}, asked from pod/{}", answer.from))
    }
}

/// Whether the old server had stopped before the new one started. The lock that the new one holds is empty if that is none.
pub(super) fn one_server(how: How, timeline: &Timeline, now: &PodSeen, lock: &str) -> Check {
    const NAME: &str = "one server at a time";
    let at = |kind| timeline.events.iter().position(|event| event.kind == kind);
    let in_order = at(Kind::Ended).is_some_and(|ended| at(Kind::Started).is_some_and(|started| ended < started));
    let one_clock = timeline.old.node == now.node;
    match (timeline.old_ended_at, now.started_at) {
        (Some(ended), Some(started)) if one_clock => {
            let holds = so(ended <= started);
            check(NAME, holds, format!("the old one ended {}, the new one started {}", clock(ended), clock(started)))
        }
        // The clocks of two nodes need not agree.
        (Some(_), _) if in_order => {
            check(NAME, Holds::Yes, "the old one ended before the new one started, on another node")
        }
        _ if !lock.is_empty() => check(NAME, Holds::Yes, format!("the new one started under the lock of {lock}")),
        _ if how == How::Force => {
            check(NAME, Holds::Unknown, "grace 0 does not wait for the old server, and the new one holds no lock")
        }
        (Some(_), _) => {
            check(NAME, Holds::Unknown, "the old one's end on its node was not seen before the new one's start")
        }
        _ => check(NAME, Holds::Unknown, "the end of the old server was not seen"),
    }
}

/// A time of the cluster's clock, as a timeline has it.
fn clock(time: Timestamp) -> String {
    time.strftime("%H:%M:%S").to_string()
}

fn started(cycle: &Cycle) -> Check {
    const NAME: &str = "start";
    let lines = match &cycle.log {
        Reading::Present(lines) => lines,
        Reading::Unknown(reason) => return check(NAME, Holds::Unknown, format!("PostgreSQL's log: {}", words(reason))),
        Reading::Absent | Reading::NotAsked => return check(NAME, Holds::Unknown, "PostgreSQL's log was not read"),
    };
    match recovery::start(lines) {
        Start::Clean(at) => check(NAME, Holds::Yes, format!("after a clean shutdown at {at}")),
        Start::Recovered(what) => check(NAME, Holds::Yes, format!("crash recovery, {what}")),
        Start::Initialised => check(NAME, Holds::No, "the directory was empty: a new database was created"),
        Start::Unsaid => check(NAME, Holds::Unknown, "PostgreSQL's log does not say how it started"),
    }
}

fn wal(before: &Identity, now: &Identity) -> Check {
    let (old, new) = (&before.server, &now.server);
    let goes_on = (new.timeline, new.wal_bytes) >= (old.timeline, old.wal_bytes);
    let back = if goes_on { "" } else { ": back to an older state" };
    let said = format!("{} on timeline {} → {} on timeline {}{back}", old.wal, old.timeline, new.wal, new.timeline);
    check("log goes on", so(goes_on), said)
}

/// Not a promise of a StatefulSet, but what its rows rest on when the machine itself fails: told, and nothing hangs on it.
fn settings(now: &Identity) -> Check {
    let off: Vec<String> = now
        .server
        .settings
        .iter()
        .filter(|(_, value)| *value != SAFE)
        .map(|(name, value)| format!("{name} is {value}"))
        .collect();
    let names = || now.server.settings.keys().cloned().collect::<Vec<_>>().join(", ");
    let said = match off.as_slice() {
        [] => format!("{} are on", names()),
        off => format!("{}: may cost rows when the machine fails, which this does not test", off.join(", ")),
    };
    check("settings", Holds::Yes, said)
}

/// How long the server was away, in words: in the pod, and by the name.
#[must_use]
pub fn downtime(cycle: &Cycle) -> String {
    let seconds = |ms: Option<u64>| ms.map_or("not known".to_owned(), seconds);
    let lost = if cycle.timeline.event(Kind::Lost).is_some() { " (the watch was interrupted meanwhile)" } else { "" };
    format!("{} in the pod, {} by the name{lost}", seconds(cycle.downtime_ms()), seconds(cycle.downtime_by_name_ms()))
}

/// How long the server was away in several replacements, in words: in the pod, and by the name.
#[must_use]
pub fn downtimes(cycles: &[Cycle]) -> Vec<String> {
    if cycles.len() < 2 {
        return Vec::new();
    }
    let in_pod = cycles.iter().filter_map(Cycle::downtime_ms).collect();
    let by_name = cycles.iter().filter_map(Cycle::downtime_by_name_ms).collect();
    let said = |(what, times)| Some(format!("downtime {what}, {} times: {}", cycles.len(), spread(times)?));
    [("in the pod", in_pod), ("by the name", by_name)].into_iter().filter_map(said).collect()
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
