//! The data of a replicated database: the member that took over has every row, and the one that was stopped follows it.

use std::collections::BTreeSet;

use super::postgres::{all_rows, listed, new_server, settings, under_load, wal};
use super::{Check, CheckName, Holds, same, so, words};
use crate::observe::Reading;
use crate::persistence::How;
use crate::persistence::evidence::{Database, Evidence, Moment, Takeover, Turn};
use crate::persistence::history::left;
use crate::persistence::identity::Server;
use crate::persistence::timeline::Kind;

/// All of it: how many marked rows were written, and the longest gap that the user allows. Rows are looked for where the database
/// takes writes now.
pub(super) fn checks(
    evidence: &Evidence,
    (marked, max_gap_ms): (u32, Option<u64>),
    turn: &Turn,
    now: &Moment,
) -> Vec<Check> {
    let (Some(before), Some(member)) = (turn.before.data.database(), now.data.database()) else {
        return vec![Check::new(CheckName::SameDatabase, Holds::Unknown, "it was not read both before and after")];
    };
    let takeover = match &turn.takeover {
        Reading::Present(takeover) => takeover,
        other => return vec![unknown(other)],
    };
    let (old, new) = (&before.server, &takeover.database.server);
    let mut checks = vec![
        new_server(old, &member.server),
        same(CheckName::SameDatabase, "system identifier", &old.system, &new.system),
        took_over(evidence.how, turn, old, takeover),
    ];
    if takeover.pod != now.pod.name {
        checks.push(follows(evidence, old, (&now.pod.name, member), takeover));
    }
    checks.extend(all_rows(evidence, marked, turn, (before, &takeover.database)));
    checks.extend(under_load(evidence, max_gap_ms, turn, &takeover.database));
    checks.extend([wal(old, new), settings(new)]);
    checks
}

/// Of a database of which nobody knows who takes writes.
fn unknown(takeover: &Reading<Takeover>) -> Check {
    const NAME: CheckName = CheckName::TookOver;
    match takeover {
        Reading::Absent => Check::new(NAME, Holds::No, "no member takes writes"),
        Reading::Unknown(reason) => Check::new(NAME, Holds::Unknown, words(reason)),
        Reading::NotAsked | Reading::Present(_) => Check::new(NAME, Holds::Unknown, "it was not asked"),
    }
}

/// Whether what takes writes now goes on from where the old primary was: on its timeline, or on one that has left it later.
fn took_over(how: How, turn: &Turn, old: &Server, takeover: &Takeover) -> Check {
    const NAME: CheckName = CheckName::TookOver;
    let (stopped, pod, new) = (&turn.before.pod.name, &takeover.pod, &takeover.database.server);
    let who = if pod == stopped {
        format!("pod/{pod} again: no other member took over")
    } else {
        format!("pod/{pod} instead of pod/{stopped}")
    };
    if new.is_standby {
        return Check::new(NAME, Holds::No, format!("pod/{pod} takes no writes"));
    }
    // A node is away until another member has had the time for it.
    if how == How::Node && pod == stopped && turn.timeline.event(Kind::Promoted).is_none() {
        return Check::new(NAME, Holds::No, format!("{who} while its node was away"));
    }
    if new.timeline == old.timeline && pod == stopped {
        return Check::new(NAME, Holds::Yes, format!("{who}, still on timeline {}", new.timeline));
    }
    let Some(left) = left(new, old.timeline) else {
        let why = format!("{who}, on timeline {}, which does not come from timeline {}", new.timeline, old.timeline);
        return Check::new(NAME, Holds::No, why);
    };
    let said = format!("{who}, on timeline {}: it left timeline {} at {}", new.timeline, old.timeline, left.at);
    let earlier =
        if left.bytes < old.wal_bytes { format!(", before {}, where it was", old.wal) } else { String::new() };
    Check::new(NAME, so(earlier.is_empty()), said + &earlier)
}

/// Whether the member that came back follows, with every row of the run.
fn follows(evidence: &Evidence, old: &Server, (pod, member): (&str, &Database), takeover: &Takeover) -> Check {
    const NAME: CheckName = CheckName::Follows;
    let (own, primary) = (&member.server, &takeover.database.server);
    let at = format!("pod/{pod} is on timeline {}, up to {}", own.timeline, own.wal);
    if own.system != primary.system {
        return Check::new(
            NAME,
            Holds::No,
            format!("pod/{pod} has another database, system identifier {}", own.system),
        );
    }
    if !own.is_standby {
        return Check::new(NAME, Holds::No, format!("pod/{pod} takes writes too"));
    }
    if own.timeline != primary.timeline || own.wal_bytes < primary.wal_bytes {
        let ahead = format!("pod/{} on {}, up to {}", takeover.pod, primary.timeline, primary.wal);
        return Check::new(NAME, Holds::No, format!("{at}; {ahead}"));
    }
    let (Some(there), Some(here)) = (of_run(evidence, &takeover.database), of_run(evidence, member)) else {
        return Check::new(NAME, Holds::Unknown, format!("{at}; its rows could not be read"));
    };
    let [missing, other] = [(&there, &here), (&here, &there)]
        .map(|(of, than)| of.difference(than).map(|(id, _)| (*id).to_owned()).collect::<Vec<_>>());
    let bad: Vec<String> =
        [listed("not there", &missing), listed("not on the primary", &other)].into_iter().flatten().collect();
    if !bad.is_empty() {
        return Check::new(NAME, Holds::No, format!("{at}, but of its rows {}", bad.join("; ")));
    }
    let anew = if own.inode == old.inode { "" } else { ", in a data directory that was copied from it" };
    Check::new(NAME, Holds::Yes, format!("{at}, with the same {} rows of this run{anew}", here.len()))
}

/// The rows that this run has written, with their checksums.
fn of_run<'a>(evidence: &Evidence, database: &'a Database) -> Option<BTreeSet<(&'a str, &'a str)>> {
    let rows = database.rows.present()?;
    Some(rows.iter().filter(|row| evidence.run.wrote(&row.id)).map(|row| (row.id.as_str(), row.sum.as_str())).collect())
}
