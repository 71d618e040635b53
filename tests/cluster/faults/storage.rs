//! Faults of the claim and the volume.

use serde_json::{Value, json};

use super::fault::Expects::Cause;
use super::fault::Mend::{By, ByHint};
use super::fault::{Fault, Harm};
use super::place::Place;

const CLAIM: &str = "pvc/postgres-pvc";

/// Puts another claim in the place of the one that there is, with a pod that waits for it.
fn another_claim(place: Place, change: impl FnOnce(&mut Value)) {
    let mut claim = place.copy(CLAIM);
    change(&mut claim["spec"]);
    place.kubectl(&format!("delete {CLAIM} --wait=false"));
    place.kubectl("delete pod/postgres-0");
    place.kubectl(&format!("wait {CLAIM} --for=delete --timeout=3m"));
    place.create(&claim);
}

/// The exchange again, with the data of its volume.
const DEPLOY_AGAIN: fn(Place) = |place| {
    place.plugin("teardown --yes --timeout 3m");
    place.plugin("deploy --reuse-volume --timeout 3m");
};

/// The name of a volume that is not the exchange's.
fn another(place: Place) -> String {
    format!("another-{}", place.namespace)
}

/// A volume for the next claim that names it.
fn another_volume(place: Place) {
    place.create(&json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": { "name": another(place) },
        "spec": {
            "capacity": { "storage": "1Gi" }, "accessModes": ["ReadWriteOncePod"],
            "hostPath": { "path": format!("/data/kubecoin/{}", another(place)) },
        },
    }));
}

/// The exchange again without that volume, and with its own.
const WITHOUT_ANOTHER: fn(Place) = |place| {
    place.kubectl(&format!("delete {CLAIM} --ignore-not-found"));
    place.plugin("deploy --reuse-volume --timeout 3m");
    place.kubectl(&format!("delete pv/{}", another(place)));
};

pub const FAULTS: &[Fault] = &[
    Fault {
        what: "the claim is deleted while a pod uses it",
        make: |place| place.kubectl(&format!("delete {CLAIM} --wait=false")),
        holds: |place| match place.field(CLAIM, "/metadata/deletionTimestamp") {
            time if time.is_empty() => Err("it is not deleted".to_owned()),
            _ => Ok(()),
        },
        expects: Cause("terminating"),
        harm: Harm::Later,
        mend: By(DEPLOY_AGAIN),
    },
    Fault {
        what: "the claim is deleted, and gone",
        make: |place| {
            place.kubectl(&format!("delete {CLAIM} --wait=false"));
            place.kubectl("delete pod/postgres-0");
        },
        holds: |place| place.lacks(CLAIM),
        expects: Cause("missing"),
        harm: Harm::Now,
        mend: ByHint,
    },
    Fault {
        what: "the claim is created again, and its volume still has the data of the one before",
        make: |place| another_claim(place, |_| {}),
        holds: |place| place.has(CLAIM, "/status/phase", "Pending"),
        expects: Cause("volume-released"),
        harm: Harm::Now,
        mend: ByHint,
    },
    Fault {
        what: "the claim asks for a class that does not exist",
        make: |place| {
            another_claim(place, |spec| {
                spec["storageClassName"] = json!("nowhere");
                spec.as_object_mut().expect("a spec").remove("volumeName");
            });
        },
        holds: |place| place.has(CLAIM, "/status/phase", "Pending"),
        expects: Cause("class-missing"),
        harm: Harm::Now,
        mend: ByHint,
    },
    Fault {
        what: "the claim names a volume that is too small for it",
        make: |place| {
            another_volume(place);
            another_claim(place, |spec| {
                spec["volumeName"] = json!(another(place));
                spec["resources"]["requests"]["storage"] = json!("5Gi");
            });
        },
        holds: |place| place.has_event(CLAIM, "VolumeMismatch"),
        expects: Cause("volume-mismatch"),
        harm: Harm::Now,
        mend: By(WITHOUT_ANOTHER),
    },
];
