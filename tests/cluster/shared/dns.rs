//! `dns-check` against real DNS: what it says when all is well, and when the truth is bad.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::support::deployed::{deployed, field};
use crate::support::kubectl::{self, ok};
use crate::support::plugin::{Going, ends, start, stopped_at};
use crate::support::wait::until;

const SOON: Duration = Duration::from_mins(2);

/// What a run says to programs. It must end with this exit code.
pub fn check(namespace: &str, words: &str, code: i32) -> Value {
    let ran = ends(namespace, &format!("dns-check -o json {words}"), code);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout));
    assert_eq!(report["holds"], code == 0, "{report:#}");
    report
}

/// Asserts that it does not hold, for this reason, within a moment: a change takes its time to be seen.
pub fn does_not_hold(namespace: &str, code: &str) -> Value {
    until(code, SOON, || {
        let report = check(namespace, "", 1);
        let codes: Vec<&Value> =
            report["findings"].as_array().unwrap().iter().map(|finding| &finding["code"]).collect();
        let explained = answers(&report).iter().all(|row| row["verdict"] == "ok" || row["why"].is_string());
        if explained && codes == [code] { Ok(report) } else { Err(format!("{report:#}")) }
    })
}

pub fn answers(report: &Value) -> &Vec<Value> {
    report["answers"].as_array().expect("answers")
}

pub fn row<'a>(report: &'a Value, kind: &str, name: &str) -> &'a Value {
    let is_it = |row: &&Value| row["type"] == kind && row["name"].as_str().is_some_and(|it| it.starts_with(name));
    answers(report).iter().find(is_it).unwrap_or_else(|| panic!("no {kind} {name} in {report:#}"))
}

pub fn helpers(namespace: &str) -> String {
    let list = ok(&format!("get pods -n {namespace} -l kubectl-kubecoin/helper -o json"));
    let list: Value = serde_json::from_str(&list).unwrap();
    // A pod that is on its way out has been deleted.
    let alive = list["items"].as_array().unwrap().iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
    alive.map(|pod| pod["metadata"]["name"].to_string()).collect()
}

const WITH_AN_ADDRESS: &str = "
apiVersion: v1
kind: Service
metadata: {name: postgres-headless, namespace: kc-plugin-dns, labels: {app: postgres, app.kubernetes.io/part-of: kubecoin}}
spec:
  selector: {app: postgres}
  ports: [{name: postgres, port: 5432, targetPort: postgres}]
";

#[test]
fn the_names_hold_and_what_keeps_them_from_it_is_said() {
    let scene = deployed("kc-plugin-dns");
    let namespace = scene.namespace();
    let report = check(namespace, "--trace", 0);
    assert_eq!((&report["from"]["bridge"], &report["from"]["libc"]), (&"bash".into(), &"getent".into()), "{report:#}");
    assert_eq!(report["domain"], "cluster.local");
    assert!(answers(&report).iter().all(|row| row["verdict"] == "ok"), "{report:#}");
    let ip = field(namespace, "pod/postgres-0", "/status/podIP");
    assert_eq!(row(&report, "A", "postgres-0.postgres-headless.kc-plugin-dns.svc.cluster.local")["got"]["of"][0], ip);
    assert_eq!(row(&report, "ANY", "postgres-headless")["got"]["of"][0], ip);
    let target = "postgres-0.postgres-headless.kc-plugin-dns.svc.cluster.local";
    assert_eq!(row(&report, "SRV", "_postgres._tcp.")["got"]["of"][0], format!("{target}:5432"));
    assert_eq!(row(&report, "PTR", &ip.split('.').rev().collect::<Vec<_>>().join("."))["got"]["of"][0], target);
    assert_eq!(row(&report, "AAAA", "postgres-headless")["got"]["is"], "noRecord");
    assert_eq!(row(&report, "A", "no-such-name")["got"]["is"], "noSuchName");
    let backend = field(namespace, "service/backend-service", "/spec/clusterIP");
    assert_eq!(row(&report, "A", "backend-service")["got"]["of"][0], backend);
    let steps = report["trace"][0]["steps"].as_array().unwrap();
    assert_eq!(steps[0]["name"], "postgres-headless.kc-plugin-dns.svc.cluster.local", "{steps:?}");

    // From other pods: the database's, and one that is made for it and deleted again.
    assert_eq!(check(namespace, "--from pod/postgres-0", 0)["from"]["container"], "postgres");
    // The container's first process is the server: what is killed there must not be left to it.
    let log = ok(&format!("logs postgres-0 -n {namespace}"));
    assert!(!log.contains("terminated by signal"), "{log}");
    let report = check(namespace, "--pod --image busybox", 0);
    assert_eq!((&report["from"]["bridge"], &report["from"]["libc"]), (&"nc".into(), &Value::Null), "{report:#}");
    typed_names(namespace);
    let shown = ends(namespace, "dns-check --pod", 0);
    assert!(shown.stdout.contains("no such name, as expected"), "{}", shown.stdout);
    assert_eq!(helpers(namespace), "");
    let missing = ends(namespace, "dns-check --from pod/nobody", 2);
    assert!(missing.stderr.contains("pod/nobody does not exist"), "{}", missing.stderr);

    other_pods(namespace);
    interrupted(namespace, Signal::SIGINT);
    interrupted(namespace, Signal::SIGTERM);
    // Before it has made its pod, while that starts, and while it asks.
    for (act, signal) in [(1, Signal::SIGTERM), (2, Signal::SIGINT), (3, Signal::SIGTERM)] {
        assert_eq!(stopped_at(act, namespace, "dns-check --pod", signal), None);
        assert_eq!(helpers(namespace), "");
    }

    let typo = ends(namespace, "dns-check postgres-headles postgres-headless.kube-public", 1);
    assert!(typo.stdout.contains("did you mean postgres-headless?"), "{}", typo.stdout);
    assert!(typo.stdout.contains("it is in kc-plugin-dns"), "{}", typo.stdout);

    // A name that comes later, and a pod to ask from that is replaced meanwhile.
    let mut going = Going::begin(namespace, "dns-check --wait late");
    going.err.until("late");
    ok(&format!("delete pod -l app=backend -n {namespace}"));
    ok(&format!("rollout status deployment backend -n {namespace} --timeout=60s"));
    ok(&format!("create service clusterip late --tcp=1 -n {namespace}"));
    let late = going.end();
    assert_eq!(late.code, 0, "{}{}", late.stdout, late.stderr);

    // The Service, in every way in which it can be wrong.
    ok(&format!(
        "patch service postgres-headless -n {namespace} -p {{\"spec\":{{\"selector\":{{\"app\":\"postgers\"}}}}}}"
    ));
    does_not_hold(namespace, "selector-matches-nothing");
    ok(&format!("delete service postgres-headless -n {namespace}"));
    let report = until("its name is forgotten", SOON, || {
        let report = does_not_hold(namespace, "service-missing");
        if row(&report, "A", "postgres-headless")["verdict"] == "differs" { Ok(report) } else { Err(report) }
            .map_err(|report| format!("{report:#}"))
    });
    assert_eq!(row(&report, "A", "postgres-headless")["got"]["is"], "noSuchName", "{report:#}");
    kubectl::apply(WITH_AN_ADDRESS);
    does_not_hold(namespace, "not-headless");
    ok(&format!("delete service postgres-headless -n {namespace}"));
    ends(namespace, "deploy --timeout 3m", 0);
    ends(namespace, "dns-check --wait", 0);

    // Its pod is there, and never becomes ready.
    let probe = "/spec/template/spec/containers/0/readinessProbe/exec/command";
    let patch = format!("[{{\"op\":\"replace\",\"path\":\"{probe}\",\"value\":[\"false\"]}}]");
    ok(&format!("patch statefulset postgres -n {namespace} --type=json -p {patch}"));
    until("the pod runs", SOON, || {
        let phase = field(namespace, "pod/postgres-0", "/status/containerStatuses/0/started");
        let other = field(namespace, "pod/postgres-0", "/spec/containers/0/readinessProbe/exec/command/0");
        if phase == "true" && other == "false" { Ok(()) } else { Err(format!("{phase} {other}")) }
    });
    let report = does_not_hold(namespace, "pod-not-ready");
    assert_eq!(report["findings"][0]["object"], "pod/postgres-0");
}

/// What is typed is asked, also where nothing in the pod looks names up; a dot at its end makes it absolute.
fn typed_names(namespace: &str) {
    let at = "--pod --image busybox";
    let typed = |name: &str, code| check(namespace, &format!("{at} {name}"), code);
    let row_of = |report: &Value, name: &str| {
        let is_it = |row: &&Value| row["name"] == name && row["view"] == "server" && row["type"] == "ANY";
        answers(report).iter().find(is_it).cloned().unwrap_or_else(|| panic!("{name} was not asked: {report:#}"))
    };
    let report = typed("backend-service kubernetes.default.svc.cluster.local.", 0);
    let backend = field(namespace, "service/backend-service", "/spec/clusterIP");
    assert_eq!(row_of(&report, "backend-service")["got"]["of"][0], backend);
    assert_eq!(row_of(&report, "kubernetes.default.svc.cluster.local.")["verdict"], "ok");
    let report = typed("postgres-headles", 1);
    assert_eq!(row_of(&report, "postgres-headles")["why"], "no-such-name");
    // No server can be asked for a label of more than 63 letters.
    let long = "a".repeat(64);
    let shown = ends(namespace, &format!("dns-check {at} {long}"), 1);
    assert!(shown.stdout.contains(&format!("dns: not shown: {long} was not asked")), "{}", shown.stdout);

    let dot = ends(namespace, "dns-check postgres-headless.", 1);
    assert!(dot.stdout.contains("postgres-headless. is not a full name"), "{}", dot.stdout);
    let hint = "hint: ask without the dot: kubectl kubecoin dns-check postgres-headless -n";
    assert!(dot.stderr.contains(hint), "{}", dot.stderr);
    check(namespace, &format!("postgres-headless.{namespace}.svc.cluster.local."), 0);
}

/// From pods that have little: Python alone, nothing at all, or the DNS of their node.
fn other_pods(namespace: &str) {
    let image = field(namespace, "deployment/backend", "/spec/template/spec/containers/0/image");
    let pod = |name: &str, path: &str, policy: &str| {
        json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "namespace": namespace }, "spec": {
            "dnsPolicy": policy,
            "terminationGracePeriodSeconds": 0,
            "containers": [{
                "name": "main", "image": image, "env": [{ "name": "PATH", "value": path }],
                "command": ["/bin/sh", "-c", "/bin/ln -s /usr/bin/python3 /only/; exec /bin/sleep 600"],
                "volumeMounts": [{ "name": "only", "mountPath": "/only" }],
            }],
            "volumes": [{ "name": "only", "emptyDir": {} }],
            "securityContext": { "fsGroup": 10001 },
        } })
    };
    let pods = [
        pod("python", "/only", "ClusterFirst"),
        pod("bare", "/nowhere", "ClusterFirst"),
        pod("outside", "/usr/bin:/bin", "Default"),
    ];
    kubectl::apply(&json!({ "apiVersion": "v1", "kind": "List", "items": pods }).to_string());
    ok(&format!("wait pod/python pod/bare pod/outside -n {namespace} --for=condition=Ready --timeout=120s"));
    // A container counts as ready as soon as it runs, which may be before its first command has ended.
    until("there is a Python", SOON, || {
        let there = kubectl::run(&format!("exec python -n {namespace} -- /usr/bin/test -e /only/python3"));
        if there.succeeded { Ok(()) } else { Err(there.stderr) }
    });

    let report = check(namespace, "--from pod/python", 0);
    assert_eq!((&report["from"]["bridge"], &report["from"]["libc"]), (&"python3".into(), &"python3".into()));
    assert!(answers(&report).iter().all(|row| row["verdict"] == "ok"), "{report:#}");
    let bare = ends(namespace, "dns-check --from pod/bare", 2);
    assert!(bare.stderr.contains("could not ask from pod/bare") && bare.stderr.contains("--pod"), "{}", bare.stderr);
    let report = check(namespace, "--from pod/outside", 1);
    assert_eq!(report["findings"][0]["code"], "dns-policy", "{report:#}");
    ok(&format!("delete pod python bare outside -n {namespace} --wait=false"));
}

/// A run that is stopped while it waits leaves no pod.
fn interrupted(namespace: &str, signal: Signal) {
    let mut child = start(namespace, "dns-check --pod --wait whatever");
    until("its pod", SOON, || if helpers(namespace).is_empty() { Err(String::new()) } else { Ok(()) });
    kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(helpers(namespace), "");
}
