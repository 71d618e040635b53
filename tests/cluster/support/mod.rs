//! What the tests on a cluster share.

pub mod chance;
pub mod checker;
pub mod class;
pub mod deployed;
pub mod exchange;
pub mod kubectl;
pub mod page;
pub mod plugin;
pub mod rights;
pub mod scene;
pub mod terminal;
pub mod wait;
