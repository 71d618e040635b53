//! What is deployed.

pub mod claim;
pub mod directory;
pub mod helper;
pub mod level_one;
pub mod manifests;
pub mod marks;
pub mod names;
pub mod objects;
pub mod patroni;
pub mod practice;
pub mod psql;
pub mod scram;
pub mod settings;
pub mod volume;
pub mod wallets;
