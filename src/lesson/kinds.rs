//! Question 1: why the database is a StatefulSet. The same steps in a StatefulSet, in a Deployment without a volume, and in a
//! Deployment with a claim: it is not the kind that keeps the data.

use serde::{Deserialize, Serialize};

use super::question::{Choice, Question};
use super::storage;
use crate::observe::Reading;
use crate::persistence::contrast::{self, Contrast};
use crate::persistence::evidence::{Evidence, Turn};
use crate::persistence::report;
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
    recorded: Some(include_str!("recorded/1.json")),
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
        let level_2 = storage::checks(&self.level_2);
        let others = [contrast::judge(&self.level_1), Some(contrast::judge_with_claim(&self.with_claim))];
        level_2.into_iter().chain(others.into_iter().flatten()).collect()
    }

    /// What was seen, in a sentence.
    #[must_use]
    pub fn observed(&self) -> String {
        let [level_1, with_claim] = [&self.level_1, &self.with_claim].map(|one| one.present().and_then(of_deployment));
        let level_2 = self.level_2.turns.last().and_then(names);
        let (Some((old, new)), Some(level_1), Some(with_claim)) = (level_2, level_1, with_claim) else {
            return "Not all three could be compared.".to_owned();
        };
        format!(
            "StatefulSet: pod {old}, then {new} again. Deployment with a claim: {with_claim}. Deployment without a volume: \
             {level_1}."
        )
    }

    /// The same with one thing changed, by which the answer must become no.
    #[must_use]
    pub fn with_something_changed(&self) -> Option<(Self, String)> {
        let (level_2, what) = report::with_something_changed(&self.level_2)?;
        Some((Self { level_2, ..self.clone() }, what))
    }
}

/// The names of the pod before and after.
fn names(turn: &Turn) -> Option<(&str, &str)> {
    turn.after.present().map(|after| (turn.before.pod.name.as_str(), after.pod.name.as_str()))
}

/// What was seen of a Deployment, in a few words. Of the names of its pods, only the end differs.
fn of_deployment(contrast: &Contrast) -> Option<String> {
    let (old, new) = names(&contrast.turn)?;
    let end = |name: &str| name.rsplit('-').next().unwrap_or_default().to_owned();
    let left = contrast::rows_left(contrast)?;
    Some(format!("pod …{}, then …{}, and {left} of {} rows left", end(old), end(new), contrast.marked))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Reason;
    use crate::persistence::evidence::Database;
    use crate::persistence::tests::{after, database, healthy};
    use crate::persistence::verdict::{Holds, holds};

    /// As it should be: three rows, and a Deployment that keeps them and one that does not.
    pub fn right() -> Seen {
        Seen {
            level_2: healthy(0, 3),
            level_1: Reading::Present(contrast::tests::shown(3)),
            with_claim: Reading::Present(contrast::tests::kept(3)),
        }
    }

    fn comes_to(change: impl FnOnce(&mut Seen)) -> Holds {
        let mut seen = right();
        change(&mut seen);
        holds(seen.checks().iter())
    }

    fn of(seen: &mut Reading<Contrast>) -> &mut Contrast {
        let Reading::Present(contrast) = seen else { panic!("it is there") };
        contrast
    }

    fn database_after(seen: &mut Reading<Contrast>) -> &mut Database {
        database(after(&mut of(seen).turn))
    }

    #[test]
    fn the_kind_alone_loses_no_data() {
        assert_eq!(comes_to(|_| {}), Holds::Yes, "{:#?}", right().checks());
        let said = right().observed();
        assert!(said.contains("pod postgres-0, then postgres-0 again"), "{said}");
        assert!(said.contains("Deployment with a claim: pod …a, then …b, and 3 of 3 rows left"), "{said}");
        assert!(said.contains("without a volume: pod …a, then …b, and 0 of 3 rows left"), "{said}");
        let (other, _) = right().with_something_changed().unwrap();
        assert_eq!(holds(other.checks().iter()), Holds::No);
    }

    #[test]
    fn rows_that_differ_are_never_the_answer() {
        assert_eq!(comes_to(|seen| database_after(&mut seen.with_claim).rows = Reading::Absent), Holds::No);
        let other_claim = |seen: &mut Seen| after(&mut of(&mut seen.with_claim).turn).claims.clear();
        assert_eq!(comes_to(other_claim), Holds::No);
        let other_server = |seen: &mut Seen| database_after(&mut seen.with_claim).server.system = "1".into();
        assert_eq!(comes_to(other_server), Holds::No);
        assert_eq!(comes_to(|seen| seen.level_1 = seen.with_claim.clone()), Holds::Unknown);
        assert_eq!(comes_to(|seen| seen.with_claim = seen.level_1.clone()), Holds::Unknown);
    }

    #[test]
    fn what_was_not_seen_is_not_known() {
        let failed = || Reading::Unknown(Reason::Failed("exceeded quota: small".into()));
        assert_eq!(comes_to(|seen| seen.with_claim = failed()), Holds::Unknown);
        assert_eq!(comes_to(|seen| seen.level_1 = failed()), Holds::Unknown);
        assert_eq!(comes_to(|seen| seen.with_claim = Reading::NotAsked), Holds::Unknown);
        assert_eq!(comes_to(|seen| of(&mut seen.with_claim).turn.after = Reading::Absent), Holds::Unknown);
        let same_pod = |seen: &mut Seen| {
            let turn = &mut of(&mut seen.with_claim).turn;
            let uid = turn.before.pod.uid.clone();
            after(turn).pod.uid = uid;
        };
        assert_eq!(comes_to(same_pod), Holds::Unknown);
        let mut seen = right();
        seen.level_1 = failed();
        assert_eq!(seen.observed(), "Not all three could be compared.");
    }
}
