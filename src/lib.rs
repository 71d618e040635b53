//! `kubectl kubecoin`: the exchange of the lesson "Level 2: PersistentVolumes and StatefulSets", and what it teaches.

// A test that panics has failed.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod cleanup;
pub mod cli;
pub mod commands;
pub mod context;
pub mod dns;
pub mod error;
pub mod exchange;
pub mod findings;
pub mod flags;
pub mod kubeconfig;
pub mod kubernetes;
pub mod log;
pub mod observe;
pub mod output;
pub mod persistence;
pub mod report;
pub mod text;
