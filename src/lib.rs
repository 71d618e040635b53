//! `kubectl kubecoin`: the exchange of the lesson "Level 2: PersistentVolumes and StatefulSets", and what it teaches.

// A test that panics has failed.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod cleanup;
mod cli;
mod commands;
mod complete;
mod context;
mod dns;
mod error;
mod exchange;
mod findings;
mod flags;
mod kubeconfig;
mod kubernetes;
mod lesson;
mod log;
mod observe;
mod output;
mod persistence;
mod program;
mod report;
mod text;

pub use cli::main;

/// What the tests of the manifests and of the whole program take from inside.
#[doc(hidden)]
pub mod inside {
    pub use crate::exchange::{manifests, psql, wallets};
    pub use crate::kubernetes::act::{Act, Apply, Create, DeletePod, Patch, Scale};
    pub use crate::kubernetes::{Object, Place};
}
