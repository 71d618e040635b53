//! A pod that asks for a node that does not exist. The old pod is gone before the new one is asked to start.

use serde_json::json;

use super::fault::{Fault, Step};
use super::part::Part;
use super::path::{self, Path};
use super::{Exercise, Needs};
use crate::exchange::names;
use crate::findings::Observed;
use crate::observe::Reading;
use crate::text::Hint;

pub const EXERCISE: Exercise = Exercise { number: 3, code: "unschedulable", needs: Needs::Nothing, faults, look };

const FIELD: &str = "spec.template.spec.nodeSelector";

fn faults() -> Vec<Fault> {
    let of = |label: &str, value: &str| {
        let all = Path::of(FIELD);
        let mut one = all.clone();
        one.0.push(path::Step::Field(label.to_owned()));
        let steps = vec![Step::Set { part: Part::Set, path: all.clone(), value: Some(json!({ (label): value })) }];
        Fault { part: Part::Set, fields: vec![all, one], steps }
    };
    // Kubernetes writes linux and amd64, and no node has these values.
    vec![
        of("kubernetes.io/os", "Linux"),
        of("kubernetes.io/arch", "x86_64"),
        of("kubernetes.io/hostname", "localhost.localdomain"),
    ]
}

fn look(observed: &Observed) -> Vec<Hint> {
    let by_hand = observed.by_hand;
    let (pod, set) = (format!("pod/{}", names::POSTGRES_POD), format!("statefulset/{}", names::POSTGRES));
    vec![
        by_hand.kubectl(["describe", &pod]).to("read what the scheduler says, in the events at the end"),
        // Not everybody may read nodes.
        match &observed.details.nodes {
            Reading::Present(_) => by_hand
                .kubectl_of_cluster("get nodes --show-labels")
                .to("compare what the pod asks for with what the nodes have"),
            _ => by_hand.kubectl(["get", &set, "-o", "yaml"]).to("see in its template for which nodes the pod asks"),
        },
    ]
}
