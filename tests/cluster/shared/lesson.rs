//! `lesson`: five questions, each answered by experiment. An evening's way through all of them as a new user would take it; as a
//! student with a quota; and on clusters that are not as they should be.

use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use rexpect::session::spawn_command;
use serde_json::{Value, json};

use crate::support::class::{enrolled, has_quota, quota_counts};
use crate::support::deployed::{deployed, field, sql};
use crate::support::kubectl::{self, ok};
use crate::support::plugin::{Going, command, ends, run};
use crate::support::scene::Scene;
use crate::support::wait::until;

const SOON: Duration = Duration::from_mins(1);
/// How long the slowest command may take beside other tests: a deploy from nothing.
const SLOW_MS: u64 = 300_000;

/// What is kept of the lesson in a namespace.
pub fn kept(namespace: &str) -> Value {
    kubectl::get(&format!("configmap/kubecoin-lesson -n {namespace}")).unwrap_or_default()
}

/// What experiments leave: objects of theirs, a Lease, or marked rows.
pub fn nothing_is_left(namespace: &str) {
    for selector in ["kubectl-kubecoin/level-1", "kubectl-kubecoin/practice"] {
        until("nothing of an experiment is left", SOON * 2, || {
            let all = "deployments,replicasets,statefulsets,pods,services,pvc";
            match ok(&format!("get {all} -l {selector} -n {namespace} -o name")) {
                left if left.is_empty() => Ok(()),
                left => Err(left),
            }
        });
    }
    assert_eq!(ok(&format!("get lease -n {namespace} -o name")), "");
    assert_eq!(sql(namespace, "SELECT count(*) FROM wallets WHERE id LIKE 'kubecoin-%';"), "0");
}

/// The command that `kubectl kubecoin` names as the next one, once the exchange is healthy; none if nothing is left to do.
fn next(namespace: &str) -> Option<String> {
    until("the exchange is healthy", SOON, || {
        let place = ends(namespace, "", 0).stdout;
        if place.contains("all 10 steps done") {
            return Ok(None);
        }
        let command = place.lines().find_map(|line| line.strip_prefix("next: kubectl kubecoin "));
        match command.map(|command| command.trim_end_matches(&format!(" -n {namespace}"))) {
            Some(command) if command != "status" => Ok(Some(command.to_owned())),
            _ => Err(place),
        }
    })
}

/// Types a command in a terminal, and answers what it asks. Gives its exit code and all that was shown.
fn typed(namespace: &str, words: &str, prediction: &str) -> (i32, String) {
    let given = command(namespace, &format!("{words} --color never"));
    let mut command = Command::new(given.get_program());
    command.args(given.get_args());
    let mut session = spawn_command(command, Some(SLOW_MS)).unwrap();
    let mut shown = String::new();
    if words.starts_with("lesson") {
        shown += &session.exp_string("and Enter; only Enter means \"I don't know\"").unwrap();
        session.send_line(prediction).unwrap();
    }
    // Only what is not known to be on one's own machine is asked about, and only where something of the exchange is changed.
    let asks = words.starts_with("lesson") && words != "lesson 3" && words != "lesson 4";
    if asks || words.starts_with("exercise start") {
        shown += &session.exp_regex("type [-a-z0-9]+ to continue:").map(|(before, asked)| before + &asked).unwrap();
        let name = shown.rsplit("type ").next().and_then(|rest| rest.split(' ').next()).unwrap().to_owned();
        session.send_line(&name).unwrap();
    }
    shown += &session.exp_eof().unwrap();
    match session.process().wait().unwrap() {
        WaitStatus::Exited(_, code) => (code, shown),
        other => panic!("{other:?}: {shown}"),
    }
}

/// An exercise that a learner solves: its number, the answer, and how the fault is corrected.
const EXERCISES: [(u8, &str, &str); 3] = [
    (
        2,
        "service/backend-service spec.selector.app",
        r#"patch service/backend-service -p {"spec":{"selector":{"app":"backend"}}}"#,
    ),
    (10, "pod/postgres-0 metadata.labels.app", "label pod/postgres-0 app=postgres --overwrite"),
    (6, "svc/backend-service spec.ports[0].targetPort", ""),
];

/// Types the start of an exercise, and solves it.
fn exercise(namespace: &str, (number, answer, mend): (u8, &str, &str)) {
    let (code, shown) = typed(namespace, &format!("exercise start {number} --variant 1"), "");
    assert_eq!(code, 0, "{shown}");
    let place = ends(namespace, "", 0).stdout;
    assert!(place.contains(&format!("exercise {number} runs")), "{place}");
    assert!(place.contains("next: kubectl kubecoin exercise -n"), "{place}");
    if mend.is_empty() {
        let mut edit = Command::new("kubectl");
        edit.args(["edit", "service/backend-service", "-n", namespace]);
        let done = edit.env("KUBE_EDITOR", "sed -i 's/targetPort: .*/targetPort: http/'").output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    } else {
        ok(&format!("{mend} -n {namespace}"));
    }
    ends(namespace, &format!("exercise answer {answer}"), 0);
    ends(namespace, "exercise check --timeout 2m", 0);
}

#[test]
fn from_deploy_to_the_fifth_answer_and_three_exercises_with_nothing_but_what_the_terminal_says() {
    let scene = Scene::without_namespace("kc-lesson-evening");
    let namespace = scene.namespace();
    ok(&format!("create namespace {namespace}"));
    let (mut typed_so_far, mut predictions) = (Vec::new(), ["a", "b", "", "c", "x\nd"].into_iter());
    let mut exercises = EXERCISES.into_iter();
    while let Some(words) = next(namespace) {
        assert!(typed_so_far.len() < 12, "it goes in a circle: {typed_so_far:?}");
        if words == "exercise start" {
            exercise(namespace, exercises.next().unwrap());
            typed_so_far.push(words);
            continue;
        }
        let prediction = if words.starts_with("lesson") { predictions.next().unwrap() } else { "" };
        let (code, shown) = typed(namespace, &words, prediction);
        assert_eq!(code, 0, "{words}\n{shown}");
        if words.starts_with("lesson") {
            for said in ["YOU SAID", "OBSERVED", "WHY", "answer: ", "not shown: ", "more about this: "] {
                assert!(shown.contains(said), "no {said:?} in what {words} shows\n{shown}");
            }
            assert_eq!(prediction.is_empty(), shown.contains("I don't know.  "), "{shown}");
        }
        typed_so_far.push(words);
    }
    let questions = ["deploy", "init-db", "lesson 5", "lesson 3", "lesson 1", "lesson 4", "lesson 2"];
    assert_eq!(typed_so_far, [&questions[..], &["exercise start"; 3]].concat());
    nothing_is_left(namespace);

    let list = ends(namespace, "lesson", 0).stdout;
    assert_eq!(list.lines().filter(|line| line.contains("  yes  ")).count(), 5, "{list}");
    assert!(list.ends_with("all questions are answered\n"), "{list}");
    // Each answer has its verdict, its time and the digest of its evidence, and nothing of what was predicted.
    let data = kept(namespace)["data"].as_object().unwrap().clone();
    assert_eq!(data.len(), 8);
    for (name, answer) in data {
        let answer: Value = serde_json::from_str(answer.as_str().unwrap()).unwrap();
        let fields: Vec<&String> = answer.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["at", "evidence", "holds"], "{name}");
        assert_eq!(answer["holds"], "yes", "{name}");
    }
    ends(namespace, "teardown --yes", 0);
    assert_eq!(kept(namespace), Value::Null);
}

fn quota(namespace: &str, hard: &Value) {
    let patch = json!({ "spec": { "hard": hard } }).to_string();
    let patched = kubectl::command(&["patch", "quota", "small", "-n", namespace, "--type=merge", "-p", &patch], "");
    assert!(patched.succeeded, "{}", patched.stderr);
    quota_counts(namespace, hard["pods"].as_str().unwrap());
}

#[test]
fn a_student_answers_what_the_quota_has_room_for() {
    let scene = Scene::without_namespace("kc-lesson-class");
    let namespace = scene.namespace();
    let student = enrolled(namespace);
    has_quota(namespace);
    let as_student = |words: &str, code| ends(namespace, &format!("{words} --as {student}"), code);
    as_student("deploy --service-type ClusterIP --init-db --timeout 4m", 0);
    let objects = || ok(&format!("get all,pvc -n {namespace} -o name"));
    let before = objects();
    let experiments = [
        ("1", "room for one more pod and one more claim"),
        ("2", "one more pod"),
        ("2 --without-guards", "a StatefulSet of 2 pods"),
        ("4", "a StatefulSet of 3 pods"),
    ];
    for (question, needs) in experiments {
        let refused = as_student(&format!("lesson {question} --predict a --yes"), 1);
        assert!(refused.stderr.contains("the experiment was not started: "), "{}", refused.stderr);
        assert!(refused.stderr.contains(needs) && refused.stderr.contains("small"), "{}", refused.stderr);
        assert!(refused.stdout.contains("a recorded run of "), "{}", refused.stdout);
        assert!(refused.stdout.contains("YOU SAID") && refused.stdout.contains("answer: "), "{}", refused.stdout);
        assert_eq!(objects(), before, "question {question}: nothing was created");
        assert_eq!(kept(namespace), Value::Null, "question {question}: it does not count");
    }
    for question in ["3", "5"] {
        as_student(&format!("lesson {question} --no-predict --yes"), 0);
    }
    quota(namespace, &json!({ "pods": "7", "persistentvolumeclaims": "3" }));
    let answered = kept(namespace)["data"].clone();
    let without = as_student("lesson 2 --without-guards --predict b", 0).stdout;
    for said in ["  ok  two servers  ", "  ok  rows lost  ", "YOU SAID", "answer: Both servers start and accept rows"] {
        assert!(without.contains(said), "no {said:?} in\n{without}");
    }
    assert_eq!(kept(namespace)["data"], answered, "it answers none of the five questions");
    for question in ["1", "4", "2"] {
        as_student(&format!("lesson {question} --no-predict --yes"), 0);
    }
    let list = as_student("lesson", 0).stdout;
    assert!(list.ends_with("all questions are answered\n"), "{list}");
    nothing_is_left(namespace);
}

/// A Service that is not headless, and a database on an emptyDir: each says so, and the question stays open.
#[test]
fn on_a_wrong_cluster_no_question_is_answered() {
    let scene = deployed("kc-lesson-wrong");
    let namespace = scene.namespace();
    ok(&format!("delete service postgres-headless -n {namespace}"));
    kubectl::apply(&format!(
        "
apiVersion: v1
kind: Service
metadata: {{name: postgres-headless, namespace: {namespace}, labels: {{app: postgres, app.kubernetes.io/part-of: kubecoin}}}}
spec: {{selector: {{app: postgres}}, ports: [{{name: postgres, port: 5432, targetPort: postgres}}]}}
"
    ));
    let address = field(namespace, "service/postgres-headless", "/spec/clusterIP");
    let ran = ends(namespace, "lesson 3 --predict b", 1);
    let says = format!("it is not headless, its clusterIP is {address}");
    assert!(ran.stdout.contains(&says), "{}", ran.stdout);
    assert!(ran.stdout.contains("answer: this cluster shows something else"), "{}", ran.stdout);
    assert!(ran.stderr.contains("hint: find what is wrong with the exchange"), "{}", ran.stderr);
    let list = ends(namespace, "lesson", 0).stdout;
    assert!(list.contains("no: this cluster shows something else"), "{list}");

    let volumes = kubectl::get(&format!("statefulset/postgres -n {namespace}")).unwrap();
    let volumes = volumes.pointer("/spec/template/spec/volumes").unwrap().as_array().unwrap().clone();
    let at = volumes.iter().position(|volume| volume["persistentVolumeClaim"].is_object()).unwrap();
    let empty = json!({ "name": volumes[at]["name"], "emptyDir": {} });
    let volume = format!("/spec/template/spec/volumes/{at}");
    let patch = json!([{ "op": "replace", "path": volume, "value": empty }]).to_string();
    let patched =
        kubectl::command(&["patch", "statefulset", "postgres", "-n", namespace, "--type=json", "-p", &patch], "");
    assert!(patched.succeeded, "{}", patched.stderr);
    ok(&format!("rollout status statefulset/postgres -n {namespace} --timeout 180s"));
    ends(namespace, "init-db", 0);
    let ran = ends(namespace, "lesson 5 --no-predict --yes", 1);
    assert!(ran.stdout.contains("answer: this cluster shows something else"), "{}", ran.stdout);
}

/// A claim that all pods of a node may use: the lock alone keeps the second server away. Without that, nothing is tried.
#[test]
fn where_the_claim_is_not_for_one_pod_it_is_the_lock_that_guards_it() {
    let scene = Scene::without_namespace("kc-lesson-lock");
    let namespace = scene.namespace();
    ok(&format!("create namespace {namespace}"));
    let manifests = ends(namespace, "manifests --client --include-secrets", 0).stdout;
    kubectl::apply(&manifests.replace("ReadWriteOncePod", "ReadWriteOnce"));
    ends(namespace, "init-db --timeout 3m", 0);
    ends(namespace, "status --wait", 0);
    let ran = ends(namespace, "lesson 2 --no-predict --yes", 0);
    for said in [
        "pod/postgres-1 ran on node-1 and was not Ready for ",
        "another server still runs on this volume",
        "two replicas that share nothing but a log: kubectl kubecoin explain replication -n",
        "kubectl kubecoin deploy --ha --init-db --create-namespace -n NAME",
    ] {
        assert!(ran.stdout.contains(said), "no {said:?} in\n{}", ran.stdout);
    }
    one_server(namespace);

    let answered = kept(namespace)["data"].clone();
    let patch = r#"[{"op":"remove","path":"/spec/template/spec/containers/0/command"}]"#;
    ok(&format!("patch statefulset/postgres -n {namespace} --type=json -p {patch}"));
    ok(&format!("rollout status statefulset/postgres -n {namespace} --timeout 180s"));
    ends(namespace, "status --wait", 0);
    let refused = ends(namespace, "lesson 2 --no-predict --yes", 2);
    let why = "not started: claim postgres-pvc is not ReadWriteOncePod, and no lock keeps a second server away";
    assert!(refused.stderr.contains(why), "{}", refused.stderr);
    one_server(namespace);
    assert_eq!(kept(namespace)["data"], answered);
}

/// Makes every set of a namespace one whose pods have no order.
const PARALLEL: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: {name: kc-lesson-parallel}
spec:
  failurePolicy: Fail
  reinvocationPolicy: Never
  matchConstraints:
    resourceRules:
      - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE], resources: [statefulsets]}
  mutations:
    - patchType: JSONPatch
      jsonPatch:
        expression: '[JSONPatch{op: "add", path: "/spec/podManagementPolicy", value: "Parallel"}]'
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: {name: kc-lesson-parallel}
spec:
  policyName: kc-lesson-parallel
  matchResources:
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kc-lesson-parallel}}
"#;

/// The policy, for as long as this lives.
struct Parallel;

impl Parallel {
    /// Waits until it is in force.
    fn begin(namespace: &str) -> Self {
        kubectl::apply(PARALLEL);
        let parallel = Self;
        let set = json!({ "apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": { "name": "trial", "namespace": namespace },
            "spec": { "serviceName": "trial", "selector": { "matchLabels": { "app": "trial" } },
                      "template": { "metadata": { "labels": { "app": "trial" } },
                                    "spec": { "containers": [{ "name": "trial", "image": "none.invalid/none:1" }] } } } });
        until("the policy is in force", SOON, || {
            let words = ["create", "--dry-run=server", "-f", "-", "-o", "jsonpath={.spec.podManagementPolicy}"];
            match kubectl::command(&words, &set.to_string()).stdout {
                policy if policy == "Parallel" => Ok(()),
                policy => Err(policy),
            }
        });
        parallel
    }
}

impl Drop for Parallel {
    fn drop(&mut self) {
        let policy = "mutatingadmissionpolicy/kc-lesson-parallel mutatingadmissionpolicybinding/kc-lesson-parallel";
        kubectl::run(&format!("delete {policy} --ignore-not-found"));
    }
}

#[test]
fn pods_without_an_order_are_no_answer() {
    let scene = deployed("kc-lesson-parallel");
    let namespace = scene.namespace();
    let parallel = Parallel::begin(namespace);
    let ran = ends(namespace, "lesson 4 --predict a", 1);
    drop(parallel);
    for said in ["  NO  created in order", "  NO  deleted in order", "answer: this cluster shows something else"] {
        assert!(ran.stdout.contains(said), "no {said:?} in\n{}", ran.stdout);
    }
    let answer = kept(namespace)["data"]["question-4"].clone();
    assert!(answer.as_str().unwrap().contains(r#""holds":"no""#), "{answer}");
    nothing_is_left(namespace);
}

/// Begins an experiment, and stops it by a signal once it has said these words: on stdout, or else on stderr.
fn stopped(namespace: &str, question: &str, (is_out, words): (bool, &str), signal: Signal) -> i32 {
    let mut going = Going::begin(namespace, &format!("lesson {question} --no-predict --yes"));
    if is_out {
        going.out.until(words);
    } else {
        going.err.until(words);
    }
    going.signal(signal);
    going.end().code
}

/// Answers a question once the Lease of a killed run has expired.
fn next_run(namespace: &str, question: &str) {
    until("the next run", SOON * 2, || {
        let ran = run(namespace, &format!("lesson {question} --no-predict --yes"));
        if ran.code == 0 { Ok(()) } else { Err(ran.stderr) }
    });
}

pub fn one_server(namespace: &str) {
    assert_eq!(field(namespace, "statefulset/postgres", "/spec/replicas"), "1");
    assert_eq!(kubectl::get(&format!("pod/postgres-1 -n {namespace}")), None);
    nothing_is_left(namespace);
}

#[test]
fn stopped_or_killed_two_replicas_become_one_again() {
    let scene = deployed("kc-lesson-two");
    let namespace = scene.namespace();
    let is_scaled = (false, "statefulset/postgres is scaled to 2");
    assert_eq!(stopped(namespace, "2", is_scaled, Signal::SIGINT), 130);
    one_server(namespace);
    assert_eq!(kept(namespace), Value::Null, "nothing was answered");
    stopped(namespace, "2", is_scaled, Signal::SIGKILL);
    assert_eq!(field(namespace, "statefulset/postgres", "/spec/replicas"), "2");
    next_run(namespace, "2");
    one_server(namespace);
    // The number of replicas is `deploy`'s again, once.
    ends(namespace, "deploy", 0);
    let deployed = ends(namespace, "deploy", 0).stdout;
    assert!(deployed.lines().all(|line| line.ends_with(" unchanged")), "{deployed}");
}

#[test]
fn stopped_or_killed_no_practice_set_is_left() {
    let scene = deployed("kc-lesson-order");
    let namespace = scene.namespace();
    assert_eq!(stopped(namespace, "4", (true, "scale it down to 0"), Signal::SIGTERM), 130);
    nothing_is_left(namespace);
    // The one that leaves most: a set, its Service, a claim, and two servers.
    stopped(namespace, "2 --without-guards", (false, "acknowledged 20 rows"), Signal::SIGKILL);
    assert!(ok(&format!("get statefulsets,pvc -n {namespace} -o name")).matches("/practice-one-claim-").count() == 2);
    // Nobody takes it for a part of the exchange.
    ends(namespace, "status", 0);
    next_run(namespace, "4");
    nothing_is_left(namespace);
}
