//! What outlives a pod: identities, rows and the timeline of a replacement, and what they prove. Pure: it reads no cluster.

pub mod about;
pub mod contrast;
pub mod ending;
pub mod evidence;
pub mod history;
pub mod identity;
pub mod load;
pub mod output;
pub mod proof;
pub mod recovery;
pub mod report;
pub mod revision;
pub mod rows;
pub mod setting;
pub mod timeline;
pub mod verdict;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// How the server is stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum How {
    /// The pod is deleted, and has its time to stop
    #[default]
    Delete,
    /// The server is stopped at once in its pod, which stays
    Crash,
    /// The pod is deleted, and has one second to stop
    Kill,
    /// The pod is evicted, as when a node is drained
    Evict,
    /// The pod is deleted without waiting for its end: gives up that there is one server at most
    Force,
    /// The node of the server is stopped with all its pods, and started again, by commands of yours
    Node,
}

impl How {
    /// Whether another pod comes in place of the old one. That of a node that is away comes back with it, unless the cluster has
    /// deleted it meanwhile.
    #[must_use]
    pub fn replaces_pod(self) -> bool {
        !matches!(self, Self::Crash | Self::Node)
    }

    /// What it is.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::Delete | Self::Kill | Self::Force => "deletion",
            Self::Crash => "crash",
            Self::Evict => "eviction",
            Self::Node => "node stop",
        }
    }

    /// What is asked of the cluster, or done to it.
    #[must_use]
    pub fn asked(self) -> &'static str {
        match self {
            Self::Delete => "deletion",
            Self::Crash => "immediate stop",
            Self::Kill => "deletion, grace 1 s",
            Self::Evict => "eviction",
            Self::Force => "deletion, grace 0",
            Self::Node => "node stop",
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
