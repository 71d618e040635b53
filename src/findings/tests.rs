//! Each cause out of objects as an API server gives them.

use serde_json::{Value, json};

use super::finding::healthy;
use super::*;
use crate::exchange::names;
use crate::kubernetes::by_hand_tests::{assert_leads, hostile};
use crate::observe::Snapshot;
use crate::observe::configuration::{Holder, Keys, Kind};
use crate::observe::database::Blocker;
use crate::observe::database::{Credentials, Database};
use crate::observe::details::{Details, Happening};
use crate::observe::path::{Connection, Path, Served};
use crate::observe::{Member, Reading, Reason};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::version::Info;

mod leaves;
mod pods;
mod quiet;
mod replication;
mod storage;

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
    let service = |name: &str, app: &str| {
        let ports = json!([{ "name": "http", "port": 80, "targetPort": "http" }]);
        let address = if app == names::POSTGRES { "None" } else { "10.0.0.2" };
        let spec = json!({ "clusterIP": address, "selector": { "app": app }, "ports": ports });
        let value = json!({ "metadata": meta(name, app), "spec": spec });
        (name.to_owned(), Reading::Present(serde_json::from_value(value).unwrap()))
    };
    let slice = |name: &str, app: &str| {
        let labels = json!({ "kubernetes.io/service-name": name });
        let target = json!({ "kind": "Pod", "name": if app == "postgres" { "postgres-0".to_owned() } else { format!("{app}-1") } });
        of_slice(&json!({ "metadata": { "labels": labels }, "addressType": "IPv4",
                          "endpoints": [{ "addresses": ["10.0.0.1"], "targetRef": target }] }))
    };
    let services = names::SERVICES.into_iter().zip(["postgres", "backend", "frontend"]);
    Snapshot {
        services: services.clone().map(|(name, app)| service(name, app)).collect(),
        endpoints: Reading::Present(services.map(|(name, app)| slice(name, app)).collect()),
        statefulset: Reading::Present(serde_json::from_value(set).unwrap()),
        deployments: names::DEPLOYMENTS.map(deployment).into(),
        pods: Reading::Present(vec![of(pod), of(stateless("backend")), of(stateless("frontend"))]),
        members: vec![Member { claim: of_claim(&claim), ..Member::new(names::MEMBER) }],
        ..Snapshot::default()
    }
}

fn of_slice(slice: &Value) -> EndpointSlice {
    serde_json::from_value(slice.clone()).unwrap()
}

/// A ready pod of a Deployment.
fn stateless(app: &str) -> Value {
    json!({ "metadata": { "name": format!("{app}-1"), "uid": format!("uid-{app}-1"), "labels": { "app": app } },
            "spec": { "containers": [{ "name": app, "image": "i", "ports": [{ "name": "http", "containerPort": 80 }] }] },
            "status": { "conditions": [{ "type": "Ready", "status": "True" }] } })
}

fn of_claim(claim: &Value) -> Reading<PersistentVolumeClaim> {
    Reading::Present(serde_json::from_value(claim.clone()).unwrap())
}

/// A container of a pod that is not ready.
fn container(state: &Value, restarts: i32) -> Value {
    json!({ "revision": "r1", "spec": { "containers": [{ "name": "postgres", "image": "postgres:17",
                                        "ports": [{ "name": "http", "containerPort": 5432 }] }] },
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
        assert_eq!(finding.cause.slug, code, "{finding:?}");
        assert!(finding.says.contains(words), "{finding:?}");
    }
}

#[test]
fn a_pod_that_is_being_stopped_has_not_crashed() {
    let mut pod = container(&json!({ "terminated": { "exitCode": 137 } }), 0);
    pod["deletionTimestamp"] = "2026-11-23T20:00:00Z".into();
    let finding = only(&snapshot(&pod), &Details::default());
    assert_eq!((finding.cause.slug, finding.weight), ("stopping", Weight::NotYet));
}

#[test]
fn a_pod_that_does_not_end_is_told_with_what_holds_it() {
    let mut pod = container(&json!({ "running": {} }), 0);
    pod["deletionTimestamp"] = "1969-12-31T23:59:20Z".into();
    pod["spec"]["nodeName"] = "node-1".into();
    // What its probes said before is beside the point.
    let finding = only(&snapshot(&pod), &event("uid-postgres-0", "Unhealthy", "probe failed"));
    assert_eq!((finding.cause.slug, finding.weight), ("stopping", Weight::Problem));
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
    old.metadata.name = Some("backend-0".to_owned());
    old.metadata.labels = Some([("app".to_owned(), "backend".to_owned())].into());
    old.status.as_mut().unwrap().conditions.as_mut().unwrap()[0].status = "False".to_owned();
    let with = |pod: &k8s_openapi::api::core::v1::Pod, snapshot: &Snapshot| {
        let pods = [&snapshot.pods.present().unwrap()[..3], std::slice::from_ref(pod)].concat();
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
    assert_eq!((finding.cause.slug, finding.weight), ("probe-failing", Weight::NotYet));
    let restarted = snapshot(&container(&json!({ "running": {} }), 2));
    let finding = only(&restarted, &event("uid-postgres-0", "Unhealthy", "probe failed"));
    assert_eq!((finding.cause.slug, finding.weight), ("probe-failing", Weight::Problem));

    let creating = snapshot(&container(&json!({ "waiting": { "reason": "ContainerCreating" } }), 0));
    let finding = only(&creating, &event("uid-postgres-0", "Pulling", "Pulling image"));
    assert!(finding.says.contains("is pulling its image postgres:17 for 0s"), "{finding:?}");
}

#[test]
fn what_was_said_of_an_earlier_object_of_the_name_explains_nothing() {
    let running = snapshot(&container(&json!({ "running": {} }), 0));
    assert_eq!(only(&running, &event("uid-of-the-one-before", "Unhealthy", "probe failed")).cause.slug, "starting");
    let creating = snapshot(&container(&json!({ "waiting": { "reason": "ContainerCreating" } }), 0));
    let finding = only(&creating, &event("uid-of-the-one-before", "FailedMount", "no such secret"));
    assert_eq!(finding.says, "is being created");
}

#[test]
fn an_unbound_claim_hides_that_no_node_takes_the_pod() {
    let mut pod = container(&json!({}), 0);
    pod["status"]["conditions"] = json!([{ "type": "PodScheduled", "status": "False", "message": "unbound claims" }]);
    let mut snapshot = snapshot(&pod);
    assert_eq!(only(&snapshot, &Details::default()).cause.slug, "unschedulable");

    let claim =
        json!({ "metadata": { "name": names::CLAIM, "uid": "uid-postgres-pvc" }, "status": { "phase": "Pending" } });
    snapshot.members[0].claim = of_claim(&claim);
    let failed = event("uid-postgres-pvc", "ProvisioningFailed", "no such class");
    let finding = only(&snapshot, &failed);
    assert_eq!((finding.cause.slug, finding.weight), ("claim-unbound", Weight::Problem));
    assert!(finding.says.contains("no such class"), "{finding:?}");
}

#[test]
fn a_claim_that_is_gone_hides_that_no_node_takes_the_pod() {
    let mut pod = container(&json!({}), 0);
    pod["status"]["conditions"] = json!([{ "type": "PodScheduled", "status": "False", "message": "claim not found" }]);
    let mut snapshot = snapshot(&pod);
    snapshot.members[0].claim = Reading::Absent;
    let hint = |snapshot: &Snapshot| {
        let finding = only(snapshot, &Details::default());
        assert_eq!((finding.cause.slug, finding.object.as_str()), ("missing", "persistentvolumeclaim/postgres-pvc"));
        finding.hint.to_string()
    };
    assert!(!hint(&snapshot).contains("--reuse-volume"));
    let mut volume = |phase: &str| {
        let volume = json!({ "metadata": { "name": "postgres-pv-alice" }, "status": { "phase": phase } });
        snapshot.members[0].volume = Reading::Present(serde_json::from_value(volume).unwrap());
        hint(&snapshot)
    };
    assert!(!volume("Available").contains("--reuse-volume"));
    assert!(volume("Released").contains("deploy --reuse-volume"));
}

#[test]
fn a_pod_that_may_not_be_made_is_explained() {
    let mut snapshot = snapshot(&container(&json!({}), 0));
    let Reading::Present(pods) = &mut snapshot.pods else { panic!("there are pods") };
    pods.remove(0);
    let words = "create Pod postgres-0 in StatefulSet postgres failed error: exceeded quota: small";
    let mut details = event("uid-postgres", "FailedCreate", words);
    let finding = only(&snapshot, &details);
    assert_eq!((finding.cause.slug, finding.weight), ("quota-exceeded", Weight::Problem));
    assert!(
        finding.says.contains("exceeded quota: small") && finding.hint.to_string().contains("resourcequota"),
        "{finding:?}"
    );
    details.events.extend(event("uid-postgres", "SuccessfulCreate", "created").events);
    assert_eq!(only(&snapshot, &details).cause.slug, "not-ready");

    let mut snapshot = ready();
    let status = json!({ "observedGeneration": 1, "conditions": [
        { "type": "ReplicaFailure", "status": "True", "message": "violates PodSecurity \"restricted:latest\"" }] });
    let backend =
        json!({ "metadata": { "generation": 1 }, "spec": { "selector": {}, "template": {} }, "status": status });
    snapshot.deployments.insert(names::BACKEND.to_owned(), Reading::Present(serde_json::from_value(backend).unwrap()));
    let finding = only(&snapshot, &Details::default());
    assert_eq!((finding.cause.slug, finding.object.as_str()), ("pod-security", "deployment/backend"));
    // Another storage would be without the data that there is.
    assert!(finding.hint.to_string().contains("describe namespace alice"), "{finding:?}");
    snapshot.members[0].claim = Reading::NotAsked;
    assert!(only(&snapshot, &Details::default()).hint.to_string().contains("--storage dynamic"));
}

#[test]
fn a_pod_of_an_older_revision_hides_what_is_the_matter_with_it() {
    let mut pod = container(&json!({ "waiting": { "reason": "ImagePullBackOff" } }), 0);
    pod["revision"] = "r0".into();
    assert_eq!(only(&snapshot(&pod), &Details::default()).cause.slug, "stuck-revision");
}

#[test]
fn what_may_not_be_read_is_not_unhealthy_and_what_fails_is() {
    let mut snapshot = ready();
    snapshot.members[0].volume = Reading::Unknown(Reason::Forbidden("no".to_owned()));
    let findings = found(&snapshot, &Details::default());
    assert_eq!((findings.len(), healthy(&findings), findings[0].cause.slug), (1, true, "not-permitted"));
    snapshot.members[0].volume = Reading::Unknown(Reason::Failed("no".to_owned()));
    let failed = only(&snapshot, &Details::default());
    assert_eq!((failed.cause.slug, failed.weight), ("api-server", Weight::Problem));
    // Of several readings, each is told with its own reason.
    snapshot.endpoints = Reading::Unknown(Reason::Forbidden("no".to_owned()));
    let codes = |findings: &[Finding]| findings.iter().map(|it| it.cause.slug).collect::<Vec<_>>();
    assert_eq!(codes(&found(&snapshot, &Details::default())), ["api-server", "not-permitted"]);
}

#[test]
fn of_several_servers_it_is_said_whose_volume_is_unknown() {
    let unknown = || Reading::Unknown(Reason::Forbidden("no".to_owned()));
    let mut snapshot = ready();
    snapshot.members[0].volume = unknown();
    let objects = |snapshot: &Snapshot| {
        found(snapshot, &Details::default()).into_iter().map(|finding| finding.object).collect::<Vec<_>>()
    };
    assert_eq!(objects(&snapshot), ["the volume"]);
    let second = Member { volume: unknown(), ..Member::new(("postgres-1", "data-postgres-1")) };
    snapshot.members.push(second);
    let [first, second] =
        [names::CLAIM, "data-postgres-1"].map(|of| format!("the volume of persistentvolumeclaim/{of}"));
    assert_eq!(objects(&snapshot), [first, second]);
}

#[test]
fn a_server_of_another_version_is_warned_about_and_of_an_unknown_one_is_not() {
    let of = |minor: &str| {
        let server = Info { major: "1".to_owned(), minor: minor.to_owned(), ..Info::default() };
        Details { server: Reading::Present(Box::new(server)), ..Details::default() }
    };
    assert_eq!(found(&ready(), &of("37")), []);
    let old = only(&ready(), &of("12"));
    assert_eq!((old.cause.slug, old.weight, &*old.object), ("api-server", Weight::Warning, "API server"));
    assert!(old.says.contains("this plugin supports Kubernetes 1."), "{old:?}");
    for unread in [Reading::NotAsked, Reading::Unknown(Reason::Forbidden("no".to_owned()))] {
        assert_eq!(found(&ready(), &Details { server: unread, ..Details::default() }), []);
    }
}

#[test]
fn the_database_says_what_is_the_matter_with_it() {
    let database = |columns: Value| -> Reading<Database> {
        let database = json!({ "started_at": "2026-11-23T20:00:00Z", "size": 1, "index": true,
                               "in_recovery": false, "read_only": null, "blockers": [] });
        let database = serde_json::from_value(database).unwrap();
        Reading::Present(Database { columns: serde_json::from_value(columns).unwrap(), ..database })
    };
    let asked = |database, credentials| Details { database, credentials, ..Details::default() };
    let silent = Reading::Unknown(Reason::Failed("gone".to_owned()));
    for (details, code) in [
        (asked(database(Value::Null), Reading::NotAsked), "table-missing"),
        (asked(database(json!([])), Reading::NotAsked), "table-different"),
        (asked(silent, Reading::NotAsked), "database-silent"),
        (asked(Reading::NotAsked, Reading::Present(Credentials::Refused)), "credentials-refused"),
    ] {
        assert_eq!(only(&ready(), &details).cause.slug, code);
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
    assert_eq!(only(&snapshot, &Details::default()).cause.slug, "replicas", "three pods have one claim");
    let Reading::Present(set) = &mut snapshot.statefulset else { panic!("there is a set") };
    set.spec.as_mut().unwrap().volume_claim_templates = Some(vec![PersistentVolumeClaim::default()]);
    let member = |number: u32| {
        let claim = json!({ "metadata": { "uid": format!("uid-{number}") }, "status": { "phase": "Bound" } });
        let (pod, name) = (format!("postgres-{number}"), format!("data-postgres-{number}"));
        Member { claim: of_claim(&claim), ..Member::new((&pod, &name)) }
    };
    snapshot.members = (0..3).map(member).collect();
    let Reading::Present(pods) = &mut snapshot.pods else { panic!("there are pods") };
    let (label, primary) = names::ROLE;
    pods[0].metadata.labels.get_or_insert_default().insert(label.to_owned(), primary.to_owned());
    assert_eq!(found(&snapshot, &Details::default()), []);

    let deleted =
        json!({ "metadata": { "deletionTimestamp": "2026-11-23T20:00:00Z" }, "status": { "phase": "Bound" } });
    snapshot.members[1].claim = of_claim(&deleted);
    let finding = only(&snapshot, &Details::default());
    assert_eq!((finding.cause.slug, finding.object.as_str()), ("terminating", "persistentvolumeclaim/data-postgres-1"));
    assert!(finding.hint.to_string().contains("exec postgres-1"), "{finding:?}");
    assert!(finding.says.starts_with("is Terminating"), "the claim is named already: {finding:?}");
    snapshot.members[1].claim = Reading::Absent;
    assert_eq!(only(&snapshot, &Details::default()).object, "persistentvolumeclaim/data-postgres-1");
    let pending = json!({ "metadata": { "uid": "uid-1" }, "status": { "phase": "Pending" } });
    snapshot.members[1].claim = of_claim(&pending);
    assert!(only(&snapshot, &Details::default()).hint.to_string().contains("describe pvc data-postgres-1"));
}

/// A path that went all the way.
fn connection() -> Served {
    serde_json::from_value(
        json!({ "host": "postgres-headless", "started_at": "2026-11-23T20:00:00Z", "role": "postgres",
        "read_only": false, "in_recovery": false, "wallets_table": true, "missing_privileges": [] }),
    )
    .unwrap()
}

fn lesson() -> Database {
    let described = json!({ "started_at": "2026-11-23T20:00:00Z", "size": 1, "index": true,
                            "in_recovery": false, "read_only": null, "blockers": [] });
    let columns = Some(crate::exchange::wallets::columns());
    Database { columns, ..serde_json::from_value(described).unwrap() }
}

fn answered(change: impl Fn(&mut Served, &mut Database)) -> Details {
    let (mut served, mut database) = (connection(), lesson());
    change(&mut served, &mut database);
    let path = Path::Answered(Connection { backend: "backend-1".to_owned(), database: served });
    Details { path: Reading::Present(path), database: Reading::Present(database), ..Details::default() }
}

fn failed(path: Path) -> Details {
    Details { path: Reading::Present(path), ..answered(|_, _| {}) }
}

fn no_database(reason: &str) -> Details {
    failed(Path::NoDatabase { backend: "backend-1".to_owned(), reason: reason.to_owned() })
}

fn health(snapshot: &Snapshot, details: &Details) -> Health {
    let by_hand = &hostile();
    let observed = Observed { snapshot, details, namespace: "alice", by_hand, now: Timestamp::UNIX_EPOCH };
    Health::of(&observed, &judge(&observed), true)
}

#[test]
fn only_a_request_that_was_answered_makes_it_healthy() {
    assert_eq!(found(&ready(), &answered(|_, _| {})), []);
    assert_eq!(health(&ready(), &answered(|_, _| {})), Health::Healthy);
    assert_eq!(health(&ready(), &Details::default()), Health::Unknown);
    let forbidden = Reading::Unknown(Reason::Forbidden("no".to_owned()));
    assert_eq!(health(&ready(), &Details { path: forbidden, ..answered(|_, _| {}) }), Health::Unknown);
    let holder = |found| vec![Holder { kind: Kind::Secret, name: names::SECRET.to_owned(), found }];
    let unread = holder(Reading::Unknown(Reason::Forbidden("no".to_owned())));
    assert_eq!(health(&ready(), &Details { configuration: unread, ..answered(|_, _| {}) }), Health::WorksAsSeen);
    assert_eq!(health(&ready(), &failed(Path::NoBackend)), Health::NotHealthy);
}

#[test]
fn a_password_is_not_wrong_where_the_role_is() {
    let mut snapshot = ready();
    let mut tell = |value: &str| {
        let Some(Reading::Present(backend)) = snapshot.deployments.get_mut("backend") else { panic!("a backend") };
        let env = json!([{ "name": "DB_USER", "value": value }]);
        let pod = json!({ "containers": [{ "name": "backend", "env": env }] });
        backend.spec.get_or_insert_default().template.spec = serde_json::from_value(pod).unwrap();
        only(&snapshot, &no_database("password"))
    };
    let finding = tell("nobody");
    assert_eq!(finding.cause.slug, "role-refused");
    assert!(finding.hint.to_string().contains("set env deployment/backend DB_USER- -n alice"), "{finding:?}");
    assert_eq!(tell("postgres").cause.slug, "database-unreachable");
}

#[test]
fn the_way_of_a_request_says_where_it_ends() {
    for (details, slug) in vec![
        (failed(Path::NoPage("connection refused".to_owned())), "page-unreachable"),
        (failed(Path::NoBackend), "backend-unreachable"),
        (failed(Path::Other("404 hello".to_owned())), "backend-unreachable"),
        (no_database("password"), "database-unreachable"),
        (no_database("name"), "database-unreachable"),
        (no_database("no-database"), "database-unreachable"),
        (no_database("timeout"), "database-unreachable"),
        (no_database("a word of a later backend"), "database-unreachable"),
        (no_database("no-login"), "role-refused"),
        (no_database("no-role"), "role-refused"),
        (no_database("no-connection-left"), "no-connection-left"),
        (no_database("not-admitted"), "not-admitted"),
        (no_database("database-closed"), "not-admitted"),
        (no_database("refused"), "not-admitted"),
        (answered(|served, _| served.missing_privileges = vec!["INSERT".to_owned()]), "role-refused"),
        (answered(|served, _| served.read_only = true), "read-only"),
        (answered(|served, _| served.in_recovery = true), "read-only"),
        (answered(|_, database| database.in_recovery = true), "read-only"),
        (answered(|_, database| database.read_only = Some("database".to_owned())), "read-only"),
        (answered(|_, database| database.free = Some(15 << 20)), "volume-full"),
        (
            answered(|_, database| {
                database.blockers = vec![Blocker { pid: 7, mode: "ExclusiveLock".to_owned(), seconds: 9 }];
            }),
            "writes-blocked",
        ),
        (answered(|served, _| served.started_at = Timestamp::UNIX_EPOCH), "wrong-database"),
    ] {
        assert_eq!(only(&ready(), &details).cause.slug, slug, "{details:?}");
        assert_eq!(health(&ready(), &details), Health::NotHealthy, "{details:?}");
    }
    // Where PostgreSQL does not answer in its own pod either, it listens to nobody.
    let silent = Reading::Unknown(Reason::Failed("no response".to_owned()));
    let details = Details { database: silent, ..no_database("refused") };
    assert_eq!(only(&ready(), &details).cause.slug, "database-silent");
    let renamed = "FATAL:  database \"kubecoin\" does not exist";
    let renamed = Reading::Unknown(Reason::Failed(renamed.to_owned()));
    let finding = only(&ready(), &Details { database: renamed, ..no_database("no-database") });
    assert_eq!(finding.cause.slug, "database-silent");
    assert!(finding.hint.to_string().contains("-d postgres -c"), "{finding:?}");
    let full = Reading::Unknown(Reason::Failed("FATAL:  sorry, too many clients already".to_owned()));
    let details = Details { database: full, ..no_database("no-connection-left") };
    assert_eq!(only(&ready(), &details).cause.slug, "no-connection-left");
    for (reason, weight) in [("starting", Weight::NotYet), ("busy", Weight::NotYet), ("password", Weight::Problem)] {
        assert_eq!(only(&ready(), &no_database(reason)).weight, weight);
    }
}

#[test]
fn a_cause_in_any_part_explains_that_no_request_is_answered() {
    let mut pod = container(&json!({ "waiting": { "reason": "ImagePullBackOff" } }), 0);
    pod["revision"] = "r1".into();
    let details = Details { database: Reading::NotAsked, ..no_database("refused") };
    assert_eq!(only(&snapshot(&pod), &details).cause.slug, "image-pull");
}

#[test]
fn what_pods_are_given_is_missed_before_they_start_again() {
    let mut snapshot = ready();
    let Reading::Present(set) = &mut snapshot.statefulset else { panic!("there is a set") };
    let reference = json!({ "secretKeyRef": { "name": "postgres-credentials", "key": "password" } });
    let env = json!([{ "name": "A", "valueFrom": reference }]);
    let template = json!({ "spec": { "containers": [{ "name": "postgres", "env": env }] } });
    set.spec.as_mut().unwrap().template = serde_json::from_value(template).unwrap();
    let given = |found| Details {
        configuration: vec![Holder { kind: Kind::Secret, name: "postgres-credentials".to_owned(), found }],
        ..answered(|_, _| {})
    };
    let there = |keys: &[&str], terminating| {
        let keys = keys.iter().map(|&key| key.to_owned()).collect();
        given(Reading::Present(Keys { keys, terminating }))
    };
    assert_eq!(found(&snapshot, &there(&["password"], false)), []);
    assert_eq!(
        only(&snapshot, &there(&["other"], false)).says,
        "has no key \"password\": a new pod of postgres cannot start without it"
    );
    assert_eq!(only(&snapshot, &given(Reading::Absent)).cause.slug, "configuration-missing");
    assert_eq!(only(&snapshot, &there(&["password"], true)).cause.slug, "terminating");
    let namespace = json!({ "metadata": { "deletionTimestamp": "2026-11-23T20:00:00Z" } });
    let namespace = Reading::Present(serde_json::from_value(namespace).unwrap());
    let finding = only(&snapshot, &Details { namespace, ..answered(|_, _| {}) });
    assert_eq!((finding.cause.slug, finding.object.as_str()), ("terminating", "namespace/alice"));
}

#[test]
fn a_service_leads_to_its_pods() {
    let changed = |name: &str, path: &str, value: Value, details: &Details| {
        let mut snapshot = ready();
        let service = snapshot.services.get_mut(name).unwrap();
        let mut json = serde_json::to_value(service.present().unwrap()).unwrap();
        *json.pointer_mut(path).unwrap() = value;
        *service = Reading::Present(serde_json::from_value(json).unwrap());
        let findings = found(&snapshot, details);
        findings.iter().map(|finding| format!("{} {}", finding.cause.slug, finding.object)).collect::<Vec<_>>()
    };
    let works = answered(|_, _| {});
    for (name, path, value, details, expected) in [
        (
            "backend-service",
            "/spec/selector/app",
            json!("nobody"),
            &works,
            "selector-matches-nothing service/backend-service",
        ),
        (
            "postgres-headless",
            "/spec/selector",
            json!({}),
            &works,
            "selector-matches-nothing service/postgres-headless",
        ),
        (
            "frontend-service",
            "/spec/ports/0/targetPort",
            json!("web"),
            &works,
            "port-leads-nowhere service/frontend-service",
        ),
        (
            "backend-service",
            "/spec/ports/0/targetPort",
            json!(5001),
            &failed(Path::NoBackend),
            "port-leads-nowhere service/backend-service",
        ),
    ] {
        assert_eq!(changed(name, path, value, details), [expected]);
    }
    // A number need not be declared where something answers, and a headless Service needs no port at all.
    assert!(changed("backend-service", "/spec/ports/0/targetPort", json!(5001), &works).is_empty());
    let mut snapshot = ready();
    let service = snapshot.services.get_mut("postgres-headless").unwrap();
    let Reading::Present(it) = service else { panic!("it is there") };
    let spec = it.spec.as_mut().unwrap();
    (spec.cluster_ip, spec.ports) = (Some("None".to_owned()), None);
    assert_eq!(found(&snapshot, &works), []);

    let Reading::Present(slices) = &mut snapshot.endpoints else { panic!("there are slices") };
    slices[2].endpoints[0].target_ref.as_mut().unwrap().name = Some("backend-1".to_owned());
    assert!(only(&snapshot, &works).says.contains("leads to pod/backend-1 too"));
    let Reading::Present(slices) = &mut snapshot.endpoints else { panic!("there are slices") };
    slices[2].endpoints.clear();
    assert_eq!(only(&snapshot, &works).cause.slug, "not-published");
}

#[test]
fn what_is_scaled_away_or_gone_is_missed_whatever_a_status_says() {
    let mut snapshot = ready();
    let Some(Reading::Present(backend)) = snapshot.deployments.get_mut("backend") else { panic!("it is there") };
    backend.spec.as_mut().unwrap().replicas = Some(0);
    assert_eq!(only(&snapshot, &answered(|_, _| {})).cause.slug, "replicas");
    for (at, app) in ["postgres", "backend", "frontend"].into_iter().enumerate() {
        let mut snapshot = ready();
        let Reading::Present(pods) = &mut snapshot.pods else { panic!("there are pods") };
        pods.remove(at);
        // Its Service still has the address.
        snapshot.endpoints = Reading::NotAsked;
        let finding = only(&snapshot, &Details::default());
        assert_eq!((finding.cause.slug, finding.app), ("not-ready", app));
    }
    let mut snapshot = ready();
    let claim = json!({ "metadata": {}, "spec": { "volumeName": "v" }, "status": { "phase": "Bound" } });
    snapshot.members[0].claim = of_claim(&claim);
    snapshot.members[0].volume = Reading::Absent;
    assert_eq!(only(&snapshot, &answered(|_, _| {})).object, "persistentvolume/v");
}

#[test]
fn every_cause_is_asked_for_the_events_that_it_looks_at() {
    // A pod that is not ready, a claim that is not bound, and a set without pods: nobody may look at other events.
    let mut pending = snapshot(&container(&json!({ "running": {} }), 0));
    let claim = json!({ "metadata": { "uid": "uid-claim" }, "status": { "phase": "Pending" } });
    pending.members[0].claim = of_claim(&claim);
    let wanted = wanted(&pending, Depth::Wait, ALL);
    assert_eq!(wanted.events.iter().collect::<Vec<_>>(), ["uid-claim", "uid-postgres-0"]);
    let details = Details { asked: Some(wanted.events), ..Details::default() };
    assert!(!found(&pending, &details).is_empty());
    let Reading::Present(pods) = &mut pending.pods else { panic!("there are pods") };
    pods.remove(0);
    let wanted = super::wanted(&pending, Depth::Wait, ALL);
    assert_eq!(wanted.events.iter().collect::<Vec<_>>(), ["uid-claim", "uid-postgres"]);
    let details = Details { asked: Some(wanted.events), ..Details::default() };
    assert!(!found(&pending, &details).is_empty());
    assert!(!wanted.database && !wanted.path && !wanted.surroundings);
}

#[test]
fn every_cause_has_names_of_its_own() {
    let every: Vec<&Cause> = super::every().collect();
    let unique = |names: Vec<&'static str>| names.into_iter().collect::<std::collections::BTreeSet<_>>().len();
    assert_eq!(unique(every.iter().map(|cause| cause.id).collect()), every.len());
    assert_eq!(unique(every.iter().map(|cause| cause.slug).collect()), every.len());
    for cause in every {
        let number = cause.id.strip_prefix("KC").unwrap();
        assert!(number.len() == 3 && number.chars().all(|digit| digit.is_ascii_digit()), "{cause:?}");
        assert!(
            cause.slug.chars().all(|letter| letter == '-' || letter.is_ascii_lowercase() || letter.is_ascii_digit()),
            "{cause:?}"
        );
        assert!(!cause.title.is_empty() && !cause.title.ends_with('.'), "{cause:?}");
        assert!(!cause.explains(cause), "{cause:?}");
    }
}
