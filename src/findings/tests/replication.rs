//! A replicated database: who is the primary, and who follows.

use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use serde_json::{Value, json};

use super::*;
use crate::exchange::objects::Objects;
use crate::exchange::settings::{Settings, Storage};
use crate::observe::replication::Replication;

/// A member's pod: its number, its role, whether it is ready, its timeline and how far its log reaches.
fn pod(number: u32, role: &str, ready: bool, (timeline, location): (u32, u64)) -> Pod {
    let says = json!({ "state": "running", "role": role, "timeline": timeline, "xlog_location": location }).to_string();
    let ready = if ready { "True" } else { "False" };
    let pod: Value = json!({
        "metadata": { "name": format!("postgres-{number}"), "uid": number.to_string(),
                      "labels": { "app": "postgres", "role": role }, "annotations": { "status": says } },
        "status": { "phase": "Running", "conditions": [{ "type": "Ready", "status": ready }],
                    "containerStatuses": [{ "name": "postgres", "image": "", "imageID": "", "ready": true, "restartCount": 0,
                                            "state": { "running": { "startedAt": "1970-01-01T00:00:00Z" } } }] },
    });
    serde_json::from_value(pod).unwrap()
}

fn database(pods: Vec<Pod>, synchronous: &[&str]) -> Snapshot {
    let settings = Settings { members: Some(3), ..Settings::of("alice", Storage::Dynamic { class: None }) };
    let members = [0, 1, 2].map(names::member).map(|(pod, claim)| Member::new((&pod, &claim)));
    let synchronous = synchronous.iter().map(|name| (*name).to_owned()).collect();
    Snapshot {
        statefulset: Reading::Present(Objects::new(&settings).unwrap().postgres),
        pods: Reading::Present(pods),
        members: members.into(),
        replication: Reading::Present(Replication {
            leader: Some("postgres-2".to_owned()),
            synchronous,
            renewed_at: Some(Timestamp::UNIX_EPOCH),
        }),
        ..ready()
    }
}

/// What is found of members, by its slug and its object.
fn of_members(pods: Vec<Pod>, synchronous: &[&str]) -> Vec<(&'static str, String, Weight)> {
    after(0, pods, synchronous)
}

/// The same so many seconds after the claim to be the primary was renewed.
fn after(seconds: i64, pods: Vec<Pod>, synchronous: &[&str]) -> Vec<(&'static str, String, Weight)> {
    let all = ["no-primary", "second-primary", "member-behind", "no-synchronous-standby", "store-unreachable"];
    let snapshot = database(pods, synchronous);
    let (details, by_hand) = (&Details::default(), &hostile());
    let now = Timestamp::from_second(seconds).unwrap();
    let observed = Observed { snapshot: &snapshot, details, namespace: "alice", by_hand, now };
    let causes: Vec<_> = ALL.iter().filter(|cause| all.contains(&cause.slug)).copied().collect();
    let found = crate::findings::found(&observed, &causes);
    found.into_iter().map(|finding| (finding.cause.slug, finding.object, finding.weight)).collect()
}

const AT: (u32, u64) = (3, 100 << 20);

#[test]
fn nothing_is_the_matter_while_all_follow() {
    let pods = vec![pod(0, "replica", true, AT), pod(1, "replica", true, AT), pod(2, "primary", true, AT)];
    assert_eq!(of_members(pods, &["postgres-0"]), []);
}

#[test]
fn without_a_primary_nothing_can_be_written() {
    let pods = vec![pod(0, "replica", true, AT), pod(1, "replica", true, AT), pod(2, "primary", false, AT)];
    let found = of_members(pods, &["postgres-0"]);
    assert_eq!(found, [("no-primary", "statefulset/postgres".to_owned(), Weight::NotYet)]);
    // While none is ready, each pod says why.
    assert_eq!(of_members(vec![pod(0, "replica", false, AT)], &[]), []);
}

#[test]
fn a_frozen_primary_is_told_from_the_new_one() {
    let frozen = |ready| vec![pod(0, "primary", ready, AT), pod(1, "replica", true, AT), pod(2, "primary", true, AT)];
    let of = |weight| [("second-primary", "pod/postgres-0".to_owned(), weight)];
    assert_eq!(of_members(frozen(false), &["postgres-1"]), of(Weight::Warning));
    assert_eq!(of_members(frozen(true), &["postgres-1"]), of(Weight::Problem), "the leader's claim decides");
}

#[test]
fn a_standby_on_an_older_timeline_or_far_behind_is_named() {
    let with = |at| vec![pod(0, "replica", true, at), pod(1, "replica", true, AT), pod(2, "primary", true, AT)];
    for at in [(2, 100 << 20), (3, 60 << 20)] {
        let found = of_members(with(at), &["postgres-1"]);
        assert_eq!(found, [("member-behind", "pod/postgres-0".to_owned(), Weight::Warning)], "{at:?}");
    }
    assert_eq!(of_members(with((3, 90 << 20)), &["postgres-1"]), [], "what members say is some seconds old");
}

/// Its claim was kept while it was away, and the primary has not kept the log for so long.
#[test]
fn a_standby_that_runs_and_does_not_stream_is_the_reason_that_it_is_not_ready() {
    let with = |ready, says: Value| {
        let mut away = pod(0, "replica", ready, AT);
        away.annotations_mut().insert("status".to_owned(), says.to_string());
        vec![away, pod(1, "replica", true, AT), pod(2, "primary", true, AT)]
    };
    let says = json!({ "state": "running", "timeline": 3, "xlog_location": 99 << 20 });
    let found = of_members(with(false, says.clone()), &["postgres-1"]);
    assert_eq!(found, [("member-behind", "pod/postgres-0".to_owned(), Weight::NotYet)]);
    assert_eq!(of_members(with(true, says), &["postgres-1"]), [], "what members say is some seconds old");
    for starts in [
        json!({ "state": "starting", "timeline": 3, "xlog_location": 0 }),
        json!({ "state": "running", "replication_state": "streaming", "timeline": 3, "xlog_location": 0 }),
    ] {
        assert_eq!(of_members(with(false, starts), &["postgres-1"]), []);
    }
}

#[test]
fn a_primary_that_works_alone_is_named() {
    let found = of_members(vec![pod(2, "primary", true, AT)], &[]);
    assert_eq!(found, [("no-synchronous-standby", "pod/postgres-2".to_owned(), Weight::Warning)]);
}

#[test]
fn members_that_cannot_use_the_api_server_are_named() {
    let pods = |ready| vec![pod(0, "replica", ready, AT), pod(1, "replica", ready, AT), pod(2, "primary", ready, AT)];
    let of = |weight| [("store-unreachable", "statefulset/postgres".to_owned(), weight)];
    assert_eq!(after(61, pods(false), &["postgres-0"]), of(Weight::Problem));
    assert_eq!(after(59, pods(false), &["postgres-0"]), [], "another member may take over");
    assert_eq!(after(301, pods(true), &["postgres-0"]), of(Weight::Warning), "as with failsafe_mode");
    assert_eq!(after(299, pods(true), &["postgres-0"]), [], "it may be a clock");
    let replica = vec![pod(0, "replica", true, AT)];
    let found = after(61, replica, &["postgres-0"]);
    assert_eq!(found.len(), 2, "no primary, and why: {found:?}");
    assert_eq!(after(61, vec![], &[]), [], "nobody runs who could");
}

/// Members with their data on nodes; the first one's pod is like this.
fn on_nodes(first: &Value) -> Snapshot {
    let hostnames = ["a.host", "b.host", "a.host"].map(str::to_owned).to_vec();
    let storage = Storage::Local { host_path: None, hostnames };
    let objects = Objects::new(&Settings { members: Some(3), ..Settings::of("alice", storage) }).unwrap();
    let mut snapshot = database(vec![pod(1, "replica", true, AT), pod(2, "primary", true, AT)], &["postgres-1"]);
    let Reading::Present(pods) = &mut snapshot.pods else { panic!("there are pods") };
    pods.push(serde_json::from_value(first.clone()).unwrap());
    for (member, volume) in snapshot.members.iter_mut().zip(objects.volumes) {
        member.volume = Reading::Present(volume);
    }
    snapshot.statefulset = Reading::Present(objects.postgres);
    snapshot
}

fn waiting(condition: &Value, containers: &Value) -> Value {
    json!({ "metadata": { "name": "postgres-0", "uid": "0", "labels": { "app": "postgres" } }, "spec": { "nodeName": "a", "containers": [] },
            "status": { "phase": "Pending", "conditions": [condition], "containerStatuses": containers } })
}

fn of_slug(slug: &str, snapshot: &Snapshot, details: &Details) -> Vec<Finding> {
    let by_hand = &hostile();
    let observed = Observed { snapshot, details, namespace: "alice", by_hand, now: Timestamp::UNIX_EPOCH };
    let found = judge(&observed);
    found.into_iter().filter(|finding| finding.cause.slug == slug).collect()
}

#[test]
fn a_directory_that_is_not_on_its_node_is_told_with_its_path() {
    const SAID: &str = "MountVolume.NewMounter initialization failed for volume \"postgres-0-pv-alice\" : path \"/data/kubecoin/alice/postgres-0\" does not exist";
    let creating = json!([{ "name": "postgres", "ready": false, "restartCount": 0, "image": "", "imageID": "",
                            "state": { "waiting": { "reason": "ContainerCreating" } } }]);
    let not_ready = json!({ "type": "Ready", "status": "False" });
    let snapshot = on_nodes(&waiting(&not_ready, &creating));
    let found = of_slug("directory-missing", &snapshot, &event("0", "FailedMount", SAID));
    let [finding] = &found[..] else { panic!("{found:?}") };
    assert!(
        finding.says.ends_with("the directory /data/kubecoin/alice/postgres-0 does not exist on node a"),
        "{}",
        finding.says
    );
    assert!(finding.hint.to_string().contains("deploy --ha"), "{}", finding.hint);
    // Once it runs, what was said before is over; and other volumes have other reasons.
    let mut running = creating.clone();
    running[0]["state"] = json!({ "running": {} });
    let runs = on_nodes(&waiting(&not_ready, &running));
    assert_eq!(of_slug("directory-missing", &runs, &event("0", "FailedMount", SAID)), []);
    let other = event("0", "FailedMount", "configmap \"postgres-settings\" not found");
    assert_eq!(of_slug("directory-missing", &snapshot, &other), []);
}

#[test]
fn a_member_whose_node_is_gone_can_do_without_its_volume() {
    let message = "0/1 nodes are available: 1 node(s) had volume node affinity conflict.";
    let unschedulable = json!({ "type": "PodScheduled", "status": "False", "message": message });
    let snapshot = on_nodes(&waiting(&unschedulable, &json!([])));
    let hint = |labels: &Value| {
        let node = json!([{ "metadata": { "name": "x", "labels": labels } }]);
        let details = Details { nodes: Reading::Present(serde_json::from_value(node).unwrap()), ..Details::default() };
        of_slug("unschedulable", &snapshot, &details).remove(0).hint.to_string()
    };
    let gone = hint(&json!({ names::HOSTNAME: "b.host" }));
    for words in
        ["none has it", "delete persistentvolumeclaim data-postgres-0", "delete persistentvolume postgres-0-pv-alice"]
    {
        assert!(gone.contains(words), "{words}: {gone}");
    }
    assert!(hint(&json!({ names::HOSTNAME: "a.host" })).contains("see the node that has the data"));
}
