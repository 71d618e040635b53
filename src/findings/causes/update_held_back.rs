use crate::exchange::names;
use crate::findings::{Cause, Finding, Observed, Weight, pods};
use crate::observe::readiness::{self, HeldBack};
use crate::text::Hint;

/// The set keeps pods of an older revision, as it was told to.
pub static CAUSE: Cause = Cause {
    id: "KC042",
    slug: "update-held-back",
    title: "A StatefulSet does not update its pods by itself",
    text: include_str!("update_held_back.md"),
    explains: &[],
    needs: &[],
    mend: None,
    judge: |observed| {
        let Some(held) = observed.snapshot.statefulset.present().and_then(readiness::held_back) else { return vec![] };
        let why = match held {
            HeldBack::OnDelete => {
                "its updateStrategy is OnDelete, so a pod is updated only when somebody deletes it".to_owned()
            }
            HeldBack::Partition(first) => {
                format!("its updateStrategy has the partition {first}, so only pods from this number on are updated")
            }
        };
        vec![Finding {
            cause: &CAUSE,
            weight: Weight::Info,
            app: names::POSTGRES,
            object: observed.snapshot.set_reference(),
            says: format!("keeps pods of an older revision: {why}"),
            hint: hint(observed, held),
        }]
    },
};

fn hint(observed: &Observed, held: HeldBack) -> Hint {
    const NO_PARTITION: &str = r#"{"spec":{"updateStrategy":{"rollingUpdate":{"partition":0}}}}"#;
    let by_hand = observed.by_hand;
    match held {
        HeldBack::OnDelete => {
            let mut pods = observed.snapshot.pods_of(names::POSTGRES);
            let pod = pods.next().map_or(format!("pod/{}", names::POSTGRES_POD), pods::reference);
            by_hand.kubectl(["delete", &pod]).to("to update it, delete the pod; its data stays")
        }
        HeldBack::Partition(_) => by_hand
            .kubectl(["patch", &observed.snapshot.set_reference(), "-p", NO_PARTITION])
            .to("to update all pods, remove the partition"),
    }
}
