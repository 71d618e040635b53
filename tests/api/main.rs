//! Faults of an API server: the built binary against a scripted one, over real TLS and HTTP.

// A test that panics has failed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod around;
mod away;
mod class;
mod comes_back;
mod completion;
mod credentials;
mod deploy;
mod dns_check;
mod doctor;
mod everyday;
mod exercise;
mod explain;
mod overtaken;
mod persistence_demo;
mod plugin;
mod reach;
#[path = "../support/script.rs"]
mod script;
mod secrets;
mod server;
mod status;
mod stopped;
mod store;
mod teardown;
mod terminal;
mod timeout;
mod version;
mod world;
