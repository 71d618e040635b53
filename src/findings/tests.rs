//! Each cause out of objects as an API server gives them.

use serde_json::{Value, json};

use super::*;
use crate::exchange::names;
use crate::kubernetes::by_hand_tests::{assert_leads, hostile};
use crate::observe::Snapshot;
use crate::observe::database::{Credentials, Database};
use crate::observe::details::Details;
use crate::observe::details::Happening;
use crate::observe::{Member, Reading, Reason};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;

/// A snapshot in which all is well, but for the pod of the database.
fn snapshot(pod: &Value) -> Snapshot {
    let of = |value: Value| serde_json::from_value(value).unwrap();
    let meta = |name: &str, app: &str| json!({ "name": name, "uid": format!("uid-{name}"), "generation": 1, "labels": { "app": app } });
    let mut pod = pod.clone();
    pod["metadata"] = json!({ "name": "postgres-0", "uid": "uid-postgres-0", "deletionTimestamp": pod["deletionTimestamp"],
                              "labels": { "app": "postgres", "controller-revision-hash": pod["revision"] } });
    let ready = i32::from(pod["status"]["conditions"][0]["status"] == "True");
    let set = json!({ "metadata": meta("postgres", "postgres"),
        "spec": { "replicas": 1, "selector": {}, "template": {} },
        "status": { "observedGeneration": 1, "replicas": 1, "readyReplicas": ready, "currentRevision": "r1", "updateRevision": "r1" } });
    let deployment = |name: &str| {
        let status = json!({ "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1 });
        let value = json!({ "metadata": meta(name, name), "spec": { "replicas": 1, "selector": {}, "template": {} }, "status": status });
        (name.to_owned(), Reading::Present(serde_json::from_value(value).unwrap()))
    };
    let claim = json!({ "metadata": meta(names::CLAIM, "postgres"), "status": { "phase": "Bound" } });
    Snapshot {
        statefulset: Reading::Present(serde_json::from_value(set).unwrap()),
        deployments: names::DEPLOYMENTS.map(deployment).into(),
        pods: Reading::Present(vec![of(pod)]),
        members: vec![Member { claim: of_claim(&claim), ..Member::new(names::MEMBERS[0]) }],
        ..Snapshot::default()
    }
}

fn of_claim(claim: &Value) -> Reading<PersistentVolumeClaim> {
    Reading::Present(serde_json::from_value(claim.clone()).unwrap())
}

/// A container of a pod that is not ready.
fn container(state: &Value, restarts: i32) -> Value {
    json!({ "revision": "r1", "spec": { "containers": [{ "name": "postgres", "image": "postgres:17" }] },
            "status": { "conditions": [{ "type": "Ready", "status": "False" }],
                        "containerStatuses": [{ "name": "postgres", "ready": false, "restartCount": restarts, "image": "",
                                                "imageID": "", "state": state }] } })
}

fn found(snapshot: &Snapshot, details: &Details) -> Vec<Finding> {
    let by_hand = &hostile();
    let found = judge(&Observed { snapshot, details, namespace: "alice", by_hand, now: Timestamp::UNIX_EPOCH });
    for finding in &found {
        assert!(assert_leads(&finding.hint, by_hand) > 0, "{finding:?}");
    }
    found
}

/// The only finding.
fn only(snapshot: &Snapshot, details: &Details) -> Finding {
    let mut all = found(snapshot, details);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

fn event(uid: &str, reason: &str, message: &str) -> Details {
    let [uid, reason, message] = [uid, reason, message].map(str::to_owned);
    Details { events: vec![Happening { uid, reason, message, at: Some(Timestamp::UNIX_EPOCH) }], ..Details::default() }
}

fn ready() -> Snapshot {
    let mut pod = container(&json!({ "running": {} }), 0);
    pod["status"]["conditions"][0]["status"] = "True".into();
    snapshot(&pod)
}

#[test]
fn nothing_is_found_where_all_is_well() {
    assert_eq!(found(&ready(), &Details::default()), []);
}

#[test]
fn a_container_says_why_it_does_not_run() {
    let waiting = |reason: &str| json!({ "waiting": { "reason": reason, "message": "because" } });
    for (state, restarts, code, words) in [
        (waiting("ImagePullBackOff"), 0, "image-pull", "postgres:17"),
        (
            waiting("CreateContainerConfigError"),
            0,
            "crash-loop",
            "does not start (CreateContainerConfigError): because",
        ),
        (json!({ "terminated": { "exitCode": 1 } }), 3, "crash-loop", "exit code 1, 3 restarts"),
        (
            json!({ "terminated": { "exitCode": 0, "reason": "Completed" } }),
            0,
            "crash-loop",
            "terminated: exit code 0 (Completed)",
        ),
        (waiting("ContainerCreating"), 0, "starting", "is being created"),
        (json!({ "running": {} }), 0, "starting", "not ready yet"),
    ] {
        let finding = only(&snapshot(&container(&state, restarts)), &Details::default());
        assert_eq!(finding.code, code, "{finding:?}");
        assert!(finding.says.contains(words), "{finding:?}");
    }
}

#[test]
fn a_pod_that_is_being_stopped_has_not_crashed() {
    let mut pod = container(&json!({ "terminated": { "exitCode": 137 } }), 0);
    pod["deletionTimestamp"] = "2026-11-23T20:00:00Z".into();
    let finding = only(&snapshot(&pod), &Details::default());
    assert_eq!((finding.code, finding.weight), ("stopping", Weight::NotYet));
}

#[test]
fn a_pod_that_does_not_end_is_told_with_what_holds_it() {
    let mut pod = container(&json!({ "running": {} }), 0);
    pod["deletionTimestamp"] = "1969-12-31T23:59:20Z".into();
    pod["spec"]["nodeName"] = "node-1".into();
    // What its probes said before is beside the point.
    let finding = only(&snapshot(&pod), &event("uid-postgres-0", "Unhealthy", "probe failed"));
    assert_eq!((finding.code, finding.weight), ("stopping", Weight::Problem));
    assert!(
        finding.says.contains("should have terminated 40s ago") && finding.says.contains("kubelet of its node node-1")
    );
    assert!(finding.hint.to_string().contains("kubectl describe node node-1"), "{finding:?}");
    pod["status"]["containerStatuses"][0]["state"] = json!({ "terminated": { "exitCode": 0 } });
    let mut snapshot = snapshot(&pod);
    let Reading::Present(pods) = &mut snapshot.pods else { panic!("there are pods") };
    pods[0].metadata.finalizers = Some(vec!["example.com/hold".to_owned()]);
    assert_eq!(only(&snapshot, &Details::default()).says, "has ended, and is blocked by finalizers: example.com/hold");
}

#[test]
fn a_pod_that_a_rollout_has_replaced_is_not_missed() {
    let mut snapshot = ready();
    let mut old = snapshot.pods.present().unwrap()[0].clone();
    old.metadata.name = Some("backend-1".to_owned());
    old.metadata.labels = Some([("app".to_owned(), "backend".to_owned())].into());
    old.status.as_mut().unwrap().conditions.as_mut().unwrap()[0].status = "False".to_owned();
    let with = |pod: &k8s_openapi::api::core::v1::Pod, snapshot: &Snapshot| {
        let pods = [&snapshot.pods.present().unwrap()[..1], std::slice::from_ref(pod)].concat();
        Snapshot { pods: Reading::Present(pods), ..snapshot.clone() }
    };
    snapshot = with(&old, &snapshot);
    assert_eq!(found(&snapshot, &Details::default()).len(), 1);
    old.metadata.deletion_timestamp = serde_json::from_value(json!("2026-11-23T20:00:00Z")).unwrap();
    assert_eq!(found(&with(&old, &snapshot), &Details::default()), []);
}

#[test]
fn events_explain_what_pods_do_not() {
    let running = snapshot(&container(&json!({ "running": {} }), 0));
    let finding = only(&running, &event("uid-postgres-0", "Unhealthy", "probe failed"));
    assert_eq!((finding.code, finding.weight), ("probe-failing", Weight::NotYet));
    let restarted = snapshot(&container(&json!({ "running": {} }), 2));
    let finding = only(&restarted, &event("uid-postgres-0", "Unhealthy", "probe failed"));
    assert_eq!((finding.code, finding.weight), ("probe-failing", Weight::Problem));

    let creating = snapshot(&container(&json!({ "waiting": { "reason": "ContainerCreating" } }), 0));
    let finding = only(&creating, &event("uid-postgres-0", "Pulling", "Pulling image"));
    assert!(finding.says.contains("is pulling its image postgres:17 for 0s"), "{finding:?}");
}

#[test]
fn what_was_said_of_an_earlier_object_of_the_name_explains_nothing() {
    let running = snapshot(&container(&json!({ "running": {} }), 0));
    assert_eq!(only(&running, &event("uid-of-the-one-before", "Unhealthy", "probe failed")).code, "starting");
    let creating = snapshot(&container(&json!({ "waiting": { "reason": "ContainerCreating" } }), 0));
    let finding = only(&creating, &event("uid-of-the-one-before", "FailedMount", "no such secret"));
    assert_eq!(finding.says, "is being created");
}

#[test]
fn an_unbound_claim_hides_that_no_node_takes_the_pod() {
    let mut pod = container(&json!({}), 0);
    pod["status"]["conditions"] = json!([{ "type": "PodScheduled", "status": "False", "message": "unbound claims" }]);
    let mut snapshot = snapshot(&pod);
    assert_eq!(only(&snapshot, &Details::default()).code, "unschedulable");

    let claim =
        json!({ "metadata": { "name": names::CLAIM, "uid": "uid-postgres-pvc" }, "status": { "phase": "Pending" } });
    snapshot.members[0].claim = of_claim(&claim);
    let failed = event("uid-postgres-pvc", "ProvisioningFailed", "no such class");
    let finding = only(&snapshot, &failed);
    assert_eq!((finding.code, finding.weight), ("claim-unbound", Weight::Problem));
    assert!(finding.says.contains("no such class"), "{finding:?}");

    let volume = json!({ "metadata": { "name": "postgres-pv-alice" }, "status": { "phase": "Released" } });
    snapshot.members[0].volume = Reading::Present(serde_json::from_value(volume).unwrap());
    let finding = only(&snapshot, &Details::default());
    assert!(finding.says.contains("Released") && finding.hint.to_string().contains("--reuse-volume"), "{finding:?}");
}

#[test]
fn a_pod_that_may_not_be_made_is_explained() {
    let mut snapshot = snapshot(&container(&json!({}), 0));
    snapshot.pods = Reading::Present(vec![]);
    let words = "create Pod postgres-0 in StatefulSet postgres failed error: exceeded quota: small";
    let mut details = event("uid-postgres", "FailedCreate", words);
    let finding = only(&snapshot, &details);
    assert_eq!((finding.code, finding.weight), ("pod-refused", Weight::Problem));
    assert!(
        finding.says.contains("exceeded quota: small") && finding.hint.to_string().contains("resourcequota"),
        "{finding:?}"
    );
    details.events.extend(event("uid-postgres", "SuccessfulCreate", "created").events);
    assert_eq!(only(&snapshot, &details).code, "not-ready");

    let mut snapshot = ready();
    let status = json!({ "observedGeneration": 1, "conditions": [
        { "type": "ReplicaFailure", "status": "True", "message": "violates PodSecurity \"restricted:latest\"" }] });
    let backend =
        json!({ "metadata": { "generation": 1 }, "spec": { "selector": {}, "template": {} }, "status": status });
    snapshot.deployments.insert(names::BACKEND.to_owned(), Reading::Present(serde_json::from_value(backend).unwrap()));
    let finding = only(&snapshot, &Details::default());
    assert_eq!((finding.code, finding.object.as_str()), ("pod-refused", "deployment/backend"));
    // Another storage would be without the data that there is.
    assert!(finding.hint.to_string().contains("describe namespace alice"), "{finding:?}");
    snapshot.members[0].claim = Reading::NotAsked;
    assert!(only(&snapshot, &Details::default()).hint.to_string().contains("--storage dynamic"));
}

#[test]
fn a_pod_of_an_older_revision_hides_what_is_the_matter_with_it() {
    let mut pod = container(&json!({ "waiting": { "reason": "ImagePullBackOff" } }), 0);
    pod["revision"] = "r0".into();
    assert_eq!(only(&snapshot(&pod), &Details::default()).code, "stuck-revision");
}

#[test]
fn what_may_not_be_read_is_not_unhealthy_and_what_fails_is() {
    let mut snapshot = ready();
    snapshot.members[0].volume = Reading::Unknown(Reason::Forbidden("no".to_owned()));
    let findings = found(&snapshot, &Details::default());
    assert_eq!((findings.len(), healthy(&findings)), (1, true));
    snapshot.members[0].volume = Reading::Unknown(Reason::Failed("no".to_owned()));
    assert!(!healthy(&found(&snapshot, &Details::default())));
}

#[test]
fn the_database_says_what_is_the_matter_with_it() {
    let database = |columns: Value| -> Reading<Database> {
        let database = json!({ "started_at": "2026-11-23T20:00:00Z", "size": 1, "index": true, "columns": columns });
        Reading::Present(serde_json::from_value(database).unwrap())
    };
    let asked = |database, credentials| Details { database, credentials, ..Details::default() };
    let silent = Reading::Unknown(Reason::Failed("gone".to_owned()));
    for (details, code) in [
        (asked(database(Value::Null), Reading::NotAsked), "table-missing"),
        (asked(database(json!([])), Reading::NotAsked), "table-different"),
        (asked(silent, Reading::NotAsked), "database-silent"),
        (asked(Reading::NotAsked, Reading::Present(Credentials::Refused)), "credentials-refused"),
    ] {
        assert_eq!(only(&ready(), &details).code, code);
    }
    let accepted = asked(Reading::NotAsked, Reading::Present(Credentials::Accepted));
    assert_eq!(found(&ready(), &accepted), []);
}

#[test]
fn each_member_is_judged_by_its_own_storage() {
    let mut snapshot = ready();
    let Reading::Present(set) = &mut snapshot.statefulset else { panic!("there is a set") };
    let (spec, status) = (set.spec.as_mut().unwrap(), set.status.as_mut().unwrap());
    (spec.replicas, status.replicas, status.ready_replicas) = (Some(3), 3, Some(3));
    assert_eq!(only(&snapshot, &Details::default()).code, "replicas", "three pods have one claim");
    let Reading::Present(set) = &mut snapshot.statefulset else { panic!("there is a set") };
    set.spec.as_mut().unwrap().volume_claim_templates = Some(vec![PersistentVolumeClaim::default()]);
    let member = |number: u32| {
        let claim = json!({ "metadata": { "uid": format!("uid-{number}") }, "status": { "phase": "Bound" } });
        let (pod, name) = (format!("postgres-{number}"), format!("data-postgres-{number}"));
        Member { claim: of_claim(&claim), ..Member::new((&pod, &name)) }
    };
    snapshot.members = (0..3).map(member).collect();
    assert_eq!(found(&snapshot, &Details::default()), []);

    let deleted =
        json!({ "metadata": { "deletionTimestamp": "2026-11-23T20:00:00Z" }, "status": { "phase": "Bound" } });
    snapshot.members[1].claim = of_claim(&deleted);
    let finding = only(&snapshot, &Details::default());
    assert_eq!((finding.code, finding.object.as_str()), ("terminating", "persistentvolumeclaim/data-postgres-1"));
    assert!(finding.hint.to_string().contains("exec postgres-1"), "{finding:?}");
    snapshot.members[1].claim = Reading::Absent;
    assert_eq!(only(&snapshot, &Details::default()).object, "persistentvolumeclaim/data-postgres-1");
    let pending = json!({ "metadata": { "uid": "uid-1" }, "status": { "phase": "Pending" } });
    snapshot.members[1].claim = of_claim(&pending);
    assert!(only(&snapshot, &Details::default()).hint.to_string().contains("describe pvc data-postgres-1"));
}
