//! What the tests of the cluster share.

pub mod kubectl;
pub mod machine;
pub mod pods;
pub mod testbed;
pub mod wait;
