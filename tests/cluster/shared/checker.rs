//! The checker of the replicated database, once for each disturbance that leaves the rest of the cluster alone.

use crate::support::checker::{checked, nothing_is_lost};

#[test]
fn no_row_is_lost_when_the_primary_goes() {
    nothing_is_lost("kc-plugin-checked-gone", &["deleted", "killed", "all-three"]);
}

#[test]
fn no_row_is_lost_when_the_primary_is_frozen() {
    nothing_is_lost("kc-plugin-checked-frozen", &["frozen", "patroni-frozen"]);
}

#[test]
fn no_row_is_lost_when_the_primary_is_cut_off() {
    nothing_is_lost("kc-plugin-checked-cut", &["cut-from-members", "cut-from-api", "cut-from-both"]);
}

#[test]
fn rows_that_are_lost_are_named() {
    let [control] = &checked("kc-plugin-checked-control", &["control"])[..] else { panic!("one row") };
    assert!(control[5] != "0" && control[7] != "0", "lost, and by the older timeline: {control:?}");
}
