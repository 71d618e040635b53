//! An update that is held back. The database's pod is of a revision that listens to nobody else, the set has long been
//! corrected, and its partition keeps the pod as it is, even if it is deleted.

use serde_json::json;

use super::fault::{Fault, Step};
use super::part::Part;
use super::path::Path;
use super::{Exercise, Needs};
use crate::exchange::names;
use crate::findings::Observed;
use crate::text::Hint;

pub const EXERCISE: Exercise = Exercise { number: 8, code: "update-held-back", needs: Needs::Nothing, faults, look };

const FIELD: &str = "spec.updateStrategy.rollingUpdate.partition";
const ARGS: &str = "spec.template.spec.containers[postgres].args";

fn faults() -> Vec<Fault> {
    let of = |partition: i32, address: &str| {
        let (part, args) = (Part::Set, Path::of(ARGS));
        let listening = format!("listen_addresses={address}");
        // Ready: the probes ask from inside the pod. Only so the set takes this revision for the one to go back to.
        let old = json!(["postgres", "-c", "cluster_name=$(POD_NAME)", "-c", listening]);
        let steps = vec![
            Step::Set { part, path: args.clone(), value: Some(old) },
            Step::WaitForUpdate { part },
            Step::Set { part, path: Path::of(FIELD), value: Some(partition.into()) },
            Step::Restore { part, path: args },
        ];
        Fault { part, fields: vec![Path::of(FIELD), Path::of("spec.updateStrategy.rollingUpdate")], steps }
    };
    vec![of(1, "127.0.0.1"), of(1, "localhost"), of(2, "localhost"), of(3, "127.0.0.1")]
}

fn look(observed: &Observed) -> Vec<Hint> {
    let by_hand = observed.by_hand;
    let set = format!("statefulset/{}", names::POSTGRES);
    let pod = format!("pod/{}", names::POSTGRES_POD);
    vec![
        by_hand.kubectl(["describe", &pod]).to("see with which arguments the database runs"),
        by_hand
            .kubectl(["get", &set, "-o", "yaml"])
            .to("compare them with the template, and the two revisions in its status"),
    ]
}
