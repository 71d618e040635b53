//! Tests on a real cluster. `cargo xtask test` brings it up and gives them its kubeconfig and its kubectl.

// A test that panics has failed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod docs;
mod exclusive;
mod faults;
mod kubeconfig;
mod lesson;
mod portable;
mod shared;
mod support;
