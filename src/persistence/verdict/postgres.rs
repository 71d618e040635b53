//! The exchange's data: PostgreSQL's identity, its rows, and how it started.

use super::{Check, CheckName, Holds, same, so, words};
use crate::observe::Reading;
use crate::persistence::evidence::{Database, Evidence, Moment, Turn};
use crate::persistence::identity::{SAFE, Server};
use crate::persistence::load::Fate;
use crate::persistence::recovery::{self, Start};
use crate::persistence::rows;
use crate::text::seconds;

/// All of it: how many marked rows were written, and the longest gap that the user allows.
pub(super) fn checks(
    evidence: &Evidence,
    (marked, max_gap_ms): (u32, Option<u64>),
    turn: &Turn,
    now: &Moment,
) -> Vec<Check> {
    let (Some(before), Some(after)) = (turn.before.data.database(), now.data.database()) else {
        return vec![Check::new(CheckName::SameDatabase, Holds::Unknown, "it was not read both before and after")];
    };
    let (old, new) = (&before.server, &after.server);
    let mut checks = vec![
        new_server(old, new),
        same(CheckName::SameDatabase, "system identifier", &old.system, &new.system),
        directory(old, new),
    ];
    checks.extend(all_rows(evidence, marked, turn, (before, after)));
    checks.extend(under_load(evidence, max_gap_ms, turn, after));
    checks.extend([started(turn), wal(old, new), settings(new)]);
    checks
}

pub(super) fn new_server(old: &Server, new: &Server) -> Check {
    const NAME: CheckName = CheckName::NewServer;
    if old.start == new.start {
        Check::new(NAME, Holds::No, format!("the server of {} still runs", new.started_at))
    } else {
        Check::new(NAME, Holds::Yes, format!("started {}", new.started_at))
    }
}

fn directory(old: &Server, new: &Server) -> Check {
    let mut check = same(CheckName::SameDirectory, "inode", &old.inode, &new.inode);
    let device =
        if old.device == new.device { new.device.clone() } else { format!("{} → {}", old.device, new.device) };
    if old.directory != new.directory {
        check.holds = Holds::No;
    }
    check.evidence = format!("{} {}, device {device}", new.directory, check.evidence);
    check
}

/// The user's rows and the marked ones.
pub(super) fn all_rows(
    evidence: &Evidence,
    marked: u32,
    turn: &Turn,
    (before, after): (&Database, &Database),
) -> [Check; 2] {
    const NAMES: [CheckName; 2] = [CheckName::YourRows, CheckName::MarkedRows];
    let (Reading::Present(_), Reading::Present(now)) = (&before.rows, &after.rows) else {
        let (holds, why) = match &after.rows {
            Reading::Absent => (Holds::No, "the table wallets does not exist any more"),
            Reading::Unknown(reason) => (Holds::Unknown, words(reason)),
            _ => (Holds::Unknown, "they were not read before"),
        };
        return NAMES.map(|name| Check::new(name, holds, why));
    };
    let users = rows::compare(evidence.users_before(turn), now.iter().filter(|row| evidence.is_the_users(row)));
    let own = rows::compare(evidence.marked_before(turn), now.iter().filter(|row| evidence.is_marked(row)));
    [yours(NAMES[0], &users), written(NAMES[1], (marked, evidence.marked_before(turn).count()), &own)]
}

fn yours(name: CheckName, difference: &rows::Difference) -> Check {
    let bad = bad(difference);
    if !bad.is_empty() {
        return Check::new(name, Holds::No, bad.join("; "));
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
    Check::new(name, Holds::Yes, said.join("; "))
}

/// How many were written, and how many of these were there before.
fn written(name: CheckName, (marked, before): (u32, usize), difference: &rows::Difference) -> Check {
    let mut bad = bad(difference);
    // Nobody but this run changes its rows.
    bad.extend(listed("altered", &difference.updated));
    bad.extend(listed("of this run, but never written by it", &difference.added));
    if before != marked as usize {
        bad.push(format!("{before} were there before, of {marked} written"));
    }
    let counted = format!("{} of {marked} are there, each with the same checksum", difference.same.len());
    if bad.is_empty() { Check::new(name, Holds::Yes, counted) } else { Check::new(name, Holds::No, bad.join("; ")) }
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

pub(super) fn listed(what: &str, ids: &[String]) -> Option<String> {
    let shown = ids.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    let more = if ids.len() > SHOWN { ", …" } else { "" };
    (!ids.is_empty()).then(|| format!("{} {what} ({shown}{more})", ids.len()))
}

/// The writer's rows, and how long it could not write.
pub(super) fn under_load(evidence: &Evidence, max_gap_ms: Option<u64>, turn: &Turn, after: &Database) -> Vec<Check> {
    const NAMES: [CheckName; 2] = [CheckName::RowsUnderLoad, CheckName::GapUnderLoad];
    let (load, rows) = match (&turn.load, &after.rows) {
        (Reading::NotAsked, _) => return Vec::new(),
        (Reading::Present(load), Reading::Present(rows)) => (load, rows),
        (Reading::Present(_), Reading::Absent) => {
            return vec![Check::new(NAMES[0], Holds::No, "the table wallets does not exist any more")];
        }
        (Reading::Unknown(reason), _) | (_, Reading::Unknown(reason)) => {
            return vec![Check::new(NAMES[0], Holds::Unknown, words(reason))];
        }
        _ => return vec![Check::new(NAMES[0], Holds::Unknown, "what the writer did is not known")],
    };
    let fate = Fate::of(load, &evidence.run, turn.before.rows(), rows.iter());
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
        Check::new(NAMES[0], Holds::No, bad.join("; "))
    } else if load.servers > 1 && !load.went_on() {
        // Rows of one server alone show nothing of a replacement.
        Check::new(NAMES[0], Holds::Unknown, "the new server acknowledged no row of the writer")
    } else if !load.went_on() {
        Check::new(NAMES[0], Holds::Unknown, format!("the writer reached {} of 2 servers", load.servers))
    } else {
        Check::new(NAMES[0], Holds::Yes, said)
    };
    let errors = if load.errors.is_empty() { String::new() } else { format!(" ({})", load.errors.join("; ")) };
    let gap = match max_gap_ms {
        Some(most) if load.gap_ms > most => {
            Check::new(NAMES[1], Holds::No, format!("{}, more than {}{errors}", seconds(load.gap_ms), seconds(most)))
        }
        _ if !load.went_on() => Check::new(
            NAMES[1],
            Holds::Unknown,
            format!("{} until the writer ended, and no end of it{errors}", seconds(load.gap_ms)),
        ),
        _ => Check::new(NAMES[1], Holds::Yes, format!("{} as an application sees it{errors}", seconds(load.gap_ms))),
    };
    vec![rows, gap]
}

fn started(turn: &Turn) -> Check {
    const NAME: CheckName = CheckName::Start;
    let lines = match &turn.log {
        Reading::Present(lines) => lines,
        Reading::Unknown(reason) => {
            return Check::new(NAME, Holds::Unknown, format!("PostgreSQL's log: {}", words(reason)));
        }
        Reading::Absent | Reading::NotAsked => {
            return Check::new(NAME, Holds::Unknown, "PostgreSQL's log was not read");
        }
    };
    match recovery::start(lines) {
        Start::Clean(at) => Check::new(NAME, Holds::Yes, format!("after a clean shutdown at {at}")),
        Start::Recovered(what) => Check::new(NAME, Holds::Yes, format!("crash recovery, {what}")),
        Start::Initialised => Check::new(NAME, Holds::No, "the directory was empty: a new database was created"),
        Start::Unsaid => Check::new(NAME, Holds::Unknown, "PostgreSQL's log does not say how it started"),
    }
}

pub(super) fn wal(old: &Server, new: &Server) -> Check {
    let goes_on = (new.timeline, new.wal_bytes) >= (old.timeline, old.wal_bytes);
    let back = if goes_on { "" } else { ": back to an older state" };
    let said = format!("{} on timeline {} → {} on timeline {}{back}", old.wal, old.timeline, new.wal, new.timeline);
    Check::new(CheckName::LogGoesOn, so(goes_on), said)
}

/// Not a promise of a StatefulSet, but what its rows rest on when the machine itself fails: told, and nothing hangs on it.
pub(super) fn settings(server: &Server) -> Check {
    let off: Vec<String> = server
        .settings
        .iter()
        .filter(|(_, value)| *value != SAFE)
        .map(|(name, value)| format!("{name} is {value}"))
        .collect();
    let names = || server.settings.keys().cloned().collect::<Vec<_>>().join(", ");
    let said = match off.as_slice() {
        [] => format!("{} are on", names()),
        off => format!("{}: may cost rows when the machine fails, which this does not test", off.join(", ")),
    };
    Check::new(CheckName::Settings, Holds::Yes, said)
}
