//! A Service that leads to a port at which nobody listens.

use serde_json::{Value, json};

use super::fault::Fault;
use super::part::Part;
use super::{Exercise, Needs};
use crate::findings::Observed;
use crate::text::Hint;

pub const EXERCISE: Exercise = Exercise { number: 6, code: "port-leads-nowhere", needs: Needs::Nothing, faults, look };

fn faults() -> Vec<Fault> {
    let of = |part, port: Value| Fault::of_field(part, "spec.ports[http].targetPort", port);
    vec![
        of(Part::BackendService, json!(5001)),
        of(Part::BackendService, json!("web")),
        of(Part::FrontendService, json!(80)),
        of(Part::FrontendService, json!(8000)),
        of(Part::FrontendService, json!("https")),
    ]
}

fn look(observed: &Observed) -> Vec<Hint> {
    let by_hand = observed.by_hand;
    vec![
        by_hand.kubectl("describe services").to("see to which port of the pods each Service leads"),
        by_hand.kubectl("describe pods").to("see which ports the pods have, by name and by number"),
    ]
}
