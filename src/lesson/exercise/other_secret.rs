//! A password from another Secret, which PostgreSQL rejects.

use super::fault::{Fault, Step};
use super::part::Part;
use super::{Exercise, Needs};
use crate::exchange::names;
use crate::findings::Observed;
use crate::text::Hint;

// Its new pod becomes ready, and replaces the old one: readiness does not depend on the database.
pub const EXERCISE: Exercise =
    Exercise { number: 9, code: "credentials-refused", needs: Needs::RoomFor(Part::Backend), faults, look };

fn faults() -> Vec<Fault> {
    let of = |secret: &'static str| {
        let source = "spec.template.spec.containers[backend].env[DB_PASSWORD].valueFrom.secretKeyRef";
        let mut fault = Fault::of_field(Part::Backend, &format!("{source}.name"), secret).or_named(source);
        fault.steps.insert(0, Step::CreateSecret { name: secret });
        fault.then(Step::WaitForUpdate { part: Part::Backend })
    };
    vec![of("postgres-credentials-old"), of("postgres-credentials-test"), of("backend-credentials")]
}

fn look(observed: &Observed) -> Vec<Hint> {
    let by_hand = observed.by_hand;
    let (backend, set) = (format!("deployment/{}", names::BACKEND), format!("statefulset/{}", names::POSTGRES));
    vec![
        by_hand.kubectl(["logs", &backend, "--tail", "20"]).to("read what PostgreSQL answers the backend"),
        by_hand.kubectl(["describe", &backend, &set]).to("compare where each of the two has its password from"),
    ]
}
