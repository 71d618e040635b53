//! The commands: one file or folder each.

pub mod completion;
pub mod deploy;
pub mod dns_check;
pub mod doctor;
pub mod exercise;
pub mod explain;
pub mod init_db;
pub mod lesson;
pub mod manifests;
pub mod open;
pub mod overview;
pub mod persistence_demo;
pub mod psql;
pub mod reference;
pub mod replay;
pub mod rotate_password;
mod shared;
pub mod status;
pub mod switchover;
pub mod teardown;
pub mod verify_report;
pub mod version;
