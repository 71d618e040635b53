//! Rows that were committed while the server was replaced: what was acknowledged must be there, exactly once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rows::{Row, Run};

/// The number of the first row that a writer writes; marked rows have the numbers below.
pub const FIRST: u32 = 200_001;

/// What a writer has done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Load {
    /// The pod that it wrote from, which it does not know itself.
    #[serde(default)]
    pub from: String,
    /// The number of the first row it tried to write.
    pub first: u32,
    /// The number of the last row it tried to write.
    pub last: u32,
    /// The rows that the server acknowledged: number and checksum.
    pub acknowledged: Vec<(u32, String)>,
    /// What failed meanwhile, each once.
    pub errors: Vec<String>,
    /// The longest time between two rows that were acknowledged, or from the last one until it ended, in milliseconds.
    pub gap_ms: u64,
    /// How many servers it met.
    pub servers: u32,
    /// How many rows the last of them acknowledged.
    pub by_last: u64,
}

impl Load {
    /// Whether it has met another server than the first one, and to have written rows there.
    #[must_use]
    pub fn went_on(&self) -> bool {
        self.servers > 1 && !self.acknowledged.is_empty() && self.by_last > 0
    }
}

/// The number of a writer's row.
#[must_use]
pub fn number(run: &Run, id: &str) -> Option<u32> {
    let number = id.strip_prefix(&run.mark()).or_else(|| id.strip_prefix(&run.kept_mark()))?.parse().ok()?;
    (number >= FIRST).then_some(number)
}

/// What became of a writer's rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// Acknowledged, and not there.
    pub lost: Vec<u32>,
    /// Acknowledged, and not as they were.
    pub altered: Vec<u32>,
    /// There more than once.
    pub doubled: Vec<u32>,
    /// There, but never tried.
    pub unknown: Vec<u32>,
    /// Not acknowledged, and there all the same: either is right.
    pub unacknowledged: usize,
}

impl Fate {
    /// Of what a writer has done, by the rows that are there. Those that the writer of an earlier replacement has left, as they
    /// were before, must stay like those that this one's server acknowledged.
    #[must_use]
    pub fn of<'a>(
        load: &Load,
        run: &Run,
        before: impl Iterator<Item = &'a Row>,
        now: impl Iterator<Item = &'a Row>,
    ) -> Self {
        let numbered = |row: &'a Row| Some((number(run, &row.id)?, row.sum.as_str()));
        let mut fate = Self::default();
        let mut there: BTreeMap<u32, &str> = BTreeMap::new();
        for (number, sum) in now.filter_map(numbered) {
            if there.insert(number, sum).is_some() {
                fate.doubled.push(number);
            }
        }
        let earlier = before.filter_map(numbered).filter(|(number, _)| *number < load.first);
        for (number, sum) in earlier.chain(load.acknowledged.iter().map(|(number, sum)| (*number, sum.as_str()))) {
            match there.remove(&number) {
                None => fate.lost.push(number),
                Some(now) if now != sum => fate.altered.push(number),
                Some(_) => {}
            }
        }
        // An earlier writer has tried every number below.
        let (tried, unknown): (Vec<u32>, Vec<u32>) = there.into_keys().partition(|number| *number <= load.last);
        (fate.unacknowledged, fate.unknown) = (tried.len(), unknown);
        fate
    }
}
