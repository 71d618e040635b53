//! The names of the exchange in the cluster's DNS: what to ask, how to ask it from inside a pod, and what the answers mean.

use std::time::Duration;

pub mod answer;
pub mod caching;
pub mod facts;
pub mod heard;
pub mod names;
pub mod resolv;
pub mod verdict;
pub mod wire;

pub use answer::{Answer, Expected, Kind, Record};
pub use facts::Facts;
pub use heard::{Heard, Names};
pub use names::View;
pub use verdict::{Answered, Verdict};

/// How long a name may still lead elsewhere, or nowhere, once what it leads to is ready: as long as DNS servers of clusters keep
/// an answer (30 s), or wait, as kube-proxy does, before they look for an API server again that was away (client-go's
/// reflectors: up to 60 s), and some more.
pub const SETTLED: Duration = Duration::from_secs(90);
