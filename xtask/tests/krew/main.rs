//! What `cargo xtask dist` makes, under the real krew and its own check of manifests. All takes place in folders of a test's
//! own, and what krew downloads comes from a server on this machine.

// A test that panics has failed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod archive;
mod files;
mod install;
mod stage;
mod validator;
