//! At scripted servers. These need kubectl and processors, and nothing of the cluster.

use super::stage::Stage;
use super::{compare, differs, drawn, judge, play, table};
use crate::support::chance;

#[test]
fn every_row_of_the_table_ends_alike() {
    let rows = table::rows();
    let told = play(&rows, &Stage::scripted(), |row, kubectl, plugin| {
        let wrong = judge(row, kubectl, plugin);
        match (differs::reason(row), wrong) {
            (Some(reason), None) => Some(format!("is alike, though it is said to differ: {reason}")),
            (Some(_), Some(_)) => None,
            (None, wrong) => wrong,
        }
    });
    assert!(told.is_empty(), "{told}");
}

#[test]
fn rows_drawn_at_random_end_alike() {
    let seed = chance::seed();
    let told = play(&drawn::rows(seed), &Stage::scripted(), compare);
    assert!(told.is_empty(), "{}={seed}\n{told}", chance::SEED);
}
