//! What a run over any `StatefulSet` has recorded: everything that its verdict rests on, and nothing else.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::output::Output;
use crate::observe::Reading;
use crate::persistence::How;
use crate::persistence::identity::{ClaimSeen, PodSeen};
use crate::persistence::rows::Run;
use crate::persistence::timeline::Timeline;

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    pub run: Run,
    pub set: SetSeen,
    /// How its pods were taken away.
    pub how: How,
    /// The pods that were to be taken away, in this order.
    pub planned: Vec<String>,
    /// What was run in each pod before, to write; none if nothing was.
    pub write: Option<String>,
    /// What was run in each pod before and after, to read; none if nothing was.
    pub read: Option<String>,
    /// The pods that were taken away.
    pub turns: Vec<Turn>,
}

/// Who the set is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SetSeen {
    pub name: String,
    pub uid: String,
}

/// One pod, from before it was taken away to after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Turn {
    /// When its end was asked for, by this machine's clock.
    pub asked_at: Timestamp,
    /// The container in which commands were run; none if none were. Reports were written before it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// Everything before.
    pub before: Moment,
    /// Everything after; absent if no pod was ready again in time.
    pub after: Reading<Moment>,
    /// What was seen meanwhile.
    pub timeline: Timeline,
    /// What the pod's own name leads to, once the new pod is ready. Unknown where nobody could ask.
    pub name: Reading<Resolved>,
}

/// A pod and what it has, at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Moment {
    pub pod: PodSeen,
    /// The claims that it names.
    pub claims: Vec<Claimed>,
    /// What was read in it.
    pub data: Reading<Output>,
}

/// A claim that a pod names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claimed {
    /// Its name, as the pod has it.
    pub name: String,
    pub claim: Reading<ClaimSeen>,
    /// The UID of the claim's volume.
    pub volume: Reading<String>,
}

/// What the DNS server answers for a pod's own name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resolved {
    /// The pod that asked.
    pub from: String,
    pub name: String,
    /// Its addresses; none if there is no such name.
    pub addresses: Vec<String>,
}

impl Resolved {
    /// Whether the name leads to a pod with these addresses, and nowhere else.
    #[must_use]
    pub fn leads_to(&self, addresses: &[String]) -> bool {
        !self.addresses.is_empty() && self.addresses.iter().all(|address| addresses.contains(address))
    }
}
