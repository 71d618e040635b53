//! The test cluster itself: what it promises, and the faults that it has to bear. Each test has the machine's one cluster for
//! itself, so they run one at a time, as root.

// A test that panics has failed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod delivery;
mod faults;
mod lifecycle;
mod nodes;
mod options;
mod support;
mod without;
