//! Question 5: why the data is still there after its pod was deleted. It is answered by what `persistence-demo` does.

use serde::{Deserialize, Serialize};

use super::question::{Choice, Question};
use crate::persistence::evidence::{Evidence, Turn};
use crate::persistence::report;
use crate::persistence::verdict::{self, Check, Verdict};

/// The question.
pub const QUESTION: Question = Question {
    number: 5,
    title: "why the data is still there",
    asks: "The database's pod is deleted. Are the rows still there afterwards, and why?",
    choices: &[
        Choice {
            says: "No. The rows are deleted with the pod.",
            why: "The rows were there again. They are in files on the volume, and only the pod was deleted.",
            is_right: false,
        },
        Choice {
            says: "Yes. The StatefulSet copies the rows into the next pod.",
            why: "Nothing was copied. Both pods used one volume, one after the other, and a StatefulSet knows nothing of rows.",
            is_right: false,
        },
        Choice {
            says: "Yes. The next pod uses the same claim, and so the same files.",
            why: "The claim has the same UID before and after, and PostgreSQL in the new pod has the same system identifier.",
            is_right: true,
        },
        Choice {
            says: "Yes. It is the same pod, which was only restarted.",
            why: "It is another pod. It has the same name, and another UID.",
            is_right: false,
        },
    ],
    does: "writes marked rows, deletes pod/postgres-0, waits until the database answers again, and compares",
    seconds: 15,
    room: None,
    answer: "The rows are in files on a PersistentVolume, and the claim leads each new pod to the same volume. The pod and its \
             own file system are gone; the claim, the volume and the files stay.",
    not_shown: &verdict::NOT_SHOWN,
    topic: "pv-pvc",
    recorded: None,
};

/// What was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seen(pub Evidence);

impl Seen {
    /// What it comes to.
    #[must_use]
    pub fn checks(&self) -> Vec<Check> {
        checks(&self.0)
    }

    /// What was seen, in a sentence.
    #[must_use]
    pub fn observed(&self) -> String {
        match self.0.turns.last() {
            Some(turn) => observed(&self.0, turn),
            None => "nothing was deleted".to_owned(),
        }
    }

    /// The same with one thing changed, by which the answer must become no.
    #[must_use]
    pub fn with_something_changed(&self) -> Option<(Self, String)> {
        report::with_something_changed(&self.0).map(|(other, what)| (Self(other), what))
    }
}

/// What is shown of a set whose pod was deleted.
#[must_use]
pub fn checks(evidence: &Evidence) -> Vec<Check> {
    let Verdict { pods, complete, .. } = verdict::judge(evidence);
    pods.into_iter().flat_map(|pod| pod.checks).chain([complete]).collect()
}

fn observed(evidence: &Evidence, turn: &Turn) -> String {
    let before = &turn.before.pod;
    let Some(after) = turn.after.present() else {
        return format!("pod/{} was deleted, and it is not known what came after it", before.name);
    };
    let is = if after.pod.uid == before.uid { "has the same UID" } else { "has another UID" };
    let rows = turn.before.rows().filter(|row| after.rows().any(|there| there.id == row.id)).count();
    let all = turn.before.rows().count();
    let claim = after.claims.first().map(|claim| format!(", on claim {}", claim.name)).unwrap_or_default();
    let set = &evidence.set.name;
    format!(
        "statefulset/{set} created pod/{} again. It {is}, and {rows} of {all} rows are there{claim}.",
        after.pod.name
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persistence::evidence::Moment;
    use crate::persistence::identity::PodSeen;
    use crate::persistence::tests::{after, healthy};
    use crate::persistence::verdict::{Holds, holds};

    fn comes_to(change: impl FnOnce(&mut Moment)) -> Holds {
        let mut evidence = healthy(2, 3);
        change(after(&mut evidence.turns[0]));
        holds(Seen(evidence).checks().iter())
    }

    #[test]
    fn what_persistence_demo_proves_is_the_answer() {
        let seen = Seen(healthy(2, 3));
        assert_eq!(holds(seen.checks().iter()), Holds::Yes);
        assert!(seen.observed().contains("has another UID, and 5 of 5 rows are there"), "{}", seen.observed());
        let (other, _) = seen.with_something_changed().unwrap();
        assert_eq!(holds(other.checks().iter()), Holds::No);
    }

    #[test]
    fn a_pod_that_was_not_replaced_shows_nothing() {
        let uid = healthy(2, 3).turns[0].before.pod.uid.clone();
        let same = comes_to(|after| after.pod = PodSeen { uid: uid.clone(), ..after.pod.clone() });
        assert_ne!(same, Holds::Yes);
    }
}
