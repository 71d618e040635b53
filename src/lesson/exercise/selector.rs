//! A Service that selects no pod.

use super::fault::{Fault, Step};
use super::part::Part;
use super::{Exercise, Needs};
use crate::exchange::names;
use crate::findings::Observed;
use crate::text::Hint;

pub const EXERCISE: Exercise =
    Exercise { number: 2, code: "selector-matches-nothing", needs: Needs::Nothing, faults, look };

const FIELD: &str = "spec.selector.app";

fn faults() -> Vec<Fault> {
    let of = |part, app: &str| Fault::of_field(part, FIELD, app).or_named("spec.selector");
    // The backend keeps its connections to the database: only a new pod asks for the name again.
    let hidden = |fault: Fault| {
        fault
            .then(Step::WaitForNoName { service: names::POSTGRES_SERVICE })
            .then(Step::DeletePods { app: names::BACKEND })
            .then(Step::WaitForUpdate { part: Part::Backend })
    };
    vec![
        of(Part::BackendService, "back-end"),
        of(Part::BackendService, "kubecoin-backend"),
        of(Part::FrontendService, "front-end"),
        of(Part::FrontendService, "web"),
        hidden(of(Part::SetService, "postgresql")),
    ]
}

fn look(observed: &Observed) -> Vec<Hint> {
    let by_hand = observed.by_hand;
    vec![
        by_hand.kubectl("get services -o wide").to("see what each Service selects"),
        by_hand.kubectl("get pods --show-labels").to("see which labels the pods have"),
    ]
}
