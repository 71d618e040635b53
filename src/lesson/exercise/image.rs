//! An image that does not exist. To correct it is not enough: the set does not replace a pod that never became ready.

use super::fault::Fault;
use super::part::Part;
use super::{Exercise, Needs};
use crate::exchange::names;
use crate::findings::Observed;
use crate::text::Hint;

pub const EXERCISE: Exercise = Exercise { number: 1, code: "image-pull", needs: Needs::Nothing, faults, look };

fn faults() -> Vec<Fault> {
    let of = |image: &str| Fault::of_field(Part::Set, "spec.template.spec.containers[postgres].image", image);
    // No registry is asked, which could be far away or slow: two are no names of images, and the third leads to the node.
    vec![of("docker.io/library/Postgres:17"), of("docker.io/library/postgres:17:latest"), of("localhost:5/postgres:17")]
}

fn look(observed: &Observed) -> Vec<Hint> {
    let by_hand = observed.by_hand;
    let pod = format!("pod/{}", names::POSTGRES_POD);
    let set = format!("statefulset/{}", names::POSTGRES);
    vec![
        by_hand.kubectl(["describe", &pod]).to("read the events of the pod, at the end"),
        by_hand.kubectl(["describe", &set]).to("compare them with the pod template of its StatefulSet"),
    ]
}
