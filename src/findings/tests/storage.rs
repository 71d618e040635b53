//! The causes that lie in claims, volumes and nodes.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, PersistentVolume};
use k8s_openapi::api::storage::v1::StorageClass;

use super::*;
use crate::program;

/// The uid of the claim in these tests.
const UID: &str = "uid-claim";

/// What kubectl would write for a scheduler that has no node.
fn pending(message: &str) -> Value {
    let mut pod = container(&json!({}), 0);
    pod["status"]["conditions"] = json!([{ "type": "PodScheduled", "status": "False", "message": message }]);
    pod
}

/// An exchange whose claim has this specification, and waits.
fn waiting(spec: &Value) -> Snapshot {
    let mut snapshot = snapshot(&pending("pod has unbound immediate PersistentVolumeClaims"));
    let metadata = json!({ "name": names::CLAIM, "uid": UID, "creationTimestamp": "1969-12-31T23:59:50Z" });
    snapshot.members[0].claim = of_claim(&json!({ "metadata": metadata, "spec": spec }));
    snapshot
}

fn volume(name: &str, spec: &Value, phase: &str) -> Reading<PersistentVolume> {
    let volume = json!({ "metadata": { "name": name }, "spec": spec, "status": { "phase": phase } });
    Reading::Present(serde_json::from_value(volume).unwrap())
}

/// An exchange whose claim is bound to a volume like this.
fn bound(spec: &Value) -> Snapshot {
    let mut snapshot = ready();
    let claim = json!({ "metadata": { "name": names::CLAIM, "uid": UID }, "spec": { "volumeName": "pv-7" },
                        "status": { "phase": "Bound" } });
    snapshot.members[0].claim = of_claim(&claim);
    snapshot.members[0].volume = volume("pv-7", spec, "Bound");
    snapshot
}

fn nodes(all: &Value) -> Reading<Vec<Node>> {
    Reading::Present(serde_json::from_value(all.clone()).unwrap())
}

fn classes(all: &[(&str, &str)]) -> Reading<Vec<StorageClass>> {
    let class = |(name, default): &(&str, &str)| {
        let annotations = json!({ "storageclass.kubernetes.io/is-default-class": default });
        serde_json::from_value(json!({ "metadata": { "name": name, "annotations": annotations }, "provisioner": "p" }))
            .unwrap()
    };
    Reading::Present(all.iter().map(class).collect())
}

fn slugs(snapshot: &Snapshot, details: &Details) -> Vec<&'static str> {
    found(snapshot, details).iter().map(|finding| finding.cause.slug).collect()
}

#[test]
fn only_a_static_claim_that_waits_for_its_free_volume_is_overlooked() {
    let overlooked = |spec: &Value, volume_spec: &Value, phase: &str| {
        let mut snapshot = waiting(spec);
        snapshot.members[0].volume = volume("pv", volume_spec, phase);
        slugs(&snapshot, &Details::default()).contains(&"claim-overlooked")
    };
    let claim = json!({ "storageClassName": "", "volumeName": "pv" });
    let owned_by = |namespace: &str| json!({ "claimRef": { "name": names::CLAIM, "namespace": namespace } });
    assert!(overlooked(&claim, &json!({}), "Available"));
    assert!(overlooked(&claim, &owned_by("alice"), "Available"));
    assert!(!overlooked(&claim, &owned_by("bob"), "Available"));
    for (key, value) in
        [("storageClassName", json!("fast")), ("storageClassName", Value::Null), ("volumeName", json!("another"))]
    {
        let mut other = claim.clone();
        other[key] = value;
        assert!(!overlooked(&other, &json!({}), "Available"), "{other}");
    }
    for phase in ["Released", "Bound", "Failed"] {
        assert!(!overlooked(&claim, &json!({}), phase), "{phase}");
    }
    assert!(!slugs(&bound(&json!({})), &Details::default()).contains(&"claim-overlooked"));
}

/// The mends that need no question, after a wait as long as this.
fn due(snapshot: &Snapshot, waited: Duration) -> Vec<Due> {
    let (details, by_hand) = (&Details::default(), &hostile());
    super::super::due(&Observed { snapshot, details, namespace: "alice", by_hand, now: Timestamp::UNIX_EPOCH }, waited)
}

#[test]
fn an_overlooked_claim_is_touched_after_a_moment_and_a_stuck_pod_deleted_at_once() {
    let mut snapshot = waiting(&json!({ "storageClassName": "", "volumeName": "pv" }));
    snapshot.members[0].volume = volume("pv", &json!({}), "Available");
    assert_eq!(due(&snapshot, Duration::ZERO).len(), 0);
    let [Due { finding, mend: Mend::Patch(touch), uid, .. }] = &due(&snapshot, Duration::from_secs(1))[..] else {
        panic!("it is not touched")
    };
    assert_eq!((finding.cause.slug, finding.weight, &**uid), ("claim-overlooked", Weight::NotYet, UID));
    assert!(touch.object.body.to_string().contains("touched-at"), "{touch:?}");

    let mut pod = container(&json!({ "waiting": { "reason": "ImagePullBackOff" } }), 0);
    pod["revision"] = "r0".into();
    let [Due { mend: Mend::DeletePod(delete), uid, .. }] = &due(&super::snapshot(&pod), Duration::ZERO)[..] else {
        panic!("it is not deleted")
    };
    assert_eq!((&*delete.name, &delete.uid), ("postgres-0", uid));
    assert_eq!(due(&ready(), Duration::from_mins(1)).len(), 0);
}

#[test]
fn a_class_that_is_not_there_is_named() {
    let snapshot = waiting(&json!({ "storageClassName": "fast" }));
    let said = event(UID, "ProvisioningFailed", r#"storageclass.storage.k8s.io "fast" not found"#);
    let finding = only(&snapshot, &said);
    assert_eq!((finding.cause.id, finding.weight), ("KC011", Weight::Problem));
    assert_eq!(finding.says, r#"asks for StorageClass "fast", which does not exist"#);
    let others = Details { classes: classes(&[("slow", "true")]), ..said.clone() };
    let finding = only(&snapshot, &others);
    assert!(finding.says.ends_with("does not exist; the cluster has: slow"), "{finding:?}");
    let hint = finding.hint.to_string();
    assert!(hint.contains("delete pvc postgres-pvc") && hint.contains("deploy --storage-class NAME"), "{hint}");
    let none = Details { classes: classes(&[]), ..said.clone() };
    assert!(only(&snapshot, &none).hint.to_string().contains("deploy --storage static"));
    // It was created since.
    let created = Details { classes: classes(&[("fast", "false")]), ..said };
    assert_eq!(slugs(&snapshot, &created), ["claim-unbound"]);
    // Another failure of a class that is there.
    let failed = event(UID, "ProvisioningFailed", r#"failed to provision with StorageClass "fast": disk not found"#);
    assert_eq!(
        slugs(&snapshot, &Details { classes: classes(&[("fast", "true")]), ..failed.clone() }),
        ["claim-unbound"]
    );
    assert_eq!(slugs(&snapshot, &failed), ["claim-unbound"]);
}

#[test]
fn a_class_without_an_event_is_missed_after_a_moment() {
    let mut snapshot = waiting(&json!({ "storageClassName": "fast" }));
    let listed = Details { classes: classes(&[("slow", "true")]), ..Details::default() };
    assert_eq!(slugs(&snapshot, &listed), ["claim-unbound"], "a volume of this class may be there");
    let Reading::Present(claim) = &mut snapshot.members[0].claim else { panic!("there is a claim") };
    claim.metadata.creation_timestamp = Some(serde_json::from_value(json!("1969-12-31T23:59:00Z")).unwrap());
    assert_eq!(only(&snapshot, &listed).cause.slug, "class-missing");
    for unread in [Reading::NotAsked, Reading::Unknown(Reason::Forbidden("no".to_owned()))] {
        assert_eq!(slugs(&snapshot, &Details { classes: unread, ..Details::default() }), ["claim-unbound"]);
    }
    let Reading::Present(claim) = &mut snapshot.members[0].claim else { panic!("there is a claim") };
    claim.spec.as_mut().unwrap().volume_name = Some("pv-7".to_owned());
    snapshot.members[0].volume = volume("pv-7", &json!({ "storageClassName": "fast" }), "Available");
    assert_eq!(slugs(&snapshot, &listed), ["claim-unbound"], "a volume that is named needs no class");
}

#[test]
fn a_claim_without_a_class_needs_a_default_one() {
    let said =
        event(UID, "FailedBinding", "no persistent volumes available for this claim and no storage class is set");
    let finding = only(&waiting(&json!({})), &said);
    assert_eq!(finding.cause.slug, "class-missing");
    assert!(finding.says.contains("has no default one"), "{finding:?}");
    let listed = |all: &[(&str, &str)]| Details { classes: classes(all), ..said.clone() };
    let finding = only(&waiting(&json!({})), &listed(&[("slow", "false")]));
    assert!(finding.says.ends_with("the cluster has: slow"), "{finding:?}");
    // It has one by now.
    assert_eq!(slugs(&waiting(&json!({})), &listed(&[("slow", "true")])), ["claim-unbound"]);
    // The lesson's claim wants none.
    assert_eq!(slugs(&waiting(&json!({ "storageClassName": "" })), &said), ["claim-unbound"]);
}

/// The lesson's claim in the namespace `alice`, changed.
fn lessons_claim(change: impl FnOnce(&mut Value)) -> Value {
    let mut spec = json!({ "storageClassName": "", "volumeName": "postgres-pv-alice", "accessModes": ["ReadWriteOncePod"],
                           "resources": { "requests": { "storage": "1Gi" } } });
    change(&mut spec);
    spec
}

/// A volume that fits it, changed.
fn fitting(change: impl FnOnce(&mut Value)) -> Value {
    let mut spec = json!({ "capacity": { "storage": "1024Mi" }, "accessModes": ["ReadWriteOncePod", "ReadWriteOnce"] });
    change(&mut spec);
    spec
}

#[test]
fn a_volume_that_does_not_fit_is_told_with_both_values() {
    let with = |claim: &Value, volume_spec: &Value, details: &Details| {
        let mut snapshot = waiting(claim);
        snapshot.members[0].volume = volume("postgres-pv-alice", volume_spec, "Available");
        only(&snapshot, details)
    };
    let same = |_: &mut Value| {};
    let none = Details::default();
    for (claim, volume, says) in [
        (
            lessons_claim(|claim| claim["storageClassName"] = "standard".into()),
            fitting(same),
            r#"its StorageClass is "standard", that of the volume is none"#,
        ),
        (
            lessons_claim(same),
            fitting(|volume| volume["capacity"]["storage"] = "900Mi".into()),
            "it asks for 1Gi, and the volume has 900Mi",
        ),
        (
            lessons_claim(|claim| claim["accessModes"] = json!(["ReadWriteMany"])),
            fitting(same),
            "it asks for access mode ReadWriteMany, and the volume has ReadWriteOncePod,ReadWriteOnce",
        ),
        (
            lessons_claim(same),
            fitting(|volume| volume["volumeMode"] = "Block".into()),
            "it asks for volume mode Filesystem, and the volume has Block",
        ),
    ] {
        let finding = with(&claim, &volume, &none);
        assert_eq!((finding.cause.id, finding.weight), ("KC012", Weight::Problem));
        assert_eq!(finding.says, format!("cannot use persistentvolume/postgres-pv-alice: {says}"));
        let hint = finding.hint.to_string();
        assert!(hint.contains("delete pvc postgres-pvc") && hint.contains("kubecoin deploy"), "{hint}");
        // Two that name each other are bound, whatever they ask for.
        let mut reserved = volume.clone();
        reserved["claimRef"] = json!({ "namespace": "alice", "name": names::CLAIM });
        let waits = if claim["storageClassName"] == "" { "claim-overlooked" } else { "claim-unbound" };
        assert_eq!(with(&claim, &reserved, &none).cause.slug, waits);
    }
    assert_eq!(with(&lessons_claim(same), &fitting(same), &none).cause.slug, "claim-overlooked");
    let both = lessons_claim(|claim| claim["storageClassName"] = "standard".into());
    let finding = with(&both, &fitting(|volume| volume["capacity"]["storage"] = "1".into()), &none);
    assert!(finding.says.contains("is none; it asks for 1Gi"), "{finding:?}");
}

#[test]
fn a_volume_that_is_not_named_is_compared_when_none_was_found() {
    let unnamed = |change: fn(&mut Value)| {
        lessons_claim(|claim| {
            claim.as_object_mut().unwrap().remove("volumeName");
            change(claim);
        })
    };
    let said =
        event(UID, "FailedBinding", "no persistent volumes available for this claim and no storage class is set");
    let with = |claim: &Value, volume_spec: &Value, details: &Details| {
        let mut snapshot = waiting(claim);
        snapshot.members[0].volume = volume("postgres-pv-alice", volume_spec, "Available");
        only(&snapshot, details)
    };
    let small = fitting(|volume| volume["capacity"]["storage"] = "1Mi".into());
    assert_eq!(with(&unnamed(|_| ()), &small, &said).cause.slug, "volume-mismatch");
    assert_eq!(with(&unnamed(|_| ()), &small, &Details::default()).cause.slug, "claim-unbound");
    let selects = |claim: &mut Value| claim["selector"] = json!({ "matchLabels": { "disk": "fast" } });
    let finding = with(&unnamed(selects), &fitting(|_| ()), &said);
    assert!(finding.says.ends_with("its selector asks for the label disk=fast"), "{finding:?}");
    // For one of the cluster's own making, the lesson's volume is none that it waits for.
    assert_eq!(
        with(&unnamed(|claim| claim["storageClassName"] = "x".into()), &small, &said).cause.slug,
        "claim-unbound"
    );
}

#[test]
fn whose_the_volume_is_decides() {
    let with = |name: &str, reference: &Value, phase: &str| {
        let mut snapshot = waiting(&lessons_claim(|claim| claim["volumeName"] = name.into()));
        let spec = fitting(|volume| volume["claimRef"] = reference.clone());
        snapshot.members[0].volume = volume(name, &spec, phase);
        only(&snapshot, &Details::default())
    };
    let to = |namespace: &str, name: &str, uid: &Value| json!({ "namespace": namespace, "name": name, "uid": uid });
    let (lessons, earlier) = ("postgres-pv-alice", json!("uid-earlier"));
    let finding = with(lessons, &to("alice", names::CLAIM, &earlier), "Released");
    assert_eq!((finding.cause.id, finding.weight), ("KC013", Weight::Problem));
    assert!(finding.hint.to_string().contains("deploy --reuse-volume"), "{finding:?}");
    assert_eq!(with(lessons, &to("alice", names::CLAIM, &earlier), "Bound").cause.slug, "claim-unbound");

    let finding = with("postgres-pv", &to("default", names::CLAIM, &Value::Null), "Available");
    assert_eq!(finding.cause.id, "KC014");
    assert!(finding.says.ends_with("is for the claim postgres-pvc of namespace default"), "{finding:?}");
    assert!(finding.hint.to_string().contains("kubecoin deploy"), "{finding:?}");
    let finding = with("postgres-pv", &to("default", names::CLAIM, &earlier), "Released");
    assert_eq!(finding.cause.id, "KC014", "its data is another's");
    // The next claim waits for the exchange's own volume, which may have data.
    let mut snapshot = waiting(&lessons_claim(|claim| claim["volumeName"] = "postgres-pv".into()));
    let spec = fitting(|volume| volume["claimRef"] = to("default", names::CLAIM, &Value::Null));
    snapshot.members[0].volume = volume("postgres-pv", &spec, "Available");
    snapshot.members[0].set_aside = volume(lessons, &spec, "Released");
    let finding = only(&snapshot, &Details::default());
    assert!(finding.hint.to_string().contains("deploy --reuse-volume"), "{finding:?}");
    let finding = with(lessons, &to("bob", names::CLAIM, &earlier), "Bound");
    assert!(finding.cause.id == "KC014" && !finding.hint.to_string().contains("delete"), "{finding:?}");

    let finding = with(lessons, &to("alice", "other", &Value::Null), "Available");
    assert!(finding.cause.id == "KC012" && finding.hint.to_string().contains("patch persistentvolume"), "{finding:?}");
    let finding = with(lessons, &to("alice", "other", &earlier), "Bound");
    assert!(finding.cause.id == "KC012" && finding.hint.to_string().contains("get pvc"), "{finding:?}");
    assert_eq!(with(lessons, &to("alice", names::CLAIM, &json!(UID)), "Bound").cause.slug, "claim-unbound");
}

#[test]
fn a_volume_of_an_earlier_claim_is_none_for_storage_of_the_clusters_making() {
    let mut snapshot = waiting(&json!({ "storageClassName": "standard" }));
    snapshot.members[0].volume = volume("postgres-pv-alice", &json!({}), "Released");
    assert_eq!(slugs(&snapshot, &Details::default()), ["claim-unbound"]);
    let mut snapshot = waiting(&lessons_claim(|_| ()));
    let deleted = json!({ "persistentVolumeReclaimPolicy": "Delete" });
    snapshot.members[0].volume = volume("postgres-pv-alice", &deleted, "Released");
    assert_eq!(slugs(&snapshot, &Details::default()), ["claim-unbound"], "it is about to be deleted");
}

#[test]
fn a_lost_claim_says_what_its_volume_was() {
    let lost = |mut snapshot: Snapshot, volume: Reading<PersistentVolume>| {
        let claim = json!({ "metadata": { "name": names::CLAIM, "uid": UID },
                            "spec": { "volumeName": "postgres-pv-alice" }, "status": { "phase": "Lost" } });
        snapshot.members[0].claim = of_claim(&claim);
        snapshot.members[0].volume = volume;
        only(&snapshot, &Details::default())
    };
    let finding = lost(ready(), Reading::Absent);
    assert_eq!((finding.cause.id, finding.weight), ("KC015", Weight::Problem));
    assert!(finding.says.contains("its volume postgres-pv-alice does not exist any more"), "{finding:?}");
    let hint = finding.hint.to_string();
    assert!(hint.find("pg_dump").unwrap() < hint.find("kubecoin teardown").unwrap(), "{hint}");
    let finding =
        lost(snapshot(&container(&json!({ "waiting": { "reason": "ContainerCreating" } }), 0)), Reading::Absent);
    assert!(finding.cause.id == "KC015" && !finding.hint.to_string().contains("pg_dump"), "{finding:?}");
    let finding = lost(ready(), volume("postgres-pv-alice", &json!({}), "Available"));
    assert!(finding.says.contains("is not bound to it any more") && !finding.hint.to_string().contains("teardown"));
}

#[test]
fn the_lessons_volume_is_not_used() {
    let other = |policy: &str, reference: &Value, phase: &str, by: Option<&str>| {
        let mut snapshot = bound(&json!({ "storageClassName": "standard", "persistentVolumeReclaimPolicy": policy }));
        let member = &mut snapshot.members[0];
        member.set_aside = volume("postgres-pv-alice", &json!({ "claimRef": reference }), phase);
        let Reading::Present(claim) = &mut member.claim else { panic!("there is a claim") };
        let entry = by.map(|manager| json!([{ "manager": manager, "operation": "Apply" }]));
        claim.metadata.managed_fields = entry.map(|entry| serde_json::from_value(entry).unwrap());
        found(&snapshot, &Details::default())
    };
    let ours = json!({ "namespace": "alice", "name": names::CLAIM });
    let findings = other("Delete", &ours, "Available", None);
    assert_eq!((findings.len(), findings[0].cause.id, findings[0].weight), (1, "KC016", Weight::Warning));
    assert!(findings[0].says.contains(r#"persistentvolume/pv-7 (StorageClass "standard")"#), "{findings:?}");
    let hint = findings[0].hint.to_string();
    assert!(hint.contains("patch persistentvolume pv-7") && hint.contains("explain KC016"), "{hint}");
    let findings = other("Retain", &ours, "Available", Some("kubectl"));
    assert!(!findings[0].hint.to_string().contains("patch"), "{findings:?}");
    // On purpose, left behind, or for another claim.
    assert_eq!(other("Retain", &ours, "Available", Some(program::NAME)), []);
    assert_eq!(other("Retain", &ours, "Released", None), []);
    assert_eq!(other("Retain", &json!({ "namespace": "bob", "name": names::CLAIM }), "Available", None), []);
    assert_eq!(other("Retain", &Value::Null, "Available", None), []);
}

#[test]
fn data_that_its_claim_takes_along_is_worth_knowing() {
    let mut snapshot = bound(&json!({ "persistentVolumeReclaimPolicy": "Delete" }));
    let finding = only(&snapshot, &Details::default());
    assert_eq!(
        (finding.cause.id, finding.weight, finding.object.as_str()),
        ("KC017", Weight::Info, "persistentvolume/pv-7")
    );
    assert!(finding.hint.to_string().contains("patch persistentvolume pv-7 -p"), "{finding:?}");
    // The lesson's own was applied with Retain.
    let mut lessons = snapshot.clone();
    lessons.members[0].volume =
        volume("postgres-pv-alice", &json!({ "persistentVolumeReclaimPolicy": "Recycle" }), "Bound");
    assert_eq!(only(&lessons, &Details::default()).weight, Weight::Warning);
    let Reading::Present(claim) = &mut snapshot.members[0].claim else { panic!("there is a claim") };
    claim.metadata.deletion_timestamp = Some(serde_json::from_value(json!("2026-11-23T20:00:00Z")).unwrap());
    assert_eq!(slugs(&snapshot, &Details::default()), ["terminating"]);
    assert_eq!(found(&bound(&json!({ "persistentVolumeReclaimPolicy": "Retain" })), &Details::default()), []);
    assert_eq!(found(&bound(&json!({})), &Details::default()), []);
}

#[test]
fn a_directory_of_any_node_is_a_warning_where_there_are_several() {
    let hostname =
        |name: &str| json!({ "metadata": { "name": name, "labels": { names::HOSTNAME: format!("{name}.host") } } });
    let tainted = |key: &str| json!({ "metadata": {}, "spec": { "taints": [{ "key": key, "effect": "NoSchedule" }] } });
    let (one, two) = (hostname("node-1"), hostname("node-2"));
    let with = |spec: &Value, all: &Value| {
        let mut snapshot = bound(spec);
        let Reading::Present(pods) = &mut snapshot.pods else { panic!("there are pods") };
        pods[0].spec.as_mut().unwrap().node_name = Some("node-1".to_owned());
        found(&snapshot, &Details { nodes: nodes(all), ..Details::default() })
    };
    let loose = json!({ "hostPath": { "path": "/data" } });
    let findings = with(&loose, &json!([one, two]));
    assert_eq!((findings.len(), findings[0].cause.id, findings[0].weight), (1, "KC018", Weight::Warning));
    assert!(findings[0].hint.to_string().contains("node-1.host"), "{findings:?}");
    assert_eq!(with(&loose, &json!([one])), []);
    assert_eq!(with(&loose, &json!([one, tainted("node-role.kubernetes.io/control-plane")])), []);
    assert_eq!(with(&loose, &json!([one, tainted("node.kubernetes.io/unreachable")])).len(), 1);
    let term = json!({ "matchExpressions": [{ "key": names::HOSTNAME, "operator": "In", "values": ["node-1.host"] }] });
    let tied =
        json!({ "hostPath": { "path": "/data" }, "nodeAffinity": { "required": { "nodeSelectorTerms": [term] } } });
    assert_eq!(with(&tied, &json!([one, two])), []);
    // Its pod runs on a node that it does not name.
    for (operator, values) in
        [("In", json!(["node-2.host"])), ("NotIn", json!(["node-1.host"])), ("DoesNotExist", json!([]))]
    {
        let mut elsewhere = tied.clone();
        let term = &mut elsewhere["nodeAffinity"]["required"]["nodeSelectorTerms"][0];
        term["matchExpressions"][0]["operator"] = operator.into();
        term["matchExpressions"][0]["values"] = values;
        for all in [json!([one]), json!([one, two])] {
            let findings = with(&elsewhere, &all);
            assert_eq!((findings.len(), findings[0].cause.id, findings[0].weight), (1, "KC018", Weight::Problem));
            assert!(findings[0].says.contains("does not allow node node-1"), "{findings:?}");
        }
        assert_eq!(with(&elsewhere, &json!([two])), []);
    }
    assert_eq!(with(&json!({ "csi": { "driver": "d", "volumeHandle": "h" } }), &json!([one, two])), []);
    let unread = Details { nodes: Reading::Unknown(Reason::Forbidden("no".to_owned())), ..Details::default() };
    assert_eq!(found(&bound(&loose), &unread), []);
}

#[test]
fn little_room_is_a_warning_before_it_is_a_problem() {
    let with = |spec: &Value, free: u64| {
        let details = answered(|_, database| database.free = Some(free << 20));
        found(&bound(spec), &details).iter().map(|it| (it.cause.slug, it.weight)).collect::<Vec<_>>()
    };
    let directory = json!({ "hostPath": { "path": "/data" }, "capacity": { "storage": "100Gi" } });
    assert_eq!(with(&directory, 63), [("volume-nearly-full", Weight::Warning)]);
    assert_eq!(with(&directory, 16), [("volume-nearly-full", Weight::Warning)]);
    assert_eq!(with(&directory, 15), [("volume-full", Weight::Problem)]);
    assert_eq!(with(&directory, 64), [], "the disk of a node has another size");
    let disk = json!({ "csi": { "driver": "d", "volumeHandle": "h" }, "capacity": { "storage": "10Gi" } });
    assert_eq!(with(&disk, 1023), [("volume-nearly-full", Weight::Warning)]);
    assert_eq!(with(&disk, 1024), []);
}

#[test]
fn the_schedulers_reasons_are_told_in_plain_words() {
    let mut tied = snapshot(&pending(""));
    let term = json!({ "matchExpressions": [{ "key": names::HOSTNAME, "operator": "In", "values": ["b.host"] }] });
    let affinity = json!({ "required": { "nodeSelectorTerms": [term] } });
    tied.members[0].volume = volume("pv-7", &json!({ "nodeAffinity": affinity }), "Bound");
    let cordoned = |name: &str| {
        json!({ "metadata": { "name": name, "labels": { names::HOSTNAME: format!("{name}.host") } },
                "spec": { "unschedulable": true } })
    };
    let listed = Details { nodes: nodes(&json!([cordoned("a"), cordoned("b")])), ..Details::default() };
    let none = Details::default();
    for (message, details, words, hint) in [
        ("0/1 nodes are available: 1 Insufficient cpu.", &none, "not enough free CPU", "describe nodes"),
        (
            "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory. preemption: 0/1 nodes are available: 1 No \
             preemption victims found for incoming pod.",
            &none,
            "not enough free CPU, not enough free memory",
            "describe nodes",
        ),
        (
            "0/3 nodes are available: 1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 2 \
             Insufficient memory.",
            &none,
            "not enough free memory, a node has a taint",
            "describe nodes",
        ),
        ("0/1 nodes are available: 1 node(s) had untolerated taint {a: b}.", &none, "a node has a taint", "TAINTS"),
        (
            "0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }.",
            &none,
            "a node is not ready, a node has a taint",
            "get nodes",
        ),
        ("0/2 nodes are available: 2 node(s) were unschedulable.", &none, "a node is cordoned", "get nodes"),
        ("0/2 nodes are available: 2 node(s) were unschedulable.", &listed, "a node is cordoned", "uncordon b"),
        (
            "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
            &none,
            "the pod asks for a node with other labels",
            "--show-labels",
        ),
        (
            "0/2 nodes are available: 2 node(s) had volume node affinity conflict.",
            &none,
            "its volume is on another node",
            "kubernetes.io/hostname=b.host",
        ),
        (
            "0/2 nodes are available: 2 node(s) didn't match PersistentVolume's node affinity.",
            &none,
            "its volume is on another node",
            "kubernetes.io/hostname=b.host",
        ),
        (
            "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.",
            &none,
            "its claim has no volume",
            "describe pvc",
        ),
        (
            "0/1 nodes are available: 1 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod \
             access mode.",
            &none,
            "another pod uses its volume, which is for one pod",
            "describe pvc postgres-pvc",
        ),
        (
            "0/1 nodes are available: 1 Too many pods.",
            &none,
            "a node has as many pods as it can have",
            "describe nodes",
        ),
    ] {
        let Reading::Present(pods) = &mut tied.pods else { panic!("there are pods") };
        let conditions = pods[0].status.as_mut().unwrap().conditions.as_mut().unwrap();
        conditions[0].message = Some(message.to_owned());
        let finding = only(&tied, details);
        assert_eq!(finding.says, format!("cannot be scheduled ({words}): {message}"));
        assert!(finding.hint.to_string().contains(hint), "{finding:?}");
    }
    let other = snapshot(&pending("a reason of a later version"));
    assert_eq!(only(&other, &none).says, "cannot be scheduled: a reason of a later version");
}

#[test]
fn a_node_that_is_away_explains_its_pods() {
    let node = |status: &str| {
        let ready = json!({ "type": "Ready", "status": status, "message": "Kubelet stopped posting node status.",
                            "lastTransitionTime": "1969-12-31T23:55:00Z" });
        nodes(&json!([{ "metadata": { "name": "node-1" }, "status": { "conditions": [ready] } }]))
    };
    let with = |deleted: &Value, nodes: Reading<Vec<Node>>| {
        let mut pod = container(&json!({ "running": {} }), 0);
        pod["spec"]["nodeName"] = "node-1".into();
        pod["deletionTimestamp"] = deleted.clone();
        found(&snapshot(&pod), &Details { nodes, ..Details::default() })
    };
    for deleted in [Value::Null, json!("1969-12-31T23:59:00Z")] {
        let findings = with(&deleted, node("Unknown"));
        assert_eq!((findings.len(), findings[0].cause.id, findings[0].weight), (1, "KC030", Weight::Problem));
        assert!(findings[0].says.contains("has not been ready for 5m: Kubelet stopped"), "{findings:?}");
        assert!(findings[0].hint.to_string().contains("describe node node-1"), "{findings:?}");
    }
    for nodes in [node("True"), nodes(&json!([])), Reading::NotAsked] {
        assert_eq!(with(&Value::Null, nodes)[0].cause.slug, "starting");
    }
    let mut works = ready();
    let Reading::Present(pods) = &mut works.pods else { panic!("there are pods") };
    pods[0].spec.as_mut().unwrap().node_name = Some("node-1".to_owned());
    assert_eq!(found(&works, &Details { nodes: node("False"), ..Details::default() }), []);
}

#[test]
fn what_is_around_is_read_for_doctor_alone() {
    let snapshot = ready();
    let around = wanted(&snapshot, Depth::Around, ALL);
    assert!(around.nodes && around.classes);
    let all = wanted(&snapshot, Depth::All, ALL);
    assert!(!all.nodes && !all.classes);
    let claims = wanted(&snapshot, Depth::Around, &[&causes::class_missing::CAUSE]);
    assert!(claims.classes && !claims.nodes && !claims.database);
}
