//! A probe that asks at another port. To correct it is not enough: the set does not replace a pod that never became ready.

use serde_json::json;

use super::fault::Fault;
use super::part::Part;
use super::{Exercise, Needs};
use crate::exchange::names;
use crate::findings::Observed;
use crate::text::Hint;

// A container of the set, not of a Deployment, whose old pod would serve on.
pub const EXERCISE: Exercise = Exercise { number: 11, code: "probe-failing", needs: Needs::Nothing, faults, look };

fn faults() -> Vec<Fault> {
    let of = |port: &str| {
        let command = json!(["pg_isready", "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-d", "kubecoin"]);
        let probe = "spec.template.spec.containers[postgres].readinessProbe";
        // The fifth word is the port.
        let field = format!("{probe}.exec.command");
        Fault::of_field(Part::Set, &field, command)
            .or_named(&format!("{field}[4]"))
            .or_named(&format!("{probe}.exec"))
            .or_named(probe)
    };
    vec![of("5433"), of("5423"), of("54320")]
}

fn look(observed: &Observed) -> Vec<Hint> {
    let by_hand = observed.by_hand;
    let pod = format!("pod/{}", names::POSTGRES_POD);
    vec![
        by_hand
            .kubectl(["describe", &pod])
            .to("compare the three probes of its container, and read the events at the end"),
        by_hand.kubectl(["logs", names::POSTGRES_POD, "--tail", "20"]).to("see where the database listens"),
    ]
}
