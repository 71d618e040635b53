//! What writers were told, held against what the database has: pure functions.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A row by its writer and its number there.
pub type Key = (u8, u64);

/// How often the database has each row.
pub type Rows = BTreeMap<Key, u64>;

/// A row that a server has acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// Which row.
    pub key: Key,
    /// When it was about to be sent, in nanoseconds of the kernel's monotonic clock.
    pub sent: u64,
    /// When its acknowledgement had been read, by the same clock.
    pub at: u64,
    /// The pod of the server that ran the statement.
    pub pod: String,
    /// That server's timeline then.
    pub timeline: u32,
}

/// What is wrong with a history. Nothing may be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Acknowledged, and the database does not have it.
    pub lost: BTreeSet<Key>,
    /// The database has it more than once: each was sent once.
    pub twice: BTreeSet<Key>,
    /// Acknowledged by an older timeline, though it was sent after a newer one's first acknowledgement.
    pub stale: BTreeSet<Key>,
}

impl Verdict {
    /// What this one says and an earlier one did not.
    pub fn without(&self, earlier: &Self) -> Self {
        let new = |now: &BTreeSet<Key>, before: &BTreeSet<Key>| now.difference(before).copied().collect();
        Self {
            lost: new(&self.lost, &earlier.lost),
            twice: new(&self.twice, &earlier.twice),
            stale: new(&self.stale, &earlier.stale),
        }
    }
}

/// Judges all that was acknowledged by the rows that were read after it.
pub fn judge(acknowledged: &[Acknowledged], rows: &Rows) -> Verdict {
    let lost = acknowledged.iter().map(|row| row.key).filter(|key| !rows.contains_key(key)).collect();
    let twice = rows.iter().filter(|(_, times)| **times > 1).map(|(key, _)| *key).collect();
    let mut first: BTreeMap<u32, u64> = BTreeMap::new();
    for row in acknowledged {
        first.entry(row.timeline).and_modify(|at| *at = row.at.min(*at)).or_insert(row.at);
    }
    let is_stale = |row: &&Acknowledged| first.range(row.timeline + 1..).any(|(_, at)| row.sent > *at);
    Verdict { lost, twice, stale: acknowledged.iter().filter(is_stale).map(|row| row.key).collect() }
}

/// The longest time between two acknowledgements of one writer that follow each other; nothing of fewer than two.
pub fn longest_gap(acknowledged: &[Acknowledged], writer: u8) -> Option<Duration> {
    let times: Vec<u64> = acknowledged.iter().filter(|row| row.key.0 == writer).map(|row| row.at).collect();
    times.windows(2).map(|pair| Duration::from_nanos(pair[1].saturating_sub(pair[0]))).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(verdict: &Verdict) -> bool {
        *verdict == Verdict::default()
    }

    /// A row of the writer, sent and acknowledged at these times, by this timeline.
    fn row(writer: u8, number: u64, sent: u64, at: u64, timeline: u32) -> Acknowledged {
        Acknowledged { key: (writer, number), sent, at, pod: format!("postgres-{timeline}"), timeline }
    }

    fn rows(keys: &[Key]) -> Rows {
        let mut rows = Rows::new();
        for key in keys {
            *rows.entry(*key).or_default() += 1;
        }
        rows
    }

    /// Timeline 2 begins at 30 while a statement of timeline 1 is on its way.
    fn good() -> Vec<Acknowledged> {
        vec![row(0, 1, 10, 12, 1), row(1, 1, 28, 45, 1), row(0, 2, 15, 30, 2), row(0, 3, 50, 52, 2)]
    }

    const ALL: [Key; 4] = [(0, 1), (0, 2), (0, 3), (1, 1)];

    #[test]
    fn a_history_holds_whose_rows_are_all_there_once() {
        let with_one_that_was_never_acknowledged = [&ALL[..], &[(1, 2)]].concat();
        for there in [ALL.to_vec(), with_one_that_was_never_acknowledged] {
            let verdict = judge(&good(), &rows(&there));
            assert!(holds(&verdict), "{verdict:?}");
        }
    }

    #[test]
    fn a_row_that_was_acknowledged_and_is_not_there_is_lost() {
        let verdict = judge(&good(), &rows(&[(0, 1), (0, 3), (1, 1)]));
        assert_eq!(verdict, Verdict { lost: BTreeSet::from([(0, 2)]), ..Verdict::default() });
    }

    #[test]
    fn a_row_that_is_there_again_is_there_twice_whether_or_not_it_was_acknowledged() {
        let verdict = judge(&good(), &rows(&[&ALL[..], &[(0, 3), (1, 2), (1, 2)]].concat()));
        assert_eq!(verdict, Verdict { twice: BTreeSet::from([(0, 3), (1, 2)]), ..Verdict::default() });
    }

    #[test]
    fn the_older_timeline_acknowledges_nothing_that_was_sent_after_the_newer_ones_first() {
        let mut history = good();
        history.push(row(1, 2, 31, 46, 1));
        let verdict = judge(&history, &rows(&[&ALL[..], &[(1, 2)]].concat()));
        assert_eq!(verdict, Verdict { stale: BTreeSet::from([(1, 2)]), ..Verdict::default() });
        // Sent in the same moment, it may have been the first.
        history.pop();
        history.push(row(1, 2, 30, 46, 1));
        assert!(holds(&judge(&history, &rows(&[&ALL[..], &[(1, 2)]].concat()))));
    }

    #[test]
    fn an_older_timeline_is_told_from_one_that_is_newer_by_two() {
        let history = [row(0, 1, 10, 12, 1), row(0, 2, 20, 22, 3), row(1, 1, 30, 32, 2)];
        assert_eq!(judge(&history, &rows(&[(0, 1), (0, 2), (1, 1)])).stale, BTreeSet::from([(1, 1)]));
    }

    #[test]
    fn what_was_said_before_is_not_said_again() {
        let earlier = judge(&good(), &rows(&[(0, 1), (0, 3), (1, 1)]));
        let now = judge(&good(), &rows(&[(0, 1), (0, 3)]));
        assert_eq!(now.without(&earlier).lost, BTreeSet::from([(1, 1)]));
        assert!(holds(&now.without(&now)));
    }

    #[test]
    fn a_gap_is_between_two_acknowledgements_of_one_writer() {
        let longest = |history: &[Acknowledged]| longest_gap(history, 0).map(|gap| gap.as_nanos());
        assert_eq!(longest(&good()), Some(22));
        assert_eq!(longest(&good()[..2]), None, "the other is another writer's");
        assert_eq!(longest(&[]), None);
    }
}
