//! At the test cluster.

use super::stage::Stage;
use super::{compare, drawn, play, table};
use crate::support::chance;

#[test]
fn every_row_that_decides_who_one_is_ends_alike() {
    let told = play(&table::rows_of_users(), &Stage::cluster(), compare);
    assert!(told.is_empty(), "{told}");
}

#[test]
fn rows_drawn_at_random_end_alike() {
    let seed = chance::seed();
    let told = play(&drawn::rows(seed), &Stage::cluster(), compare);
    assert!(told.is_empty(), "{}={seed}\n{told}", chance::SEED);
}
