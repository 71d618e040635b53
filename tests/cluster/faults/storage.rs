//! Faults of the claim and the volume.

use serde_json::{Value, json};

use super::fault::Expects::{Cause, Note};
use super::fault::Mend::{By, ByHint};
use super::fault::{Fault, Harm, Mend};
use super::place::{Place, Seen, on_node};

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
const DEPLOY_AGAIN: Mend = By("`teardown`, and `deploy --reuse-volume`", |place| {
    place.plugin("teardown --yes --timeout 3m");
    place.plugin("deploy --reuse-volume --timeout 3m");
});

/// The name of a volume that is not the exchange's.
fn another(place: Place) -> String {
    format!("another-{}", place.namespace)
}

/// A volume for the next claim that names it: this directory of the node, for this claim.
fn another_volume(place: Place, path: &str, owner: &Value) {
    place.create(&json!({
        "apiVersion": "v1", "kind": "PersistentVolume", "metadata": { "name": another(place) },
        "spec": {
            "capacity": { "storage": "1Gi" }, "accessModes": ["ReadWriteOncePod"],
            "hostPath": { "path": path }, "claimRef": owner,
        },
    }));
}

/// The exchange's volume, by the name that `deploy` gives it.
fn volume(place: Place) -> String {
    format!("pv/postgres-pv-{}", place.namespace)
}

/// Ends the database, does this on the node, and starts it again.
fn without_server(place: Place, script: &str) {
    place.kubectl("scale statefulset/postgres --replicas=0");
    place.kubectl("wait pod/postgres-0 --for=delete --timeout=3m");
    on_node(script);
    place.kubectl("scale statefulset/postgres --replicas=1");
    place.kubectl("wait pod/postgres-0 --for=create --timeout=1m");
    place.kubectl("wait pod/postgres-0 --for=condition=Ready --timeout=3m");
}

/// Puts the data on a disk of its own, in memory, and leaves it this much room. It is never larger than it is at first.
fn small_disk(place: Place, free: u32) {
    let directory = place.directory();
    without_server(
        place,
        &format!(
            "cp -a {directory} {directory}.kept
             mount -t tmpfs -o size=256m tmpfs {directory}
             cp -a {directory}.kept/. {directory}/
             rm -r {directory}.kept"
        ),
    );
    on_node(&format!(
        "used=$(df -Pk {directory} | awk 'END {{ print $3 }}')
         mount -o remount,size=$((used + {free} * 1024))k {directory}"
    ));
}

/// Whether the database's disk has less room than this, in MiB.
fn has_less_room_than(place: Place, mebibytes: u64) -> Seen {
    let said = place.of_server(&["df", "-Pk", "/var/lib/postgresql/data/pgdata"])?;
    let free = said.lines().last().and_then(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok());
    let free = free.ok_or(said)?;
    if free < mebibytes << 10 { Ok(()) } else { Err(format!("{free} KiB are free")) }
}

/// The disk as large as that of the node again.
const LARGE_DISK: Mend =
    By("room on the disk", |place| without_server(place, &format!("umount {}", place.directory())));

/// The exchange again without that volume, and with its own.
const WITHOUT_ANOTHER: Mend = By("`kubectl delete pvc postgres-pvc`, and `deploy --reuse-volume`", |place| {
    place.kubectl(&format!("delete {CLAIM} --ignore-not-found"));
    place.plugin("deploy --reuse-volume --timeout 3m");
    place.kubectl(&format!("delete pv/{}", another(place)));
});

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
        mend: DEPLOY_AGAIN,
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
            another_volume(place, &format!("/data/kubecoin/{}", another(place)), &json!(null));
            another_claim(place, |spec| {
                spec["volumeName"] = json!(another(place));
                spec["resources"]["requests"]["storage"] = json!("5Gi");
            });
        },
        holds: |place| place.has_event(CLAIM, "VolumeMismatch"),
        expects: Cause("volume-mismatch"),
        harm: Harm::Now,
        mend: WITHOUT_ANOTHER,
    },
    Fault {
        what: "the claim names a volume that is for a claim of another namespace",
        make: |place| {
            let owner = json!({ "namespace": "another-namespace", "name": "postgres-pvc" });
            another_volume(place, &format!("/data/kubecoin/{}", another(place)), &owner);
            another_claim(place, |spec| spec["volumeName"] = json!(another(place)));
        },
        holds: |place| place.has(CLAIM, "/status/phase", "Pending"),
        expects: Cause("volume-taken"),
        harm: Harm::Now,
        mend: By("its hint", |place| place.kubectl(&format!("delete pv/{}", another(place)))),
    },
    Fault {
        what: "the claim asks for a class whose provisioner nobody runs",
        make: |place| {
            place.create(&json!({
                "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": { "name": another(place) },
                "provisioner": "example.com/nobody",
            }));
            another_claim(place, |spec| {
                spec["storageClassName"] = json!(another(place));
                spec.as_object_mut().expect("a spec").remove("volumeName");
            });
        },
        holds: |place| place.has_event(CLAIM, "ExternalProvisioning"),
        expects: Cause("claim-unbound"),
        harm: Harm::Now,
        mend: By("`kubectl delete pvc postgres-pvc`, and `deploy --reuse-volume`", |place| {
            place.kubectl(&format!("delete {CLAIM}"));
            place.kubectl(&format!("delete storageclass/{}", another(place)));
            place.plugin("deploy --reuse-volume --timeout 3m");
        }),
    },
    Fault {
        what: "the volume is deleted under its claim, and its directory stays",
        make: |place| {
            place.kubectl(&format!("delete {} --wait=false", volume(place)));
            place.patch(&volume(place), &json!({ "metadata": { "finalizers": null } }));
        },
        holds: |place| place.has(CLAIM, "/status/phase", "Lost"),
        expects: Cause("claim-lost"),
        harm: Harm::Later,
        mend: ByHint,
    },
    Fault {
        what: "the claim is bound to another volume, and the one that is reserved for it waits",
        make: |place| {
            let owner = json!({ "namespace": place.namespace, "name": "postgres-pvc" });
            another_volume(place, &place.directory(), &owner);
            another_claim(place, |spec| spec["volumeName"] = json!(another(place)));
            let never_bound = json!({ "spec": { "claimRef": { "uid": null, "resourceVersion": null } } });
            place.patch(&volume(place), &never_bound);
            place.kubectl("wait pod/postgres-0 --for=condition=Ready --timeout=3m");
        },
        holds: |place| place.has(&volume(place), "/status/phase", "Available"),
        expects: Note("other-storage"),
        harm: Harm::Later,
        mend: By("what `explain` says of it: the data moved to the volume that waits", |place| {
            place.kubectl("scale statefulset/postgres --replicas=0");
            place.kubectl("wait pod/postgres-0 --for=delete --timeout=3m");
            place.kubectl(&format!("delete {CLAIM}"));
            place.kubectl(&format!("delete pv/{}", another(place)));
            place.deploy();
        }),
    },
    Fault {
        what: "the volume is to be deleted with its claim",
        make: |place| {
            place.patch(&volume(place), &json!({ "spec": { "persistentVolumeReclaimPolicy": "Delete" } }));
        },
        holds: |place| place.has(&volume(place), "/spec/persistentVolumeReclaimPolicy", "Delete"),
        expects: Note("reclaim-delete"),
        harm: Harm::Later,
        mend: ByHint,
    },
    Fault {
        what: "the disk of the volume has little room",
        make: |place| small_disk(place, 40),
        holds: |place| has_less_room_than(place, 64),
        expects: Note("volume-nearly-full"),
        harm: Harm::Later,
        mend: LARGE_DISK,
    },
    Fault {
        what: "the disk of the volume has no room for the next file of PostgreSQL's log",
        make: |place| small_disk(place, 8),
        holds: |place| has_less_room_than(place, 16),
        expects: Cause("volume-full"),
        harm: Harm::ByChance,
        mend: LARGE_DISK,
    },
];
