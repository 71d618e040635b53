//! Question 1: why the database is a StatefulSet. The same steps in a StatefulSet, in a Deployment without a volume, and in a
//! Deployment with a claim: it is not the kind that keeps the data.

use serde::{Deserialize, Serialize};

use super::question::{Choice, Question};
use super::storage;
use crate::observe::Reading;
use crate::persistence::contrast::{self, Contrast};
use crate::persistence::evidence::Evidence;
use crate::persistence::verdict::{Check, NOT_SHOWN};

/// The question.
pub const QUESTION: Question = Question {
    number: 1,
    title: "why a StatefulSet",
    asks: "Why is the database a StatefulSet, and not a Deployment?",
    choices: &[
        Choice {
            says: "Because a Deployment loses the data when its pod is deleted.",
            why: "The Deployment with a claim kept all rows. Where the data is stored decides that, not the kind of the workload.",
            is_right: false,
        },
        Choice {
            says: "Because a StatefulSet copies the data to other pods.",
            why: "Kubernetes copies no data. PostgreSQL has to do that itself, with replication.",
            is_right: false,
        },
        Choice {
            says: "Because a Deployment does not create a deleted pod again.",
            why: "Both create a new pod. The one of a Deployment has another name.",
            is_right: false,
        },
        Choice {
            says: "Because each of its pods keeps its own name and its own claim.",
            why: "Only the pod of the StatefulSet came back under the same name, so clients find the same server again.",
            is_right: true,
        },
    ],
    does: "does the same to the StatefulSet, to a Deployment without a volume and to a Deployment with a claim: writes rows, \
           deletes the pod, reads the rows",
    seconds: 45,
    room: Some("room for one more pod and one more claim, whose volume the cluster creates"),
    answer: "A StatefulSet gives each pod a name that stays, and with it its own claim and its own name in DNS. It is the claim \
             that keeps the data: a Deployment with a claim keeps it too, under a new pod name each time.",
    not_shown: &NOT_SHOWN,
    topic: "statefulset",
};

/// What was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// The StatefulSet.
    pub level_2: Evidence,
    /// The Deployment without a volume.
    pub level_1: Reading<Contrast>,
    /// The Deployment with a claim.
    pub with_claim: Reading<Contrast>,
}

impl Seen {
    /// What it comes to.
    #[must_use]
    pub fn checks(&self) -> Vec<Check> {
        let level_2 = storage::Seen(self.level_2.clone()).checks();
        let others = [contrast::judge(&self.level_1), Some(contrast::judge_with_claim(&self.with_claim))];
        level_2.into_iter().chain(others.into_iter().flatten()).collect()
    }

    /// What was seen, in a sentence.
    #[must_use]
    pub fn observed(&self) -> String {
        let names = |turn: &crate::persistence::evidence::Turn| {
            turn.after.present().map(|after| (turn.before.pod.name.clone(), after.pod.name.clone()))
        };
        let level_2 = self.level_2.turns.last().and_then(names);
        let with_claim = self.with_claim.present().and_then(|contrast| names(&contrast.turn));
        let (Some((old, new)), Some((first, next))) = (level_2, with_claim) else {
            return "Not all three could be compared.".to_owned();
        };
        let lost = self.level_1.present().and_then(contrast::rows_left);
        let kept = self.with_claim.present().and_then(contrast::rows_left);
        let rows = |left: Option<usize>| left.map_or("an unknown number of".to_owned(), |left| left.to_string());
        format!(
            "StatefulSet: pod/{old}, then pod/{new}. Deployment with a claim: pod/{first}, then pod/{next}, {} rows left; \
             without a volume {} rows left.",
            rows(kept),
            rows(lost)
        )
    }

    /// The same with one thing changed, by which the answer must become no.
    #[must_use]
    pub fn with_something_changed(&self) -> Option<(Self, String)> {
        let (storage::Seen(level_2), what) = storage::Seen(self.level_2.clone()).with_something_changed()?;
        Some((Self { level_2, ..self.clone() }, what))
    }
}
