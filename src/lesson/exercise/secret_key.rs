//! A key that the Secret does not have. To correct it is not enough: the set does not replace a pod that never became ready.

use super::fault::Fault;
use super::part::Part;
use super::{Exercise, Needs};
use crate::exchange::names;
use crate::findings::Observed;
use crate::text::Hint;

// A container of the set, not of a Deployment, whose old pod would serve on.
pub const EXERCISE: Exercise =
    Exercise { number: 7, code: "configuration-missing", needs: Needs::Nothing, faults, look };

fn faults() -> Vec<Fault> {
    let of = |variable: &str, key: &str| {
        let source = format!("spec.template.spec.containers[postgres].env[{variable}].valueFrom.secretKeyRef");
        Fault::of_field(Part::Set, &format!("{source}.key"), key).or_named(&source)
    };
    vec![
        of("POSTGRES_PASSWORD", "Password"),
        of("POSTGRES_PASSWORD", "passwd"),
        of("POSTGRES_USER", "user"),
        of("POSTGRES_USER", "userName"),
    ]
}

fn look(observed: &Observed) -> Vec<Hint> {
    let by_hand = observed.by_hand;
    let pod = format!("pod/{}", names::POSTGRES_POD);
    vec![
        by_hand.kubectl(["describe", &pod]).to("read its environment, and its events at the end"),
        by_hand.kubectl("describe secret").to("compare it with what the Secrets have; their values are not shown"),
    ]
}
