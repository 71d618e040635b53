use super::database_unreachable;
use crate::exchange::names;
use crate::findings::{Cause, Finding, Need};

/// PostgreSQL has no room for the next file of its log, and stops when it needs one.
pub static CAUSE: Cause = Cause {
    id: "KC076",
    slug: "volume-full",
    title: "The volume of the database is full",
    text: include_str!("volume_full.md"),
    explains: &[&database_unreachable::CAUSE],
    needs: &[Need::Database],
    mend: None,
    judge: |observed| {
        let free = observed.details.database.present().and_then(|database| database.free);
        let Some(free) = free.filter(|free| *free < SEGMENT) else { return vec![] };
        vec![Finding::of_database(
            &CAUSE,
            format!(
                "has {} MiB of free space on its volume: PostgreSQL needs 16 for the next file of its log",
                free >> 20
            ),
            observed
                .by_hand
                .kubectl(["exec", names::POSTGRES_POD, "--", "df", "-h", names::DATA_PATH])
                .to("see the free space, and make room on the node"),
        )]
    },
};

/// A file of the write-ahead log, as PostgreSQL makes it unless it was told otherwise when the directory was made.
pub(super) const SEGMENT: u64 = 16 << 20;
