//! The plugin on a real cluster: what it promises, and what happens to it. Each test has a namespace of its own, and what it
//! does touches no other one: they run side by side.

mod away;
mod checker;
mod class;
mod completion;
mod contrast;
mod deploy;
pub mod dns;
mod drawn;
pub mod exercise;
mod failover;
mod faults;
mod ha;
mod hostile;
pub mod lesson;
mod options;
mod password;
pub mod persistence;
mod psql;
mod report;
mod rights;
mod scaling;
mod shown;
mod student;
pub mod survives;
mod table;
pub mod target;
