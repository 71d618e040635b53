//! Reads the cluster into values. Round 1 is always the same few named objects; round 2 is what these call for.

pub mod configuration;
pub mod container;
pub mod database;
pub mod details;
pub mod dns;
pub mod live;
pub mod logs;
mod member;
pub mod path;
pub mod readiness;
mod reading;
pub mod replication;
pub mod saved;
pub mod snapshot;
pub mod target;

pub use member::Member;
pub use reading::{Reading, Reason};
pub use snapshot::Snapshot;
