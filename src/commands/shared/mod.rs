//! What more than one command needs.

mod announce;
pub mod answer;
pub mod cause;
pub mod confirm;
pub mod credentials;
pub mod demo;
pub mod directories;
pub mod exchanges;
pub mod exercise;
pub mod file;
pub mod helper;
pub mod lasting;
pub mod lease;
pub mod look;
pub mod names;
pub mod namespace;
pub mod next_pod;
pub mod node;
pub mod page;
pub mod practice;
pub mod primary;
pub mod proof;
pub mod quota;
mod reading;
pub mod relay;
pub mod results;
pub mod reuse;
pub mod settle;
pub mod shape;
pub mod standing;
pub mod switch;
pub mod table;
pub mod target;
pub mod waiting;

pub use announce::announce;
pub use reading::{glance, is_deployed, is_one_server, snapshot, snapshot_of_any};
