//! What looks unusual, and is no fault. More of it stands with the causes that must leave it alone.

use k8s_openapi::api::storage::v1::StorageClass;
use serde_json::{Value, json};

use super::*;
use crate::dns::Names;
use crate::observe::dns::DnsServer;

/// What is found of an exchange in which requests are answered.
fn slugs(snapshot: &Snapshot, more: Details) -> Vec<&'static str> {
    let works = answered(|_, _| {});
    let details = Details { path: works.path, database: works.database, ..more };
    found(snapshot, &details).iter().map(|finding| finding.cause.slug).collect()
}

/// A ready exchange after a change of its set.
fn with_set(change: impl FnOnce(&mut Value)) -> Snapshot {
    let mut snapshot = ready();
    let mut set = serde_json::to_value(snapshot.statefulset.present().unwrap()).unwrap();
    change(&mut set);
    snapshot.statefulset = Reading::Present(serde_json::from_value(set).unwrap());
    snapshot
}

#[test]
fn how_a_set_updates_and_how_long_its_pod_may_take_to_end_is_its_own_affair() {
    for strategy in [
        json!({ "type": "OnDelete" }),
        json!({ "type": "RollingUpdate", "rollingUpdate": { "partition": 3 } }),
        json!({ "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": "50%" } }),
    ] {
        let snapshot = with_set(|set| set["spec"]["updateStrategy"] = strategy);
        assert_eq!(slugs(&snapshot, Details::default()), [""; 0]);
    }
    let patient = with_set(|set| {
        set["spec"]["template"]["spec"] = json!({ "containers": [], "terminationGracePeriodSeconds": 3600 });
    });
    assert_eq!(slugs(&patient, Details::default()), [""; 0]);

    // Within its time, a pod that ends is waited for, however long that is.
    let mut pod = container(&json!({ "running": {} }), 0);
    pod["deletionTimestamp"] = "1970-01-01T00:59:00Z".into();
    pod["spec"]["nodeName"] = "node-1".into();
    let mut ending = snapshot(&pod);
    let Reading::Present(pods) = &mut ending.pods else { panic!("there are pods") };
    pods[0].metadata.deletion_grace_period_seconds = Some(3600);
    let finding = only(&ending, &Details::default());
    assert_eq!((finding.cause.slug, finding.weight), ("stopping", Weight::NotYet));
}

/// A set of somebody else, without the annotation of this program, may have no name of a Service.
#[test]
fn a_set_without_a_service_has_none_to_miss() {
    for name in [Value::Null, json!("")] {
        let snapshot = with_set(|set| set["spec"]["serviceName"] = name);
        assert_eq!(slugs(&snapshot, Details::default()), [""; 0]);
    }
}

#[test]
fn what_happened_before_a_pod_was_ready_is_over() {
    let mut pod = container(&json!({ "running": { "startedAt": "1970-01-01T00:00:00Z" } }), 4);
    pod["status"]["conditions"][0]["status"] = "True".into();
    let ended = json!({ "terminated": { "exitCode": 1, "reason": "Error", "finishedAt": "1970-01-01T00:00:00Z" } });
    pod["status"]["containerStatuses"][0]["lastState"] = ended;
    for reason in ["Unhealthy", "BackOff", "FailedScheduling", "FailedMount", "Failed", "Evicted"] {
        let events = event("uid-postgres-0", reason, "Readiness probe failed: no response");
        assert_eq!(slugs(&snapshot(&pod), events), [""; 0], "{reason}");
    }
    let of_set = event("uid-postgres", "FailedCreate", "exceeded quota: small");
    assert_eq!(slugs(&ready(), of_set), [""; 0]);
}

#[test]
fn a_class_that_waits_for_the_first_pod_is_waited_for() {
    let class =
        json!({ "metadata": { "name": "standard" }, "provisioner": "p", "volumeBindingMode": "WaitForFirstConsumer" });
    let class: StorageClass = serde_json::from_value(class).unwrap();
    let classes = || Reading::Present(vec![class.clone()]);
    assert_eq!(slugs(&ready(), Details { classes: classes(), ..Details::default() }), [""; 0]);

    let mut pod = container(&json!({}), 0);
    pod["status"]["conditions"] = json!([]);
    let mut waiting = snapshot(&pod);
    let claim = json!({ "metadata": { "name": names::CLAIM, "uid": "uid-claim" }, "spec": { "storageClassName": "standard" },
                        "status": { "phase": "Pending" } });
    waiting.members[0].claim = of_claim(&claim);
    let waits = event("uid-claim", "WaitForFirstConsumer", "waiting for first consumer to be created before binding");
    let finding = only(&waiting, &Details { classes: classes(), ..waits });
    assert_eq!((finding.cause.slug, finding.weight), ("claim-unbound", Weight::NotYet));
}

/// CoreDNS is known by a label. A server without it is not seen, and not missed.
#[test]
fn another_dns_server_is_not_missed() {
    let (snapshot, details, by_hand) = (ready(), answered(|_, _| {}), hostile());
    let now = Timestamp::UNIX_EPOCH;
    let observed = Observed { snapshot: &snapshot, details: &details, namespace: "alice", by_hand: &by_hand, now };
    let absent: Reading<DnsServer> = Reading::Absent;
    let names = Names { server: absent, ..Names::default() };
    assert_eq!(dns::with_names(&observed, &names, &EVERY, Vec::new()), []);
}

#[test]
fn a_policy_that_stands_in_nobodys_way_is_no_fault() {
    let policy =
        json!({ "metadata": { "name": "deny" }, "spec": { "podSelector": {}, "policyTypes": ["Ingress", "Egress"] } });
    let policies = Reading::Present(vec![serde_json::from_value(policy).unwrap()]);
    assert_eq!(slugs(&ready(), Details { policies, ..Details::default() }), [""; 0]);
}
