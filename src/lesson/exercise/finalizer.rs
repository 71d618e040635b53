//! A finalizer that nobody removes: the pod was deleted and has ended, and the set may not create the next one.

use serde_json::json;

use super::fault::{Fault, Step};
use super::part::Part;
use super::{Exercise, Needs};
use crate::exchange::names;
use crate::findings::Observed;
use crate::text::Hint;

pub const EXERCISE: Exercise = Exercise { number: 5, code: "stopping", needs: Needs::Nothing, faults, look };

fn faults() -> Vec<Fault> {
    let of = |finalizer: &str| {
        Fault::of_field(Part::Pod, "metadata.finalizers", json!([finalizer]))
            .or_named("metadata.finalizers[0]")
            .then(Step::DeletePods { app: names::POSTGRES })
    };
    vec![of("backup.example.com/wait-for-backup"), of("audit.example.com/keep"), of("example.com/drain")]
}

fn look(observed: &Observed) -> Vec<Hint> {
    let by_hand = observed.by_hand;
    let pod = format!("pod/{}", names::POSTGRES_POD);
    vec![
        by_hand.kubectl("get pods").to("see which pod stays, and what its containers do"),
        by_hand
            .kubectl(["get", &pod, "-o", "yaml"])
            .to("read its metadata: when it was deleted, and what it waits for"),
    ]
}
