//! `persistence-demo --target`: sets that are not the exchange's, where it holds and where the truth is bad.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use quick_junit::TestCase;
use serde_json::{Value, json};

use super::persistence::leased;
use super::report;
use crate::support::deployed::field;
use crate::support::kubectl::{self, ok};
use crate::support::plugin::{Ran, command, ends, is_change, run, stopped_at};
use crate::support::scene::Scene;
use crate::support::wait::until;

const SOON: Duration = Duration::from_mins(1);

/// As the data of a pod, which anybody may write who uses the program in it.
const HOSTILE: &str = "<script>document.title=1</script>|]]>";

/// What each pod keeps.
pub enum Storage {
    /// A claim of its own, by a template.
    Template,
    /// Nothing that outlives it.
    EmptyDir,
    /// A claim that is no template's.
    Plain,
}

/// A set called `store` of so many pods that run nothing but a shell, and its headless Service.
pub fn store(scene: &Scene, replicas: u32, storage: &Storage) {
    let namespace = scene.namespace();
    ok(&format!("create namespace {namespace}"));
    let size = json!({ "accessModes": ["ReadWriteOnce"], "resources": { "requests": { "storage": "16Mi" } } });
    let metadata = |name: &str| json!({ "name": name, "namespace": namespace, "labels": { "app": "store" } });
    let (volumes, templates) = match storage {
        Storage::Template => (json!([]), json!([{ "metadata": { "name": "data" }, "spec": size }])),
        Storage::EmptyDir => (json!([{ "name": "data", "emptyDir": {} }]), json!([])),
        Storage::Plain => (json!([{ "name": "data", "persistentVolumeClaim": { "claimName": "shared" } }]), json!([])),
    };
    let main = json!({
        "name": "main", "image": "docker.io/library/busybox",
        "command": ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"],
        "volumeMounts": [{ "name": "data", "mountPath": "/data" }],
    });
    let objects = [
        json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata("shared"), "spec": size }),
        json!({ "apiVersion": "v1", "kind": "Service", "metadata": metadata("store"),
                "spec": { "clusterIP": "None", "selector": { "app": "store" }, "ports": [{ "port": 80 }] } }),
        json!({ "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": metadata("store"), "spec": {
            "serviceName": "store", "replicas": replicas, "podManagementPolicy": "Parallel",
            "selector": { "matchLabels": { "app": "store" } }, "volumeClaimTemplates": templates,
            "template": { "metadata": { "labels": { "app": "store" } },
                          "spec": { "containers": [main], "volumes": volumes } } } }),
    ];
    let is_needed = |object: &&Value| object["kind"] != "PersistentVolumeClaim" || matches!(storage, Storage::Plain);
    kubectl::apply(&objects.iter().filter(is_needed).map(Value::to_string).collect::<Vec<_>>().join("\n---\n"));
    ready(namespace);
}

fn ready(namespace: &str) {
    ok(&format!("rollout status statefulset/store -n {namespace} --timeout 120s"));
}

/// The plugin with commands that write a file and read it.
fn with_data(namespace: &str, words: &str) -> Ran {
    with_text(namespace, words, "data of $KUBECOIN_RUN")
}

/// The same with this text in the file, in which the shell of the pod finds its variables.
fn with_text(namespace: &str, words: &str, text: &str) -> Ran {
    let mut command = command(namespace, &format!("persistence-demo --target statefulset/store --yes {words}"));
    command.args(["--write", &format!("echo \"{text}\" >/data/file"), "--read", "cat /data/file"]);
    command.output().expect("the plugin starts").into()
}

fn without_data(namespace: &str, words: &str) -> Ran {
    run(namespace, &format!("persistence-demo --target sts/store {words}"))
}

/// The exit code, and each of the words in what was said.
fn says(ran: &Ran, code: i32, all: &[&str]) {
    assert_eq!(ran.code, code, "{}{}", ran.stdout, ran.stderr);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    for words in all {
        assert!(said.contains(words), "no {words:?} in\n{said}");
    }
}

fn uids(namespace: &str, kind: &str) -> Vec<String> {
    let jsonpath = "jsonpath={.items[*].metadata.uid}";
    ok(&format!("get {kind} -n {namespace} -o {jsonpath}")).split_whitespace().map(str::to_owned).collect()
}

/// Neither a Lease nor a word on the set, which is somebody's.
fn nothing_is_left(namespace: &str) {
    assert_eq!(ok(&format!("get lease -n {namespace} -o name")), "");
    let set = ok(&format!("get statefulset store -n {namespace} -o json --show-managed-fields"));
    assert!(!set.contains("kubecoin"), "{set}");
}

#[test]
fn a_set_of_three_keeps_its_names_claims_and_data() {
    let scene = Scene::without_namespace("kc-target-holds");
    let namespace = scene.namespace();
    store(&scene, 3, &Storage::Template);
    let (pods, claims) = (uids(namespace, "pods"), uids(namespace, "pvc"));
    assert_eq!((pods.len(), claims.len()), (3, 3));
    let folder = tempfile::tempdir().unwrap();
    let files = ["html", "md", "json", "xml"].map(|ending| folder.path().join(format!("proof.{ending}")));
    let flags = files.each_ref().map(|file| format!(" --report {}", file.display())).concat();

    let ran = with_text(namespace, &format!("--show-commands{flags}"), &format!("data of $KUBECOIN_RUN {HOSTILE}"));
    says(&ran, 0, &["verdict: holds — store-2, store-1, store-0", "downtime until Ready, 3 times"]);
    for pod in ["store-2", "store-1", "store-0"] {
        says(&ran, 0, &[&format!("ok  same claim            pvc/data-{pod} uid"), "asked from pod/store-"]);
        let name = format!("ok  same address by name  {pod}.store.{namespace}.svc.");
        says(&ran, 0, &[&name, &format!("exec {pod} -c main -- env 'KUBECOIN_RUN="), &format!("/pods/{pod} -f -")]);
    }
    let order = ["(1 of 3)", "(2 of 3)", "(3 of 3)"].map(|number| ran.stdout.find(number).unwrap());
    assert!(order.is_sorted() && ran.stdout.find("pod/store-2 (1 of 3)") == Some(order[0] - "pod/store-2 ".len()));
    for check in ["same name", "new pod", "same owner", "same volume", "one server at a time", "same data"] {
        let lines = ran.stdout.lines().filter(|line| line.starts_with(&format!("  ok  {check} "))).count();
        assert_eq!(lines, 3, "{check}: {}", ran.stdout);
    }
    assert_eq!(uids(namespace, "pvc"), claims);
    assert!(uids(namespace, "pods").iter().all(|uid| !pods.contains(uid)), "every pod is another one");
    nothing_is_left(namespace);

    each_form_says_it(namespace, &files, &ran);
    verified_and_replayed(namespace, &files[2]);

    for how in ["kill", "evict", "force"] {
        let ran = without_data(namespace, &format!("--yes --how {how}"));
        says(&ran, 0, &["verdict: identity holds, data not checked", "?   same data             not checked"]);
    }
}

/// What the run has shown is in each form of its report.
fn each_form_says_it(namespace: &str, [html, markdown, json, junit]: &[PathBuf; 4], ran: &Ran) {
    let checks: Vec<&str> = ran.stdout.lines().filter_map(|line| line.strip_prefix("  ok  ")).collect();
    assert_eq!(checks.len(), 24, "{}", ran.stdout);
    let suites = report::suites(junit);
    let [pods @ .., every] = suites.test_suites.as_slice() else { panic!("there are suites: {suites:?}") };
    let cases: Vec<&TestCase> = pods.iter().flat_map(|suite| &suite.test_cases).collect();
    assert_eq!(pods.len(), 3);
    for (case, check) in cases.iter().zip(&checks) {
        assert!(check.starts_with(case.name.as_str()), "{case:?} is not {check:?}");
    }
    assert_eq!((cases.len(), every.test_cases[0].name.as_str()), (24, "every pod"));
    assert!(cases.into_iter().chain(&every.test_cases).all(report::succeeded), "{suites:?}");

    let text = fs::read_to_string(markdown).unwrap();
    for words in
        ["**verdict: holds**", "\n- deleted: store-2, store-1, store-0\n", "\n- downtime until Ready, 3 times: min "]
    {
        assert!(text.contains(words), "no {words:?} in {text}");
    }
    for pod in ["store-2", "store-1", "store-0"] {
        let uid = field(namespace, &format!("pvc/data-{pod}"), "/metadata/uid");
        for words in [
            format!("\n- downtime of pod/{pod}: "),
            format!("\n## Proof of pod/{pod} ("),
            format!("| holds | same claim | pvc/data-{pod} uid {uid} |"),
            format!("| pvc/data-{pod}, UID | {uid} | {uid} | same |"),
            format!("| image of pod/{pod} | "),
        ] {
            assert!(text.contains(&words), "no {words:?} in {text}");
        }
    }
    assert!(!text.split("## By hand").next().unwrap().contains('<'), "{text}");

    let json: Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
    let asked = json["asked"].as_str().unwrap();
    assert!(asked.contains("--target statefulset/store") && asked.contains("$KUBECOIN_RUN"), "{asked}");
    let server: Value = serde_json::from_str(&ok("get --raw /version")).unwrap();
    assert_eq!(json["setting"]["server"]["value"], server["gitVersion"]);
    assert_eq!(json["setting"]["class"]["state"], "present", "the cluster's own: {json}");
    let nodes = json["setting"]["nodes"].as_object().unwrap();
    assert!(!nodes.is_empty() && nodes.values().all(|node| node["state"] == "present"), "{nodes:?}");
    let by_hand: Vec<&str> = json["byHand"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for words in ["exec store-2 -c main -- env", "/pods/store-2 -f -", "get pvc data-store-2"] {
        assert!(by_hand.iter().any(|command| command.contains(words)), "no {words:?} in {by_hand:#?}");
    }
    assert!(!by_hand.iter().any(|command| command.contains("/pods/store-1")), "of the first one: {by_hand:#?}");
    report::in_chromium(html, "What outlives the pods of statefulset/store", HOSTILE);
}

/// The evidence is judged again, and played, without a cluster.
fn verified_and_replayed(namespace: &str, file: &Path) {
    let path = file.display();
    let again = ends(namespace, &format!("verify-report {path} --kubeconfig /nonexistent"), 0);
    let no = "with another uid of pvc/data-store-2 the same evidence does not hold";
    says(&again, 0, &["verdict: holds", "statefulset/store in", no]);
    says(
        &ends(namespace, &format!("replay {path}"), 0),
        0,
        &["requested        deletion, answered in", "name updated"],
    );
    let mut report: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    assert_eq!(report["kind"], "PersistenceReport");
    *report.pointer_mut("/evidence/turns/1/after/value/claims/0/claim/value/uid").unwrap() = "forged".into();
    fs::write(file, report.to_string()).unwrap();
    let forged = ends(namespace, &format!("verify-report {path}"), 1);
    says(&forged, 1, &["verdict: does not hold — pod/store-1: same claim: pvc/data-store-1 uid"]);
}

#[test]
fn a_student_gets_a_verdict_on_a_set() {
    let scene = Scene::without_namespace("kc-target-student");
    let namespace = scene.namespace();
    store(&scene, 1, &Storage::Template);
    ok(&format!("create rolebinding student --clusterrole=edit --user=student -n {namespace}"));
    until("the binding counts", SOON, || {
        let may = kubectl::run(&format!("auth can-i delete pods -n {namespace} --as student"));
        if may.succeeded { Ok(()) } else { Err(may.stdout) }
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("proof.md");
    let ran = with_data(namespace, &format!("--as student --report {}", file.display()));
    says(&ran, 0, &["by the claim's spec.volumeName", "verdict: holds — store-0"]);
    let text = fs::read_to_string(file).unwrap();
    for unread in ["| node/", "| StorageClass |", "| pvc/data-store-0, volume's UID |"] {
        let line = text.lines().find(|line| line.starts_with(unread)).unwrap_or_default();
        assert!(line.contains("not known: you may not read it"), "{unread} in {text}");
    }
    nothing_is_left(namespace);
}

#[test]
fn data_that_goes_with_its_pod_is_found() {
    let scene = Scene::without_namespace("kc-target-empty");
    let namespace = scene.namespace();
    store(&scene, 2, &Storage::EmptyDir);
    let ran = without_data(namespace, "--yes");
    says(&ran, 0, &["verdict: identity holds, data not on a claim", "?   same claim            data not on a claim"]);
    let lost = with_data(namespace, "");
    says(
        &lost,
        1,
        &["NO  same data             before: 17 bytes", "; after: exit code 1: cat: can't open '/data/file'"],
    );
    says(&lost, 1, &["verdict: does not hold — pod/store-1: same data", "does not show its data yet"]);
    assert!(!lost.stdout.contains("(2 of 2)"), "the other one is not deleted: {}", lost.stdout);
}

#[test]
fn a_name_that_leads_nowhere_is_found() {
    let scene = Scene::without_namespace("kc-target-name");
    let namespace = scene.namespace();
    store(&scene, 1, &Storage::EmptyDir);
    // A Service that selects nothing has no names below it; one that is not there, or not headless, promises none.
    ok(&format!("patch service store -n {namespace} -p {{\"spec\":{{\"selector\":{{\"app\":\"other\"}}}}}}"));
    let ran = without_data(namespace, "--yes");
    says(&ran, 1, &["NO  same address by name  store-0.store.", "no such name, but the pod has"]);
    ok(&format!("delete service store -n {namespace}"));
    let ran = without_data(namespace, "--yes");
    let gone = "?   same address by name  service/store, the StatefulSet's serviceName, does not exist";
    says(&ran, 0, &["verdict: identity holds, data not on a claim, DNS not checked", gone]);
    ok(&format!("create service clusterip store --tcp 80 -n {namespace}"));
    says(&without_data(namespace, "--yes"), 0, &["service/store is not headless"]);
}

#[test]
fn commands_run_where_the_data_is_and_a_pod_below_the_partition_comes_back_as_it_was() {
    let scene = Scene::without_namespace("kc-target-beside");
    let namespace = scene.namespace();
    store(&scene, 1, &Storage::Template);
    let patch = |kind: &str, patch: &Value| {
        let words = ["patch", "statefulset", "store", "-n", namespace, "--type", kind, "-p", &patch.to_string()];
        let patched = kubectl::command(&words, "");
        assert!(patched.succeeded, "{}", patched.stderr);
    };
    // A sidecar that stands first, as one that is injected may.
    let side = json!({ "name": "side", "image": "docker.io/library/busybox",
                       "command": ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"] });
    patch("json", &json!([{ "op": "add", "path": "/spec/template/spec/containers/0", "value": side }]));
    ready(namespace);
    let ran = with_data(namespace, "--show-commands");
    says(&ran, 0, &["verdict: holds — store-0", "exec store-0 -c main -- env", "(container main)"]);
    says(&with_data(namespace, "--container other"), 2, &["has no container other", "it has side, main"]);

    let mount = json!([{ "name": "data", "mountPath": "/data" }]);
    patch("json", &json!([{ "op": "add", "path": "/spec/template/spec/containers/0/volumeMounts", "value": mount }]));
    ready(namespace);
    let uid = field(namespace, "pod/store-0", "/metadata/uid");
    let several = "not started: pod/store-0 has several containers, side, main: which one has the data?";
    says(&with_data(namespace, ""), 2, &[several, "hint: choose the one that has the data: --container NAME"]);
    assert_eq!(field(namespace, "pod/store-0", "/metadata/uid"), uid, "it was not touched");
    says(&with_data(namespace, "--container side"), 0, &["verdict: holds — store-0", "(container side)"]);

    let revision = || field(namespace, "pod/store-0", "/metadata/labels/controller-revision-hash");
    let before = revision();
    patch(
        "merge",
        &json!({ "spec": { "updateStrategy": { "rollingUpdate": { "partition": 1 } },
                           "template": { "metadata": { "labels": { "is": "newer" } } } } }),
    );
    until("the newer template is seen", SOON, || {
        let newest = field(namespace, "statefulset/store", "/status/updateRevision");
        if newest == before { Err(newest) } else { Ok(()) }
    });
    says(&without_data(namespace, "--yes"), 0, &["verdict: identity holds, data not checked"]);
    assert_eq!(revision(), before);
}

#[test]
fn a_pod_without_tools_leaves_its_name_open() {
    let scene = Scene::without_namespace("kc-target-bare");
    let namespace = scene.namespace();
    store(&scene, 1, &Storage::Template);
    // An image with one program, which is none that reaches a DNS server.
    let bare = r#"{"spec":{"template":{"spec":{"containers":[{"name":"main","image":"registry.kubecoin.test/kubecoin/pause:1","command":["/pause","-P"]}]}}}}"#;
    let patched = kubectl::command(&["patch", "statefulset", "store", "-n", namespace, "-p", bare], "");
    assert!(patched.succeeded, "{}", patched.stderr);
    ready(namespace);
    let ran = without_data(namespace, "--yes");
    let why = "?   same address by name  asked from pod/store-0: it has neither a shell nor python3";
    says(&ran, 0, &["verdict: identity holds, data not checked, DNS not checked", why]);
    let ran = with_data(namespace, "");
    says(&ran, 2, &["pod/store-0 was not deleted: --write failed"]);
}

#[test]
fn a_set_is_refused_where_it_would_prove_nothing() {
    let scene = Scene::without_namespace("kc-target-refused");
    let namespace = scene.namespace();
    store(&scene, 1, &Storage::Plain);
    says(&with_data(namespace, ""), 0, &["verdict: holds — store-0", "ok  same claim            pvc/shared"]);
    let pod = || field(namespace, "pod/store-0", "/metadata/uid");
    let before = pod();
    let refused = |words: &str, why: &[&str]| says(&without_data(namespace, words), 2, why);

    refused("", &["store-0 in namespace", "type store to continue", "not confirmed", "hint: confirm with --yes"]);
    refused("--yes --how crash", &["--how crash uses pg_ctl", "hint: use delete, kill, evict or force"]);
    refused("--yes --report proof.pdf", &["does not end with .html, .md, .json or .xml (JUnit)"]);
    refused("--yes --read false", &["pod/store-0 was not deleted: --read failed"]);
    refused("--yes --read true", &["--read printed nothing"]);
    refused("--yes --read hostname --write false", &["--write failed: exit code 1"]);
    let missing = run(namespace, "persistence-demo --target statefulset/other --yes");
    says(&missing, 2, &["statefulset/other does not exist in namespace", "get statefulsets"]);

    ok(&format!("scale statefulset store --replicas=2 -n {namespace}"));
    ready(namespace);
    refused("--yes", &["several replicas share pvc/shared: pod/store-1 and pod/store-0", "--replicas=1"]);
    ok(&format!("scale statefulset store --replicas=1 -n {namespace}"));
    ok(&format!("wait pod/store-1 -n {namespace} --for=delete --timeout 60s"));

    // A newer template that no pod is of yet.
    let patch = |patch: &str| {
        let patched = kubectl::command(&["patch", "statefulset", "store", "-n", namespace, "-p", patch], "");
        assert!(patched.succeeded, "{}", patched.stderr);
    };
    patch(
        r#"{"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null},"template":{"metadata":{"labels":{"is":"newer"}}}}}"#,
    );
    until("the newer template is seen", SOON, || {
        let ran = without_data(namespace, "--yes");
        let words =
            ["pod/store-0 would be created from another revision, store-", " rollout history statefulset/store"];
        let is_told = words.iter().all(|words| ran.stderr.contains(words)) && ran.code == 2;
        if is_told { Ok(()) } else { Err(ran.stderr) }
    });
    patch(r#"{"spec":{"template":{"metadata":{"labels":{"is":null}}}}}"#);
    assert_eq!(pod(), before, "nothing was deleted");
    ok(&format!("scale statefulset store --replicas=0 -n {namespace}"));
    ok(&format!("wait pod/store-0 -n {namespace} --for=delete --timeout 60s"));
    refused("--yes", &["statefulset/store has no replicas"]);
    // The exchange's own is told by its name and its label.
    let own = json!({ "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": { "name": "postgres", "namespace": namespace, "labels": { "app.kubernetes.io/part-of": "kubecoin" } },
        "spec": { "replicas": 0, "selector": { "matchLabels": { "app": "own" } },
                  "template": { "metadata": { "labels": { "app": "own" } },
                                "spec": { "containers": [{ "name": "main", "image": "docker.io/library/busybox" }] } } } });
    kubectl::apply(&own.to_string());
    let own = run(namespace, "persistence-demo --target statefulset/postgres --yes");
    says(
        &own,
        2,
        &["is the exchange's own", "hint: omit --target: kubectl kubecoin persistence-demo -n kc-target-refused"],
    );
    assert_eq!(ok(&format!("get lease -n {namespace} -o name")), "");
}

#[test]
fn the_name_of_the_set_is_typed_and_a_stopped_run_leaves_nothing() {
    let scene = Scene::without_namespace("kc-target-stopped");
    let namespace = scene.namespace();
    store(&scene, 1, &Storage::Template);
    for (answer, wanted) in [("store-0", 2), ("store", 0)] {
        let given = command(namespace, "persistence-demo --target statefulset/store");
        let mut in_terminal = std::process::Command::new(given.get_program());
        in_terminal.args(given.get_args());
        let limit = SOON.as_millis().try_into().ok();
        let mut terminal = rexpect::session::spawn_command(in_terminal, limit).unwrap();
        terminal.exp_string("type store to continue").unwrap();
        terminal.send_line(answer).unwrap();
        let shown = terminal.exp_eof().unwrap();
        match terminal.process().wait().unwrap() {
            WaitStatus::Exited(_, code) => assert_eq!(code, wanted, "{shown}"),
            other => panic!("{other:?}: {shown}"),
        }
    }
    let words = "persistence-demo --target sts/store --yes --write sync --read hostname";
    let whole = ends(namespace, &format!("{words} --show-commands"), 0);
    let last = whole.stderr.lines().filter(|line| is_change(line)).count();
    assert!(last > 6, "it shows what it changes: {}", whole.stderr);
    for (act, signal) in [(1, Signal::SIGINT), (last / 2, Signal::SIGTERM), (last, Signal::SIGINT)] {
        assert_eq!(stopped_at(act, namespace, words, signal), None, "at change {act}");
        until("the Lease is gone", SOON, || match ok(&format!("get lease -n {namespace} -o name")) {
            left if left.is_empty() => Ok(()),
            left => Err(left),
        });
        ready(namespace);
    }
    nothing_is_left(namespace);

    // One at a time, also beside a run over the exchange.
    let lease = leased(namespace);
    let second = without_data(namespace, "--yes");
    assert!(second.code == 2 && second.stderr.contains("another run is in progress"), "{}", second.stderr);
    drop(lease);
    let spawned = |words: &str| -> Child {
        let mut command = command(namespace, words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the plugin starts")
    };
    let first = spawned("persistence-demo --target sts/store --yes --times 3");
    until("the first one holds the Lease", SOON, || match ok(&format!("get lease -n {namespace} -o name")) {
        none if none.is_empty() => Err("none".to_owned()),
        _ => Ok(()),
    });
    // That a pod is away may be seen first.
    let second = without_data(namespace, "--yes");
    assert_eq!(second.code, 2, "{}", second.stderr);
    says(&first.wait_with_output().unwrap().into(), 0, &["(3 of 3)", "verdict: identity holds, data not checked"]);
}
