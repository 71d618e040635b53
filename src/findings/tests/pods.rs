//! Why pods crash, are not created, or are not their workload's.

use super::*;
use crate::observe::logs::{Log, Run};

/// The pod of the database, whose container has ended.
fn crashed(reason: &str, code: i32) -> Value {
    container(&json!({ "terminated": { "exitCode": code, "reason": reason } }), 3)
}

/// The log of its container.
fn logged(written: &str) -> Details {
    let log = Log::new("postgres-0".to_owned(), "postgres".to_owned(), written);
    Details { logs: vec![log], ..Details::default() }
}

fn slugs(snapshot: &Snapshot, details: &Details) -> Vec<String> {
    found(snapshot, details).iter().map(|finding| format!("{} {}", finding.cause.slug, finding.object)).collect()
}

#[test]
fn logs_are_read_of_containers_that_have_ended_and_only_where_all_is_looked_at() {
    let run = |previous| [Run { pod: "postgres-0".to_owned(), container: "postgres".to_owned(), previous }];
    let runs = |pod: &Value, depth| wanted(&snapshot(pod), depth, ALL).logs.into_iter().collect::<Vec<_>>();
    let ended = crashed("Error", 1);
    assert_eq!(runs(&ended, Depth::Around), run(false));
    assert_eq!(runs(&ended, Depth::All), []);
    assert_eq!(runs(&container(&json!({ "running": {} }), 0), Depth::Around), []);
    let mut waiting = container(&json!({ "waiting": { "reason": "CrashLoopBackOff" } }), 3);
    waiting["status"]["containerStatuses"][0]["lastState"] = json!({ "terminated": { "exitCode": 1 } });
    assert_eq!(runs(&waiting, Depth::Around), run(true));
    for (depth, is_around) in [(Depth::All, false), (Depth::Around, true)] {
        let wanted = wanted(&ready(), depth, ALL);
        assert_eq!((wanted.budgets, wanted.policies, wanted.logs.len()), (is_around, is_around, 0));
    }
}

#[test]
fn a_crash_is_told_with_the_last_words_of_its_log() {
    let finding = only(&snapshot(&crashed("Error", 1)), &logged("starting\nFATAL:  no \u{1b}[2Jroom\nbye"));
    assert_eq!(finding.says, "keeps crashing: exit code 1 (Error), 3 restarts. The log ends with: FATAL: no [2Jroom");
    assert_eq!(finding.cause.slug, "crash-loop");
}

#[test]
fn what_postgres_says_of_its_data_is_the_cause() {
    for (log, slug) in [
        ("/bin/sh: 3: cannot create /var/lib/postgresql/data/postgres.lock: Permission denied", "data-not-writable"),
        ("chown: changing ownership of '/var/lib/postgresql/data': Operation not permitted", "data-not-writable"),
        (
            "initdb: error: could not create directory \"/var/lib/postgresql/data/pgdata\": Permission denied",
            "data-not-writable",
        ),
        ("FATAL:  data directory \"/var/lib/postgresql/data/pgdata\" has wrong ownership", "data-not-writable"),
        ("FATAL:  could not open file \"global/pg_control\": Permission denied", "data-not-writable"),
        (
            "initdb: error: directory \"/var/lib/postgresql/data\" exists but is not empty\n\
             initdb: detail: It contains a lost+found directory, perhaps due to it being a mount point.",
            "data-directory-not-empty",
        ),
        (
            "FATAL:  database files are incompatible with server\nDETAIL:  The data directory was initialized by \
             PostgreSQL version 16, which is not compatible with this version 17.4 (Debian 17.4-1.pgdg120+2).",
            "postgres-version",
        ),
        (
            "Error: in 18+, these Docker images are configured to store database data in a\n       format which is",
            "postgres-18-layout",
        ),
        ("         /var/lib/postgresql/data (unused mount/volume)", "postgres-18-layout"),
        // The image says so, and goes on.
        ("chmod: changing permissions of '/var/lib/postgresql/data': Operation not permitted\nFATAL: x", "crash-loop"),
        ("chmod: changing permissions of '/var/run/postgresql': Operation not permitted", "crash-loop"),
        ("sh: cannot open /etc/secret: Permission denied", "crash-loop"),
    ] {
        assert_eq!(only(&snapshot(&crashed("Error", 1)), &logged(log)).cause.slug, slug, "{log}");
    }
    let of_version = |line: &str| only(&snapshot(&crashed("Error", 1)), &logged(line)).hint.to_string();
    let hint = of_version("DETAIL: The data directory was initialized by PostgreSQL version 16, which is not");
    assert!(hint.contains("--postgres-image docker.io/library/postgres:16"), "{hint}");
    let hint = of_version("DETAIL: The data directory was initialized by PostgreSQL version 18, which is not");
    assert!(hint.contains("set image statefulset/postgres 'postgres=docker.io/library/postgres:18'"), "{hint}");
}

#[test]
fn what_a_container_said_before_it_ran_for_a_while_is_not_the_matter_now() {
    let mut pod = container(&json!({ "running": { "startedAt": "1969-12-31T23:59:50Z" } }), 1);
    pod["status"]["containerStatuses"][0]["lastState"] = json!({ "terminated": { "exitCode": 1 } });
    let denied = logged("mkdir: cannot create directory '/var/lib/postgresql/data/pgdata': Permission denied");
    assert_eq!(only(&snapshot(&pod), &denied).cause.slug, "data-not-writable");
    pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"] = "1969-12-31T23:00:00Z".into();
    assert_eq!(only(&snapshot(&pod), &denied).cause.slug, "starting");
    let waits = json!({ "waiting": { "reason": "CreateContainerConfigError", "message": "no secret" } });
    pod["status"]["containerStatuses"][0]["state"] = waits;
    let finding = only(&snapshot(&pod), &denied);
    assert_eq!(finding.says, "does not start (CreateContainerConfigError): no secret");
    // What the backend says of PostgreSQL's folder is not of the database.
    let other = Log::new("backend-1".to_owned(), "backend".to_owned(), "/var/lib/postgresql: Permission denied");
    let of_backend = Details { logs: vec![other], ..Details::default() };
    assert_eq!(only(&snapshot(&crashed("Error", 1)), &of_backend).cause.slug, "crash-loop");
}

#[test]
fn memory_that_ran_out_is_told_with_the_limit() {
    let mut pod = crashed("OOMKilled", 137);
    pod["spec"]["containers"][0]["resources"] = json!({ "limits": { "memory": "64Mi" } });
    let finding = only(&snapshot(&pod), &Details::default());
    assert_eq!((finding.cause.slug, finding.weight), ("out-of-memory", Weight::Problem));
    assert!(finding.says.ends_with("it used more memory than its limit of 64Mi"), "{finding:?}");
    let hint = finding.hint.to_string();
    assert!(hint.contains("set resources statefulset/postgres -c postgres '--limits=memory=512Mi'"), "{hint}");
    assert!(hint.contains("delete pod/postgres-0"), "{hint}");

    // It runs again: that is worth a warning, and explains nothing that is wrong now.
    pod["status"]["conditions"][0]["status"] = "True".into();
    pod["status"]["containerStatuses"][0]["state"] = json!({ "running": { "startedAt": "1969-12-31T23:00:00Z" } });
    let killed = json!({ "exitCode": 137, "reason": "OOMKilled", "finishedAt": "1969-12-31T23:00:00Z" });
    pod["status"]["containerStatuses"][0]["lastState"] = json!({ "terminated": killed });
    let finding = only(&snapshot(&pod), &answered(|_, _| {}));
    assert_eq!((finding.cause.slug, finding.weight), ("out-of-memory", Weight::Warning));
    assert!(finding.says.starts_with("was killed 60m ago"), "{finding:?}");
    let findings = found(&snapshot(&pod), &no_database("timeout"));
    assert!(!healthy(&findings) && findings.len() == 2, "{findings:?}");

    // Another signal is not for want of memory.
    assert_eq!(only(&snapshot(&crashed("Error", 137)), &Details::default()).cause.slug, "crash-loop");
}

#[test]
fn an_image_of_another_architecture_is_told_by_the_log_and_by_the_kubelet() {
    let exec = logged("exec /usr/local/bin/docker-entrypoint.sh: exec format error");
    assert_eq!(only(&snapshot(&crashed("Error", 255)), &exec).cause.slug, "image-architecture");
    let message = "failed to create task: exec: \"/bin/sh\": exec format error: unknown";
    let waiting = container(&json!({ "waiting": { "reason": "RunContainerError", "message": message } }), 0);
    assert_eq!(only(&snapshot(&waiting), &Details::default()).cause.slug, "image-architecture");
    assert_eq!(only(&snapshot(&crashed("Error", 255)), &logged("exec failed")).cause.slug, "crash-loop");
}

#[test]
fn each_refusal_is_of_one_cause() {
    let mut without = ready();
    let Reading::Present(pods) = &mut without.pods else { panic!("there are pods") };
    pods.remove(0);
    without.endpoints = Reading::NotAsked;
    for (words, slug) in [
        ("pods \"postgres-0\" is forbidden: exceeded quota: small", "quota-exceeded"),
        ("pods \"postgres-0\" is forbidden: violates PodSecurity \"restricted:latest\"", "pod-security"),
        ("pods \"postgres-0\" is forbidden: maximum memory usage per Container is 64Mi", "pod-refused"),
        ("admission webhook \"a.example.com\" denied the request", "pod-refused"),
    ] {
        assert_eq!(only(&without, &event("uid-postgres", "FailedCreate", words)).cause.slug, slug, "{words}");
    }
    // Where there is a pod, what was said before is over.
    let quota = event("uid-postgres", "FailedCreate", "exceeded quota: small");
    assert_eq!(slugs(&ready(), &quota), [""; 0]);
}

#[test]
fn why_an_image_cannot_be_pulled_is_told_by_its_events_too() {
    let back_off = json!({ "waiting": { "reason": "ImagePullBackOff", "message": "Back-off pulling image \"x\"" } });
    let snapshot = snapshot(&container(&back_off, 0));
    let finding = only(&snapshot, &Details::default());
    assert!(finding.says.contains("postgres:17 (ImagePullBackOff): Back-off"), "{finding:?}");
    let events = event("uid-postgres-0", "Failed", "Failed to pull image \"postgres:17\": 429 Too Many Requests");
    let finding = only(&snapshot, &events);
    assert!(finding.says.contains("(ImagePullBackOff): the registry refuses more pulls for now"), "{finding:?}");
    assert!(finding.hint.to_string().starts_with("wait, the kubelet tries again"), "{finding:?}");
}

#[test]
fn a_probe_for_a_port_that_nobody_declares_is_restored() {
    let mut pod = container(&json!({ "running": {} }), 0);
    pod["spec"]["containers"][0]["readinessProbe"] = json!({ "tcpSocket": { "port": 5433 } });
    let refused = "Readiness probe failed: dial tcp 10.0.0.1:5433: connect: connection refused";
    let finding = only(&snapshot(&pod), &event("uid-postgres-0", "Unhealthy", refused));
    assert!(finding.says.ends_with("connects to port 5433, which no container declares: correct the probe)"));
    assert!(finding.hint.to_string().contains("deploy --force-conflicts"), "{finding:?}");
    pod["spec"]["containers"][0]["readinessProbe"] = json!({ "tcpSocket": { "port": 5432 } });
    let finding = only(&snapshot(&pod), &event("uid-postgres-0", "Unhealthy", refused));
    assert!(!finding.hint.to_string().contains("deploy"), "{finding:?}");
}

#[test]
fn a_container_that_its_probe_has_ended_does_not_crash() {
    let mut pod = container(&json!({ "waiting": { "reason": "CrashLoopBackOff" } }), 3);
    let run = json!({ "exitCode": 0, "reason": "Completed", "startedAt": "1970-01-01T00:00:00Z" });
    pod["status"]["containerStatuses"][0]["lastState"] = json!({ "terminated": run });
    pod["spec"]["containers"][0]["livenessProbe"] = json!({ "tcpSocket": { "port": 5433 } });
    let failed = "Liveness probe failed: dial tcp 10.0.0.1:5433: connect: connection refused";
    let killed = event("uid-postgres-0", "Killing", "Container postgres failed liveness probe, will be restarted");
    let details = |failed: Details, killed: Details| Details {
        events: [failed.events, killed.events].concat(),
        ..Details::default()
    };
    let unhealthy = || event("uid-postgres-0", "Unhealthy", failed);
    let finding = only(&snapshot(&pod), &details(unhealthy(), killed.clone()));
    assert_eq!((finding.cause.slug, finding.weight), ("probe-failing", Weight::Problem));
    assert!(
        finding.says.starts_with("is restarted, 3 times so far, because it fails its probe: Liveness"),
        "{finding:?}"
    );
    assert!(
        finding.hint.to_string().contains("deploy --force-conflicts") && !finding.hint.to_string().contains("logs"),
        "{finding:?}"
    );

    // A run that ended by itself, whatever its probe said, and one before which the probe ended another one.
    assert_eq!(only(&snapshot(&pod), &unhealthy()).cause.slug, "crash-loop");
    pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["startedAt"] = "1970-01-01T00:01:00Z".into();
    assert_eq!(only(&snapshot(&pod), &details(unhealthy(), killed)).cause.slug, "crash-loop");
}

/// A healthy exchange, of which one pod's metadata is changed, and the set and the Deployments are as old as the world.
fn with_pod(at: usize, metadata: Value) -> Snapshot {
    let mut snapshot = ready();
    let Reading::Present(pods) = &mut snapshot.pods else { panic!("there are pods") };
    pods[at].metadata = serde_json::from_value(metadata).unwrap();
    let old = serde_json::from_value(json!("1969-12-31T00:00:00Z")).unwrap();
    let Reading::Present(set) = &mut snapshot.statefulset else { panic!("there is a set") };
    set.metadata.creation_timestamp = Some(old);
    set.spec.as_mut().unwrap().selector =
        serde_json::from_value(json!({ "matchLabels": { "app": "postgres" } })).unwrap();
    for deployment in snapshot.deployments.values_mut() {
        let Reading::Present(deployment) = deployment else { panic!("it is there") };
        deployment.metadata.creation_timestamp.clone_from(&set.metadata.creation_timestamp);
    }
    snapshot
}

#[test]
fn a_pod_that_its_set_does_not_see_is_given_its_label_again() {
    let owner = |uid: &str| json!([{ "apiVersion": "apps/v1", "kind": "StatefulSet", "name": "postgres", "uid": uid, "controller": true }]);
    let meta = |app: &str, owners: Value, created: &str| {
        json!({ "name": "postgres-0", "uid": "uid-postgres-0", "creationTimestamp": created,
                "labels": { "app": app, "controller-revision-hash": "r1" }, "ownerReferences": owners })
    };
    let (old, young) = ("1969-12-31T01:00:00Z", "1969-12-31T23:59:50Z");
    let mut relabelled = with_pod(0, meta("debug", Value::Null, young));
    relabelled.endpoints = Reading::NotAsked;
    let exists = event("uid-postgres", "FailedCreate", "pods \"postgres-0\" already exists");
    let finding = only(&relabelled, &exists);
    assert_eq!((finding.cause.slug, finding.weight), ("orphaned-pod", Weight::Problem));
    assert!(finding.hint.to_string().contains("label pod/postgres-0 'app=postgres' --overwrite"), "{finding:?}");
    // A refusal from before the pod was created is over, though no event says so.
    let refused = "create Pod postgres-0 in StatefulSet postgres failed error: it violates PodSecurity";
    let refused = event("uid-postgres", "FailedCreate", refused);
    relabelled = with_pod(0, meta("debug", Value::Null, "1970-01-01T00:00:00Z"));
    relabelled.endpoints = Reading::NotAsked;
    assert_eq!(only(&relabelled, &refused).cause.slug, "orphaned-pod");
    relabelled = with_pod(0, meta("debug", Value::Null, old));
    relabelled.endpoints = Reading::NotAsked;
    assert!(found(&relabelled, &refused).iter().any(|it| it.cause.slug == "pod-security"));
    for (owners, created, expected) in [
        (owner("uid-postgres"), old, ""),
        (owner("uid-of-another"), old, "belongs to StatefulSet postgres, not to the StatefulSet"),
        (Value::Null, old, "belongs to no controller"),
        (Value::Null, young, ""),
    ] {
        let findings = found(&with_pod(0, meta("postgres", owners, created)), &answered(|_, _| {}));
        assert_eq!(findings.len(), usize::from(!expected.is_empty()), "{findings:?}");
        assert!(findings.iter().all(|it| it.cause.slug == "orphaned-pod" && it.says.starts_with(expected)));
    }
}

#[test]
fn a_pod_that_a_deployment_has_let_go_of_is_a_warning() {
    let meta = |owners: Value, generate: &str| {
        json!({ "name": "backend-1", "uid": "uid-backend-1", "generateName": generate, "ownerReferences": owners,
                "creationTimestamp": "1969-12-31T01:00:00Z", "labels": { "app": "backend" } })
    };
    let owner = json!([{ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "b", "uid": "u", "controller": true }]);
    let works = answered(|_, _| {});
    let finding = only(&with_pod(1, meta(Value::Null, "backend-5d8f-")), &works);
    assert_eq!((finding.cause.slug, finding.weight), ("orphaned-pod", Weight::Warning));
    assert_eq!(slugs(&with_pod(1, meta(owner, "backend-5d8f-")), &works), [""; 0]);
    assert_eq!(slugs(&with_pod(1, meta(Value::Null, "other-")), &works), [""; 0]);
    // It hides nothing that is wrong.
    let all = found(&with_pod(1, meta(Value::Null, "backend-5d8f-")), &failed(Path::NoBackend));
    assert!(!healthy(&all) && all.len() == 2, "{all:?}");
}

#[test]
fn an_update_that_is_held_back_is_not_waited_for() {
    let with = |strategy: Value, change: fn(&mut Value)| {
        let mut snapshot = ready();
        let mut set = serde_json::to_value(snapshot.statefulset.present().unwrap()).unwrap();
        set["spec"]["updateStrategy"] = strategy;
        set["status"]["updateRevision"] = "r2".into();
        change(&mut set);
        snapshot.statefulset = Reading::Present(serde_json::from_value(set).unwrap());
        snapshot
    };
    let works = answered(|_, _| {});
    let partition = || json!({ "type": "RollingUpdate", "rollingUpdate": { "partition": 1 } });
    for (strategy, words, command) in [
        (json!({ "type": "OnDelete" }), "OnDelete", "delete pod/postgres-0"),
        (partition(), "the partition 1", "patch statefulset/postgres"),
    ] {
        let finding = only(&with(strategy, |_| {}), &works);
        assert_eq!((finding.cause.slug, finding.weight), ("update-held-back", Weight::Info));
        assert!(finding.says.contains(words) && finding.hint.to_string().contains(command), "{finding:?}");
    }
    let same = with(partition(), |set| set["status"]["updateRevision"] = "r1".into());
    assert_eq!(slugs(&same, &works), [""; 0]);
    let rolling = json!({ "type": "RollingUpdate", "rollingUpdate": { "partition": 0 } });
    assert_eq!(slugs(&with(rolling, |_| {}), &works), ["not-ready statefulset/postgres"]);
    // A pod that a partition keeps would be of the same revision again.
    let mut crashes = with(partition(), |set| set["status"]["readyReplicas"] = 0.into());
    crashes.pods = snapshot(&crashed("Error", 1)).pods;
    assert_eq!(slugs(&crashes, &Details::default()), ["crash-loop pod/postgres-0"]);
    // The newer revision is needed where requests end at a database that is started in another way.
    let other = with(partition(), |set| {
        set["spec"]["template"] = json!({ "spec": { "containers": [{ "name": "postgres", "args": ["postgres"] }] } });
    });
    let weights = |snapshot: &Snapshot, details: &Details| {
        let all = found(snapshot, details).into_iter();
        all.map(|finding| (finding.cause.slug, finding.weight)).collect::<Vec<_>>()
    };
    assert_eq!(weights(&other, &no_database("refused")), [("update-held-back", Weight::Problem)]);
    assert_eq!(weights(&other, &works), [("update-held-back", Weight::Info)]);
    let same = with(partition(), |set| {
        set["spec"]["template"] = json!({ "spec": { "containers": [{ "name": "postgres" }] } });
    });
    let apart = [("update-held-back", Weight::Info), ("not-admitted", Weight::Problem)];
    assert_eq!(weights(&same, &no_database("refused")), apart);
}

#[test]
fn a_budget_that_spares_no_pod_is_a_warning() {
    let budget = |selector: Value, expected: i32, healthy: i32, desired: i32, allowed: i32| {
        let budget = json!({ "metadata": { "name": "all", "generation": 1 }, "spec": { "selector": selector },
            "status": { "observedGeneration": 1, "expectedPods": expected, "currentHealthy": healthy,
                        "desiredHealthy": desired, "disruptionsAllowed": allowed } });
        let budgets = Reading::Present(vec![serde_json::from_value(budget).unwrap()]);
        Details { budgets, ..answered(|_, _| {}) }
    };
    let of = |app: &str| json!({ "matchLabels": { "app": app } });
    let finding = only(&ready(), &budget(of("backend"), 2, 2, 2, 0));
    assert_eq!((finding.cause.slug, finding.weight, finding.app), ("disruption-budget", Weight::Warning, "backend"));
    assert_eq!(only(&ready(), &budget(json!({}), 3, 3, 3, 0)).app, "");
    for fine in [
        budget(of("backend"), 1, 1, 1, 0),
        budget(of("backend"), 2, 2, 1, 1),
        budget(of("backend"), 2, 1, 1, 0),
        budget(of("other"), 2, 2, 2, 0),
    ] {
        assert_eq!(slugs(&ready(), &fine), [""; 0]);
    }
}

#[test]
fn releases_that_differ_are_told_once_no_rollout_goes_on() {
    let with = |backend: &str, page: &str| {
        let mut snapshot = ready();
        for (app, image) in [("backend", backend), ("frontend", page)] {
            let Some(Reading::Present(deployment)) = snapshot.deployments.get_mut(app) else { panic!("it is there") };
            let template = json!({ "spec": { "containers": [{ "name": app, "image": image }] } });
            deployment.spec.as_mut().unwrap().template = serde_json::from_value(template).unwrap();
        }
        snapshot
    };
    let works = answered(|_, _| {});
    let (backend, page) = ("ghcr.io/kubecoin/kubecoin-backend:0.1.0", "ghcr.io/kubecoin/kubecoin-frontend:0.2.0");
    let mut differ = with(backend, page);
    let finding = only(&differ, &works);
    assert_eq!((finding.cause.slug, finding.weight), ("images-differ", Weight::Info));
    for (backend, page) in [
        (backend, "localhost:5001/kubecoin-frontend:0.1.0"),
        (backend, "localhost:5001/kubecoin-frontend:dev"),
        (backend, "localhost:5001/kubecoin-frontend@sha256:00"),
        ("my/backend:0.3", page),
    ] {
        assert_eq!(slugs(&with(backend, page), &works), [""; 0], "{page}");
    }
    let Some(Reading::Present(rolling)) = differ.deployments.get_mut("frontend") else { panic!("it is there") };
    rolling.metadata.generation = Some(2);
    assert_eq!(slugs(&differ, &works), ["not-ready deployment/frontend"]);
}

#[test]
fn a_policy_is_suspected_only_where_a_request_ends_in_silence() {
    let policies = |spec: Value, details: Details| {
        let policy = json!({ "metadata": { "name": "deny" }, "spec": spec });
        Details { policies: Reading::Present(vec![serde_json::from_value(policy).unwrap()]), ..details }
    };
    let of = |app: &str| json!({ "matchLabels": { "app": app } });
    let told = |spec: Value, details: Details| {
        let findings = found(&ready(), &policies(spec, details));
        findings.iter().filter(|it| it.cause.slug == "network-policy").count()
    };
    let deny_all = || json!({ "podSelector": {}, "policyTypes": ["Ingress"] });
    let findings = found(&ready(), &policies(deny_all(), no_database("timeout")));
    let names: Vec<_> = findings.iter().map(|it| (it.cause.slug, it.weight)).collect();
    assert_eq!(names, [("network-policy", Weight::Warning), ("database-unreachable", Weight::Problem)]);
    let from = |peer: Value, port: Value| {
        let rule = json!({ "from": [peer], "ports": [{ "port": port }] });
        json!({ "podSelector": of("postgres"), "policyTypes": ["Ingress"], "ingress": [rule] })
    };
    let peer = |app: &str| json!({ "podSelector": of(app) });
    for (spec, details, count) in [
        (deny_all(), failed(Path::NoBackend), 1),
        (deny_all(), failed(Path::NoPage("no answer within 7s".to_owned())), 1),
        (json!({ "podSelector": of("backend"), "policyTypes": ["Egress"] }), no_database("timeout"), 1),
        (from(peer("frontend"), json!(5432)), no_database("timeout"), 1),
        (from(peer("backend"), json!(80)), no_database("timeout"), 1),
        // It allows the way, or may allow it.
        (from(peer("backend"), json!(5432)), no_database("timeout"), 0),
        (from(json!({ "ipBlock": { "cidr": "10.0.0.0/8" } }), json!(5432)), no_database("timeout"), 0),
        // It is for other pods, or nothing ended in silence.
        (json!({ "podSelector": of("frontend"), "policyTypes": ["Ingress"] }), no_database("timeout"), 0),
        (json!({ "podSelector": of("postgres"), "policyTypes": ["Egress"] }), no_database("timeout"), 0),
        (deny_all(), no_database("refused"), 0),
        (deny_all(), failed(Path::NoPage("connection refused".to_owned())), 0),
        (deny_all(), answered(|_, _| {}), 0),
        (deny_all(), Details::default(), 0),
    ] {
        assert_eq!(told(spec.clone(), details.clone()), count, "{spec} {details:?}");
    }
    let mut own = policies(deny_all(), no_database("timeout"));
    let Reading::Present(policies) = &mut own.policies else { panic!("there is one") };
    policies[0].metadata.name = Some(names::NETWORK_POLICY.to_owned());
    assert_eq!(only(&ready(), &own).cause.slug, "database-unreachable");
}

#[test]
fn a_service_that_works_is_left_alone() {
    let with = |name: &str, change: fn(&mut Value)| {
        let mut snapshot = ready();
        let service = snapshot.services.get_mut(name).unwrap();
        let mut json = serde_json::to_value(service.present().unwrap()).unwrap();
        change(&mut json);
        *service = Reading::Present(serde_json::from_value(json).unwrap());
        snapshot
    };
    let works = answered(|_, _| {});
    // A name that DNS gives needs no port, and no port needs to be right; nor need what it leads to be ready.
    let headless: [fn(&mut Value); 3] = [
        |it| it["spec"]["ports"] = Value::Null,
        |it| it["spec"]["ports"][0] = json!({ "port": 1, "targetPort": "nowhere" }),
        |it| it["spec"]["publishNotReadyAddresses"] = true.into(),
    ];
    for change in headless {
        let mut snapshot = with("postgres-headless", change);
        let Some(Reading::Present(service)) = snapshot.services.get_mut("postgres-headless") else {
            panic!("it is there")
        };
        service.spec.as_mut().unwrap().cluster_ip = Some("None".to_owned());
        assert_eq!(slugs(&snapshot, &works), [""; 0]);
    }
    // A number that nobody declares works, unless a request ended there.
    let number: fn(&mut Value) = |it| it["spec"]["ports"][0]["targetPort"] = 5001.into();
    let unknown = Reading::Unknown(Reason::Forbidden("no".to_owned()));
    let unread = Details { path: unknown, ..works.clone() };
    assert_eq!(only(&with("backend-service", number), &unread).cause.slug, "not-permitted");
    assert_eq!(slugs(&with("backend-service", number), &no_database("password")).len(), 1);
    assert_eq!(
        slugs(&with("frontend-service", number), &failed(Path::NoPage("connection refused".to_owned()))),
        ["port-leads-nowhere service/frontend-service"]
    );
    // The slices of a Service without the exchange's label are not listed.
    let mut snapshot = ready();
    let Reading::Present(slices) = &mut snapshot.endpoints else { panic!("there are slices") };
    slices.clear();
    assert_eq!(slugs(&snapshot, &works), [""; 0]);
}
