//! A label that the pod lost: its set does not find it any more, and cannot create another one under the same name.

use super::fault::Fault;
use super::part::Part;
use super::{Exercise, Needs};
use crate::exchange::names;
use crate::findings::Observed;
use crate::text::Hint;

pub const EXERCISE: Exercise = Exercise { number: 10, code: "orphaned-pod", needs: Needs::Nothing, faults, look };

fn faults() -> Vec<Fault> {
    let of = |app: &str| Fault::of_field(Part::Pod, "metadata.labels.app", app).or_named("metadata.labels");
    vec![of("postgresql"), of("database"), of("postgres-0")]
}

fn look(observed: &Observed) -> Vec<Hint> {
    let by_hand = observed.by_hand;
    let set = format!("statefulset/{}", names::POSTGRES);
    vec![
        by_hand.kubectl("get pods --show-labels").to("see which labels the pods have"),
        by_hand.kubectl(["describe", &set]).to("see by which labels the set finds its pods, and what it cannot do"),
    ]
}
