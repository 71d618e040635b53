//! A volume that waits for a claim that is gone, while another one of the same name waits for the volume.

use super::fault::{Fault, Step};
use super::part::Part;
use super::path::Path;
use super::{Exercise, Needs};
use crate::exchange::names;
use crate::findings::Observed;
use crate::text::Hint;

pub const EXERCISE: Exercise = Exercise { number: 12, code: "volume-released", needs: Needs::Volume, faults, look };

fn faults() -> Vec<Fault> {
    let fields = ["spec.claimRef.uid", "spec.claimRef"].map(Path::of).into();
    vec![Fault { part: Part::Volume, fields, steps: vec![Step::ReplaceClaim] }]
}

fn look(observed: &Observed) -> Vec<Hint> {
    let by_hand = observed.by_hand;
    let volume = format!("persistentvolume/{}", names::volume(observed.namespace));
    vec![
        by_hand
            .kubectl(["get", "pvc", names::CLAIM, "-o", "yaml"])
            .to("see which volume the claim names, and its own uid"),
        by_hand
            .kubectl_of_cluster(["get", &volume, "-o", "yaml"])
            .to("see the volume's phase, and for which claim it is"),
    ]
}
