//! Each leaf of what `deploy` applies, changed in what is healthy.

use serde_json::{Value, json};

use super::*;
use crate::exchange::objects::Objects;
use crate::exchange::settings::{Images, ServiceType, Settings, Storage};
use crate::observe::configuration;

/// A case in which all is well.
const HEALTHY: &str = include_str!("../../../tests/findings/healthy/case.json");

/// Where each object that is applied stands in a snapshot.
const PLACES: [(&str, &str); 8] = [
    ("StatefulSet/postgres", "/statefulset"),
    ("Deployment/backend", "/deployments/backend"),
    ("Deployment/frontend", "/deployments/frontend"),
    ("Service/postgres-headless", "/services/postgres-headless"),
    ("Service/backend-service", "/services/backend-service"),
    ("Service/frontend-service", "/services/frontend-service"),
    ("PersistentVolumeClaim/postgres-pvc", "/members/0/claim"),
    ("PersistentVolume/postgres-pv-alice", "/members/0/volume"),
];

/// By what an object is found: another one is another object, and this one is absent.
const IDENTITY: [&str; 4] = ["/apiVersion", "/kind", "/metadata/name", "/metadata/namespace"];

/// The keys of the Secret that containers are given.
const SECRET_KEYS: [&str; 2] = [names::SECRET_USERNAME, names::SECRET_PASSWORD];

fn settings() -> Settings {
    Settings::of("alice", Storage::Static { host_path: None, hostname: None })
}

/// What `deploy` applies, each with the place that it has in a snapshot.
fn applied(settings: &Settings) -> Vec<(&'static str, Value)> {
    let all = Objects::new(settings).unwrap().in_order().unwrap();
    let placed = all.into_iter().filter_map(|object| {
        let name = format!("{}/{}", object.body["kind"].as_str()?, object.name);
        let (_, place) = PLACES.into_iter().find(|(of, _)| *of == name)?;
        Some((place, object.body))
    });
    placed.collect()
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// The healthy case, whose objects have all that `deploy` applies, and its pods what their workloads tell.
fn deployed(settings: &Settings) -> Value {
    let case: Value = serde_json::from_str(HEALTHY).unwrap();
    let mut snapshot = case["snapshot"].clone();
    let applied = applied(settings);
    for (place, body) in &applied {
        merge(&mut snapshot.pointer_mut(place).unwrap()["value"], body);
    }
    follow(&mut snapshot);
    snapshot
}

/// Lets the pods be what their workloads tell.
fn follow(snapshot: &mut Value) {
    let templates = [("postgres", SET), ("backend", BACKEND), ("frontend", PAGE)]
        .map(|(app, workload)| (app, template(snapshot, workload).clone()));
    for pod in snapshot["pods"]["value"].as_array_mut().unwrap() {
        let app = pod["metadata"]["labels"]["app"].clone();
        let (_, template) = templates.iter().find(|(name, _)| app == *name).unwrap();
        merge(pod, template);
    }
}

/// What would be read of these objects: what they name and is not there is absent.
fn read(snapshot: Value) -> (Snapshot, Details) {
    let mut snapshot: Snapshot = serde_json::from_value(snapshot).unwrap();
    let set = snapshot.statefulset.present().and_then(|set| set.spec.as_ref()?.service_name.clone());
    if let Some(service) = set.filter(|it| !it.is_empty() && !snapshot.services.contains_key(it)) {
        snapshot.services.insert(service, Reading::Absent);
    }
    let volume = snapshot.volumes().next().and_then(|volume| volume.metadata.name.clone());
    if snapshot.members[0].volume_name() != volume.as_deref() {
        snapshot.members[0].volume = Reading::Absent;
    }
    let found = |name: &str| match name {
        names::SECRET | "postgres-credentials-ab12" => {
            Reading::Present(Keys { keys: SECRET_KEYS.map(str::to_owned).into(), terminating: false })
        }
        _ => Reading::Absent,
    };
    let holders = configuration::needed(&snapshot).map(|(_, given)| Holder {
        kind: given.kind,
        found: found(&given.name),
        name: given.name,
    });
    let configuration = holders.collect();
    let node = json!({ "metadata": { "name": "node-1", "labels": { "kubernetes.io/hostname": "node-1" } } });
    let nodes = Reading::Present(vec![serde_json::from_value(node).unwrap()]);
    (snapshot, Details { configuration, nodes, ..answered(|_, _| {}) })
}

fn changes(snapshot: &Snapshot, details: &Details) -> Vec<Finding> {
    found(snapshot, details).into_iter().filter(|it| it.cause.slug == "changed-by-hand").collect()
}

/// Where the leaves of a value stand, as JSON pointers.
fn leaves(value: &Value, at: &str, all: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                leaves(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), all);
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(number, value)| leaves(value, &format!("{at}/{number}"), all));
        }
        _ => all.push(at.to_owned()),
    }
}

/// Another value, and one that the API server takes where it takes few.
fn another(pointer: &str, value: &Value) -> Value {
    match (pointer.rsplit('/').next(), value) {
        (Some("clusterIP"), _) => json!("10.0.0.9"),
        (Some("persistentVolumeReclaimPolicy"), _) => json!("Delete"),
        (Some("operator"), _) => json!("NotIn"),
        (_, Value::String(text)) => json!(format!("{text}x")),
        (_, Value::Number(number)) => json!(number.as_i64().unwrap() + 1),
        (_, Value::Bool(is)) => json!(!is),
        (_, other) => panic!("{pointer} is {other}"),
    }
}

/// What may be changed without a word, and why: the ends of JSON pointers.
const FREE: [(&str, &str); 33] = [
    ("/metadata/annotations/kubectl-kubecoin~1version", "then nobody knows what was applied"),
    ("/value/metadata/labels/app", "of an object, for people: what selects pods is the label of the template"),
    ("/metadata/labels/app.kubernetes.io~1name", "for people"),
    ("/metadata/labels/app.kubernetes.io~1managed-by", "for people"),
    ("/value/metadata/labels/app.kubernetes.io~1part-of", "deploy and teardown say that the object is not theirs"),
    ("/deployments/backend/value/spec/replicas", "kubectl scale"),
    ("/deployments/frontend/value/spec/replicas", "kubectl scale"),
    ("/fsGroupChangePolicy", "how fast a volume is given to its group"),
    ("/image", "kubectl set image, and flags of deploy: an image that does not work shows itself"),
    ("/imagePullPolicy", "where an image comes from: KC022 says if it does not come"),
    ("/resources/limits/cpu", "kubectl set resources"),
    ("/resources/limits/memory", "kubectl set resources: KC028 says if it is too little"),
    ("/resources/limits/ephemeral-storage", "kubectl set resources"),
    ("/resources/requests/cpu", "kubectl set resources: KC021 says if it is too much"),
    ("/resources/requests/memory", "kubectl set resources"),
    ("/resources/requests/ephemeral-storage", "kubectl set resources"),
    ("Probe/periodSeconds", "how patient a probe is: KC024 says if it is too hasty"),
    ("Probe/timeoutSeconds", "how patient a probe is"),
    ("Probe/failureThreshold", "how patient a probe is"),
    ("/terminationGracePeriodSeconds", "how long an end may take"),
    ("/preStop/sleep/seconds", "how long an end takes"),
    // A Service has no next pod: what it says holds at once, and the request that was answered went by it.
    ("/services/backend-service/value/spec/ports/0/port", "the request that was answered came by it"),
    ("/services/frontend-service/value/spec/ports/0/port", "requests go to whatever port it has"),
    ("/services/postgres-headless/value/spec/ports/0/port", "a headless Service needs no port"),
    ("/services/postgres-headless/value/spec/ports/0/targetPort", "a headless Service needs no port"),
    ("/spec/ports/0/name", "for people: nothing goes by the name of a Service's port"),
    ("/spec/type", "a flag of deploy, and as the user likes to reach it"),
    // A claim cannot be changed once it is there, nor where a volume is; another one has findings of its own.
    ("/accessModes/0", "a claim's cannot be changed, and of two that are bound only the claim's count"),
    ("/storage", "a flag of deploy; a claim may only grow, and KC012 compares both before they are bound"),
    ("/claim/value/spec/storageClassName", "cannot be changed, and means nothing once the claim is bound"),
    ("/volume/value/spec/hostPath/path", "cannot be changed, and is a flag of deploy"),
    ("/volume/value/spec/hostPath/type", "cannot be changed, and means nothing once the directory is there"),
    ("/volume/value/spec/claimRef/", "whatever it is, the cluster at once says that the claim is Lost: KC015"),
];

/// What `doctor` warns of, while `status` still says healthy: pods start, find their data and answer without it. The ends of
/// JSON pointers.
const WARNED: [(&str, &str); 11] = [
    ("/automountServiceAccountToken", "what a program that was broken into gets"),
    ("/allowPrivilegeEscalation", "what a program that was broken into may do"),
    ("/readOnlyRootFilesystem", "what a program that was broken into may do"),
    ("/runAsNonRoot", "what a program that was broken into may do"),
    ("/seccompProfile/type", "what a program that was broken into may do"),
    ("/capabilities/drop/0", "what a program that was broken into may do"),
    ("/enableServiceLinks", "variables that nothing reads"),
    ("/template/metadata/labels/app.kubernetes.io~1part-of", "the plugin finds pods by it, and requests do not"),
    ("/statefulset/value/spec/template/spec/containers/0/env/3/value", "POSTGRES_DB: read at the first start alone"),
    ("/statefulset/value/spec/template/spec/containers/0/env/4/value", "POSTGRES_INITDB_ARGS: likewise"),
    ("/persistentVolumeReclaimPolicy", "who deletes the claim would delete the data: teardown does not delete it"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// It is not healthy.
    Bad,
    Warned,
    Nothing,
}

fn told(snapshot: Value) -> (Told, Vec<Finding>) {
    let (snapshot, details) = read(snapshot);
    let findings = found(&snapshot, &details);
    let (by_hand, now) = (&hostile(), Timestamp::UNIX_EPOCH);
    let observed = Observed { snapshot: &snapshot, details: &details, namespace: "alice", by_hand, now };
    let is_warned = findings.iter().any(|it| it.weight == Weight::Warning);
    match Health::of(&observed, &findings, true) {
        Health::Healthy if is_warned => (Told::Warned, findings),
        Health::Healthy => (Told::Nothing, findings),
        _ => (Told::Bad, findings),
    }
}

#[test]
fn each_leaf_that_is_changed_is_found() {
    let dynamic = Settings { storage: Storage::Dynamic { class: None }, ..settings() };
    let pinned = Storage::Static { host_path: None, hostname: Some("node-1".to_owned()) };
    let pinned = Settings { storage: pinned, ..settings() };
    let mut used = std::collections::BTreeSet::new();
    let mut wrong = Vec::new();
    // Of a volume that is pinned to a node, nothing else is different.
    for (settings, places) in [(settings(), ""), (pinned, "/members/0/volume"), (dynamic, "")] {
        let healthy = deployed(&settings);
        assert_eq!(told(healthy.clone()), (Told::Nothing, vec![]));
        for (place, body) in applied(&settings).into_iter().filter(|(place, _)| place.starts_with(places)) {
            let mut all = Vec::new();
            leaves(&body, "", &mut all);
            for leaf in all.into_iter().filter(|leaf| !IDENTITY.contains(&leaf.as_str())) {
                let pointer = format!("{place}/value{leaf}");
                let mut changed = healthy.clone();
                let value = changed.pointer_mut(&pointer).unwrap();
                *value = another(&leaf, value);
                let is = |list: &[(&'static str, &str)]| {
                    let mut ends = list.iter().map(|(end, _)| *end);
                    ends.find(|end| pointer.ends_with(end) || end.ends_with('/') && pointer.contains(end))
                };
                // The more exact list first.
                let (expected, end) = match (is(&WARNED), is(&FREE)) {
                    (Some(end), _) => (Told::Warned, Some(end)),
                    (None, Some(end)) => (Told::Nothing, Some(end)),
                    (None, None) => (Told::Bad, None),
                };
                used.extend(end);
                // And as it is when pods of the new template run.
                let mut rolled_out = changed.clone();
                follow(&mut rolled_out);
                if expected != Told::Nothing && self::told(rolled_out).0 == Told::Nothing {
                    wrong.push(format!("{pointer} is not told of once pods run with it"));
                }
                let (told, findings) = told(changed);
                if told != expected {
                    wrong.push(format!("{pointer} is {told:?}, not {expected:?}: {findings:?}"));
                }
                if told == Told::Bad && findings.len() != 1 {
                    wrong.push(format!("{pointer} has more than one cause: {findings:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let unused: Vec<_> = FREE.iter().chain(&WARNED).filter(|(end, _)| !used.contains(end)).collect();
    assert!(unused.is_empty(), "no leaf is like {unused:?}");
}

#[test]
fn each_object_that_is_removed_is_missed() {
    for (_, place) in PLACES {
        let (told, findings) = told(after(|it| *it.pointer_mut(place).unwrap() = json!({ "state": "absent" })));
        assert_eq!(told, Told::Bad, "without {place}: {findings:?}");
    }
    for key in SECRET_KEYS {
        let (snapshot, mut details) = read(deployed(&settings()));
        for holder in &mut details.configuration {
            let Reading::Present(there) = &mut holder.found else { panic!("the Secret is there") };
            there.keys.remove(key);
        }
        assert_eq!(health(&snapshot, &details), Health::NotHealthy, "without {key}");
    }
}

/// All flags that shape the objects, in all that they can be together.
fn all_settings() -> Vec<Settings> {
    let statically = |host_path: Option<&str>, hostname: Option<&str>| Storage::Static {
        host_path: host_path.map(str::to_owned),
        hostname: hostname.map(str::to_owned),
    };
    let own = |image: &str| Some(format!("images.example/{image}:dev"));
    let images = [
        Images::default(),
        Images { registry: Some("localhost:5001/x".to_owned()), ..Images::default() },
        Images { registry: None, postgres: own("pg"), backend: own("backend"), frontend: own("page") },
    ];
    let storages = [
        statically(None, None),
        statically(Some("/srv"), Some("node-1")),
        Storage::Dynamic { class: None },
        Storage::Dynamic { class: Some("fast".to_owned()) },
    ];
    let services = [
        (None, None),
        (Some(ServiceType::ClusterIp), None),
        (Some(ServiceType::NodePort), None),
        (Some(ServiceType::NodePort), Some(30_080)),
    ];
    let mut all = Vec::new();
    for storage in &storages {
        for images in &images {
            for (service, node_port) in services {
                for more in [false, true] {
                    all.push(Settings {
                        storage: storage.clone(),
                        volume_size: more.then(|| "2Gi".to_owned()),
                        images: images.clone(),
                        service,
                        node_port,
                        credentials: more.then(|| "postgres-credentials-ab12".to_owned()),
                        network_policy: more,
                        ..settings()
                    });
                }
            }
        }
    }
    all
}

#[test]
fn no_flag_of_deploy_is_a_change_by_hand() {
    let all = all_settings();
    assert_eq!(all.len(), 96);
    for settings in all {
        assert_eq!(told(deployed(&settings)), (Told::Nothing, vec![]), "{settings:?}");
    }
}

/// The fields that the API server fills in.
fn fill_in(template: &mut Value) {
    template["metadata"]["creationTimestamp"] = Value::Null;
    let annotation = json!({ "kubectl.kubernetes.io/restartedAt": "2026-11-24T20:00:00Z" });
    template["metadata"]["annotations"] = annotation;
    let pod = &mut template["spec"];
    merge(
        pod,
        &json!({ "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler" }),
    );
    let grace = pod.get("terminationGracePeriodSeconds").cloned().unwrap_or(json!(30));
    pod["terminationGracePeriodSeconds"] = grace;
    for container in pod["containers"].as_array_mut().unwrap() {
        merge(
            container,
            &json!({ "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File" }),
        );
        for port in container["ports"].as_array_mut().unwrap() {
            port["protocol"] = "TCP".into();
        }
        for variable in container["env"].as_array_mut().unwrap() {
            if let Some(field) = variable.pointer_mut("/valueFrom/fieldRef") {
                field["apiVersion"] = "v1".into();
            }
        }
        for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
            let Some(probe) = container.get_mut(probe) else { continue };
            for (field, value) in [("successThreshold", 1), ("failureThreshold", 3), ("timeoutSeconds", 1)] {
                let value = probe.get(field).cloned().unwrap_or(json!(value));
                probe[field] = value;
            }
            if let Some(get) = probe.get_mut("httpGet") {
                get["scheme"] = "HTTP".into();
            }
        }
    }
}

/// The template of a workload in a snapshot.
fn template<'a>(snapshot: &'a mut Value, workload: &str) -> &'a mut Value {
    snapshot.pointer_mut(&format!("{workload}/value/spec/template")).unwrap()
}

const SET: &str = "/statefulset";
const BACKEND: &str = "/deployments/backend";
const PAGE: &str = "/deployments/frontend";

/// The snapshot of the lesson after a change.
fn after(change: impl FnOnce(&mut Value)) -> Value {
    let mut snapshot = deployed(&settings());
    change(&mut snapshot);
    snapshot
}

/// After a change of the container of a workload.
fn after_of_container(workload: &str, change: impl FnOnce(&mut Value)) -> Value {
    after(|it| change(&mut template(it, workload)["spec"]["containers"][0]))
}

/// After a variable of a workload has another value.
fn after_env(workload: &str, name: &str, value: &str) -> Value {
    after_of_container(workload, |container| {
        let mut variables = container["env"].as_array_mut().unwrap().iter_mut();
        let variable = variables.find(|it| it["name"] == name).unwrap();
        *variable = json!({ "name": name, "value": value });
    })
}

#[test]
fn what_the_api_server_fills_in_and_what_people_add_is_no_change() {
    let finds_nothing = |snapshot: Value| assert_eq!(told(snapshot), (Told::Nothing, vec![]));
    finds_nothing(after(|it| [SET, BACKEND, PAGE].into_iter().for_each(|workload| fill_in(template(it, workload)))));
    finds_nothing(after_of_container(BACKEND, |container| {
        container["env"].as_array_mut().unwrap().insert(0, json!({ "name": "LOG_LEVEL", "value": "debug" }));
    }));
    // A setting of the server, before or after those that are applied.
    finds_nothing(after_of_container(SET, |container| {
        let more = [json!("-c"), json!("max_connections=50")];
        container["args"].as_array_mut().unwrap().splice(1..1, more.clone());
        container["args"].as_array_mut().unwrap().extend(more);
    }));
    // What a service mesh adds.
    finds_nothing(after(|it| {
        let pod = &mut template(it, BACKEND)["spec"];
        pod["containers"].as_array_mut().unwrap().insert(0, json!({ "name": "proxy", "image": "proxy:1" }));
        pod["volumes"].as_array_mut().unwrap().insert(0, json!({ "name": "certificates", "emptyDir": {} }));
    }));
    // Longer names of the same Services.
    for host in [
        "postgres-headless.alice",
        "postgres-headless.alice.svc",
        "postgres-headless.alice.svc.cluster.local",
        "postgres-headless.alice.svc.cluster.local.",
        "postgres-0.postgres-headless",
        "postgres-0.postgres-headless.alice.svc.cluster.local",
    ] {
        finds_nothing(after_env(BACKEND, "DB_HOST", host));
    }
    finds_nothing(after_env(PAGE, "BACKEND_URL", "http://backend-service.alice.svc:5000"));
    // What a saved case leaves out.
    finds_nothing(after_env(SET, "PGDATA", crate::observe::saved::REMOVED));
}

#[test]
fn a_change_is_told_with_both_values_and_no_secret() {
    let says = |snapshot: Value| {
        let (snapshot, details) = read(snapshot);
        let found = changes(&snapshot, &details);
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].says.clone()
    };
    let is = "is not as deploy applied it: ";
    let elsewhere = after_env(SET, "PGDATA", "/tmp/pgdata");
    let expected = r#"containers[postgres].env[PGDATA].value is "/tmp/pgdata", not "/var/lib/postgresql/data/pgdata""#;
    assert_eq!(says(elsewhere), format!("{is}{expected}"));
    let no_mount =
        after_of_container(SET, |container| drop(container["volumeMounts"].as_array_mut().unwrap().remove(0)));
    assert_eq!(says(no_mount), format!("{is}it has no containers[postgres].volumeMounts[data]"));
    let empty = after(|it| template(it, SET)["spec"]["volumes"][0] = json!({ "name": "data", "emptyDir": {} }));
    assert_eq!(says(empty), format!("{is}it has no volumes[data].persistentVolumeClaim"));
    let script = says(after_of_container(SET, |container| {
        let without = container["command"][2].as_str().unwrap().replace("! flock -n 9", "false");
        container["command"][2] = without.into();
    }));
    assert_eq!(
        script,
        format!(r#"{is}containers[postgres].command[2] is "if false; then", not "if ! flock -n 9; then""#)
    );
    let other = "http://me:hush@backend-service.bob:5000";
    for secret in [after_env(BACKEND, "DB_PASSWORD", "hush"), after_env(PAGE, "BACKEND_URL", other)] {
        assert!(!says(secret).contains("hush"));
    }
    // What does most harm comes first.
    let both = after_of_container(BACKEND, |container| {
        container["securityContext"]["readOnlyRootFilesystem"] = false.into();
        container["env"][1]["value"] = "5433".into();
    });
    assert!(says(both).ends_with(r#"env[DB_PORT].value is "5433", not "5432"; and 1 more"#));
    for host in ["postgres-headless.bob", "postgres-headless.alicex", "postgres-headless.alice.svcx", "postgres"] {
        assert!(says(after_env(BACKEND, "DB_HOST", host)).contains(host));
    }
}

/// A pod that runs with a change has started with it. Whether its data lasts is another question.
#[test]
fn a_change_with_which_pods_run_is_a_warning() {
    let weights = |mut snapshot: Value| {
        let weight = |snapshot: Value| {
            let (snapshot, details) = read(snapshot);
            changes(&snapshot, &details)[0].weight
        };
        let before = weight(snapshot.clone());
        follow(&mut snapshot);
        (before, weight(snapshot))
    };
    assert_eq!(weights(after_env(BACKEND, "DB_PORT", "5433")), (Weight::Problem, Weight::Warning));
    let probe = after_of_container(SET, |it| it["livenessProbe"]["exec"]["command"] = json!(["true"]));
    assert_eq!(weights(probe), (Weight::Problem, Weight::Warning));
    assert_eq!(weights(after_env(SET, "PGDATA", "/tmp/pgdata")), (Weight::Problem, Weight::Problem));
    let empty = after(|it| template(it, SET)["spec"]["volumes"][0] = json!({ "name": "data", "emptyDir": {} }));
    assert_eq!(weights(empty), (Weight::Problem, Weight::Problem));
    // What is in the pod alone goes with it.
    for (rolled_out, saves) in [(false, false), (true, true)] {
        let mut snapshot = after_env(SET, "PGDATA", "/tmp/pgdata");
        if rolled_out {
            follow(&mut snapshot);
        }
        let (snapshot, details) = read(snapshot);
        let hint = changes(&snapshot, &details)[0].hint.to_string();
        assert_eq!(hint.starts_with("save the data with: kubectl exec postgres-0"), saves, "{hint}");
        assert!(hint.contains("kubecoin deploy --force-conflicts"), "{hint}");
    }
}

/// What is closer to the harm has a cause of its own.
#[test]
fn a_change_is_told_only_where_nothing_else_is_wrong() {
    let elsewhere = || after_env(BACKEND, "DB_HOST", "nowhere");
    let (snapshot, works) = read(elsewhere());
    assert_eq!(changes(&snapshot, &works).len(), 1);
    // Whether a request is answered may be unknown.
    let unasked = Details { path: Reading::NotAsked, ..works.clone() };
    assert_eq!(changes(&snapshot, &unasked).len(), 1);
    let failing = [
        Path::NoDatabase { backend: "backend-1".to_owned(), reason: "name".to_owned() },
        Path::NoBackend,
        Path::NoPage("refused".to_owned()),
        Path::Other("?".to_owned()),
    ];
    for path in failing {
        assert_eq!(changes(&snapshot, &Details { path: Reading::Present(path), ..works.clone() }), []);
    }
    let silent = |change: fn(&mut Value)| {
        let mut snapshot = elsewhere();
        change(&mut snapshot);
        let (snapshot, details) = read(snapshot);
        assert_eq!(changes(&snapshot, &details), []);
    };
    // A rollout shows what comes of it.
    silent(|it| it["deployments"]["backend"]["value"]["metadata"]["generation"] = 2.into());
    silent(|it| it["deployments"]["backend"]["value"]["status"]["updatedReplicas"] = 0.into());
    silent(|it| it["deployments"]["backend"]["value"]["metadata"]["deletionTimestamp"] = "2026-11-23T20:00:00Z".into());
    // Another version has applied something else, and nobody knows what was applied without one.
    silent(|it| it["deployments"]["backend"]["value"]["metadata"]["annotations"][names::VERSION] = "0.0.9".into());
    silent(|it| it["deployments"]["backend"]["value"]["metadata"]["annotations"] = Value::Null);
}

/// With `OnDelete`, nothing but the template shows what the next pod will be.
#[test]
fn a_change_that_waits_for_the_next_pod_is_told() {
    let mut snapshot = after_env(SET, "PGDATA", "/tmp/pgdata");
    let set = &mut snapshot["statefulset"]["value"];
    set["spec"]["updateStrategy"] = json!({ "type": "OnDelete" });
    set["status"]["updateRevision"] = "r2".into();
    set["status"]["updatedReplicas"] = 0.into();
    let (told, findings) = told(snapshot);
    let codes: Vec<_> = findings.iter().map(|it| (it.cause.slug, it.weight)).collect();
    assert_eq!(told, Told::Bad);
    assert_eq!(codes, [("update-held-back", Weight::Info), ("changed-by-hand", Weight::Problem)]);
}
