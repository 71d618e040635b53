//! The names of the exchange in the cluster's DNS: what to ask, how to ask it from inside a pod, and what the answers mean.

pub mod answer;
pub mod facts;
pub mod names;
pub mod relay;
pub mod resolv;
pub mod verdict;
pub mod why;
pub mod wire;

pub use answer::{Answer, Expected, Kind, Record};
pub use facts::Facts;
pub use names::{Question, View};
pub use resolv::Resolv;
pub use verdict::{Answered, Verdict};
