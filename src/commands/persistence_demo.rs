//! `persistence-demo`: stops pods, and proves what outlives them. The lesson runs the same for two of its questions, so it is in
//! `shared`.

pub use super::shared::demo::{Args, run};
