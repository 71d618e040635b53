//! What the tests on a cluster share.

pub mod chance;
pub mod class;
pub mod exchange;
pub mod kubectl;
pub mod plugin;
pub mod scene;
pub mod wait;
