//! How the members of a replicated database stand to each other: what has to be known before one of them is taken away.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;

use crate::observe::replication::{Said, is_following};
use crate::observe::{Reading, Reason, Snapshot, readiness};

/// Who is what.
pub struct Standing<'a> {
    /// The member that takes writes.
    pub primary: String,
    timeline: Option<u32>,
    /// The standbys of which one has every acknowledged row.
    synchronous: &'a [String],
}

impl<'a> Standing<'a> {
    /// Who is what, once that is known and does not change just now.
    ///
    /// # Errors
    /// Why it is not known, in words that end a sentence.
    pub fn of(snapshot: &'a Snapshot) -> Result<Self, String> {
        let Some(primary) = snapshot.primary().filter(|pod| readiness::pod(pod)) else {
            return Err("no member is the primary".to_owned());
        };
        let replication = match &snapshot.replication {
            Reading::Present(replication) => replication,
            Reading::Unknown(Reason::Failed(why) | Reason::Forbidden(why)) => {
                return Err(format!("who has every acknowledged row is unknown: {why}"));
            }
            Reading::Absent | Reading::NotAsked => {
                return Err("who has every acknowledged row is unknown".to_owned());
            }
        };
        let name = primary.name_any();
        if replication.leader.as_ref() != Some(&name) {
            return Err("the primary is changing".to_owned());
        }
        let timeline = Said::of(primary).and_then(|said| said.timeline);
        Ok(Self { primary: name, timeline, synchronous: &replication.synchronous })
    }

    /// Whether a member is the primary.
    #[must_use]
    pub fn is_primary(&self, pod: &Pod) -> bool {
        pod.name_any() == self.primary
    }

    /// Whether a member is the primary or follows it.
    #[must_use]
    pub fn is_with_it(&self, pod: &Pod) -> bool {
        self.is_primary(pod) || is_following(pod, self.timeline)
    }

    /// Whether a member is a standby of which the primary waits for an answer to each commit.
    #[must_use]
    pub fn is_synchronous(&self, pod: &Pod) -> bool {
        !self.is_primary(pod) && self.synchronous.contains(&pod.name_any())
    }

    /// Whether a member is a standby that has every acknowledged row, and so may become the primary.
    #[must_use]
    pub fn has_every_row(&self, pod: &Pod) -> bool {
        self.is_synchronous(pod) && self.is_with_it(pod)
    }
}
