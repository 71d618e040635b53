//! `exercise`: every fault is seen, named by exactly its code, and undone to equality; what is no mend never passes; and a learner
//! solves some with the commands that people use.

use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::class::{enrolled, has_quota};
use crate::support::deployed::{deployed, field, sql};
use crate::support::kubectl::{self, ok};
use crate::support::plugin::{Going, ends, run};
use crate::support::scene::Scene;
use crate::support::wait::until;

const SOON: Duration = Duration::from_mins(1);

/// The code by which `doctor` names each exercise, and how many kinds of its fault are tried.
const CODES: [(&str, usize); 12] = [
    ("image-pull", 1),
    ("selector-matches-nothing", 3),
    ("unschedulable", 1),
    ("database-host", 1),
    ("stopping", 1),
    ("port-leads-nowhere", 2),
    ("configuration-missing", 1),
    ("update-held-back", 1),
    ("credentials-refused", 1),
    ("orphaned-pod", 1),
    ("probe-failing", 1),
    ("volume-released", 1),
];

/// What an exercise may touch, without what the cluster counts: specifications, labels and data.
fn objects(namespace: &str) -> Value {
    let kinds = "statefulsets,deployments,services,pvc,secrets,configmaps";
    let listed = ok(&format!("get {kinds} -n {namespace} -o json"));
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let objects = listed["items"].as_array().unwrap().iter().map(|object| {
        let name = format!("{}/{}", object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap());
        let kept = json!({ "labels": object["metadata"]["labels"], "spec": object["spec"], "data": object["data"] });
        (name, kept)
    });
    objects.filter(|(name, _)| name != "ConfigMap/kubecoin-lesson").collect::<serde_json::Map<_, _>>().into()
}

/// `deploy` has nothing to change.
fn deploy_changes_nothing(namespace: &str) {
    let deployed = ends(namespace, "deploy --timeout 2m", 0).stdout;
    let mut changes = deployed.lines().filter(|line| line.contains(".apps/") || line.contains('/'));
    assert!(changes.all(|line| line.ends_with(" unchanged")), "{deployed}");
}

/// No code, and no word of a cause.
fn hides_causes(namespace: &str) {
    for words in ["doctor", "doctor -o json", "status", "status -o json", "dns-check"] {
        let shown = run(namespace, words);
        let said = format!("{}{}", shown.stdout, shown.stderr);
        assert!(!said.contains("KC0"), "{words}: {said}");
        assert!(said.contains("exercise"), "{words}: {said}");
    }
}

/// An exchange before an exercise: its objects, and its rows as a checksum.
pub struct Before {
    objects: Value,
    rows: String,
}

const CHECKSUM: &str = "SELECT md5(string_agg(wallets::text, ',' ORDER BY id)) FROM wallets;";

impl Before {
    /// With two rows more.
    pub fn of(namespace: &str) -> Self {
        sql(namespace, "INSERT INTO wallets (id) VALUES ('alice'), ('bob');");
        Self { objects: objects(namespace), rows: sql(namespace, CHECKSUM) }
    }
}

/// An exercise of one kind of its fault: made, seen, not passed, named, undone. Gives how many kinds there are.
pub fn is_undone(namespace: &str, number: usize, variant: usize, before: &Before) -> usize {
    let (code, variants) = CODES[number - 1];
    let what = format!("exercise {number}, variant {variant}");
    let kept = || kubectl::get(&format!("configmap/kubecoin-lesson -n {namespace}"));
    let kept_before = kept();
    let started = ends(namespace, &format!("exercise start {number} --variant {variant} --yes"), 0);
    assert!(started.stdout.contains("Which field of which object is wrong?"), "{}", started.stdout);
    let all: Value = serde_json::from_str(&ends(namespace, "doctor --spoil -o json", 1).stdout).unwrap();
    assert_eq!(all["findings"][0]["code"], code, "{what}: {}", all["findings"]);
    hides_causes(namespace);
    ends(namespace, "exercise check --timeout 1s", 1);
    assert_eq!(kept(), kept_before, "{what}");
    for words in ["deploy", "persistence-demo --yes", "lesson 3 --no-predict", "teardown --yes"] {
        let refused = ends(namespace, words, 2);
        assert!(refused.stderr.contains("exercise undo"), "{what}: {words}: {}", refused.stderr);
    }
    ends(namespace, "exercise undo", 0);
    assert_eq!(objects(namespace), before.objects, "{what}");
    ends(namespace, "status --wait --timeout 2m", 0);
    assert_eq!(sql(namespace, CHECKSUM), before.rows, "{what}");
    deploy_changes_nothing(namespace);
    variants
}

/// Each kind of fault of these exercises.
fn each_of(namespace: &str, numbers: &[usize]) {
    let _scene = deployed(namespace);
    let before = Before::of(namespace);
    for number in numbers {
        let variants = is_undone(namespace, *number, 1, &before);
        for variant in 2..=variants {
            is_undone(namespace, *number, variant, &before);
        }
    }
}

#[test]
fn exercises_1_to_4_are_seen_named_and_undone() {
    each_of("kc-exercise-1", &[1, 2, 3, 4]);
}

#[test]
fn exercises_5_to_8_are_seen_named_and_undone() {
    each_of("kc-exercise-5", &[5, 6, 7, 8]);
}

#[test]
fn exercises_9_to_12_are_seen_named_and_undone() {
    each_of("kc-exercise-9", &[9, 10, 11, 12]);
}

fn patch(namespace: &str, object: &str, kind: &str, patch: &Value) {
    let (kind, patch) = (format!("--type={kind}"), patch.to_string());
    let done = kubectl::command(&["patch", object, "-n", namespace, &kind, "-p", &patch], "");
    assert!(done.succeeded, "{}", done.stderr);
}

#[test]
fn what_is_no_mend_never_passes() {
    let scene = deployed("kc-exercise-wrong");
    let namespace = scene.namespace();
    let selector = |value: &Value| {
        patch(namespace, "service/backend-service", "merge", &json!({ "spec": { "selector": value } }));
    };
    ends(namespace, "exercise start 2 --variant 1 --yes", 0);
    let again = ends(namespace, "exercise start --yes", 2);
    assert!(again.stderr.contains("exercise 2 runs"), "{}", again.stderr);
    // Of each answer it is said how far it is right, and no more.
    for (answer, says) in [
        ("service/frontend-service spec.selector.app", "service/frontend-service"),
        ("svc/backend-service spec.ports[0].targetPort", "is the right object"),
    ] {
        let wrong = ends(namespace, &format!("exercise answer {answer}"), 1);
        assert!(format!("{}{}", wrong.stdout, wrong.stderr).contains(says), "{}{}", wrong.stdout, wrong.stderr);
    }
    ends(namespace, "exercise answer cronjob/x spec", 2);
    let check = |words: &str| {
        let checked = ends(namespace, "exercise check --timeout 20s", 1);
        assert!(checked.stdout.contains(words), "no {words:?} in\n{}{}", checked.stdout, checked.stderr);
    };
    // The field is deleted, and the Service leads to the backend all the same, by addresses of its own.
    selector(&json!(null));
    check("spec.selector");
    // Another object is changed to fit.
    selector(&json!({ "app": "back-end" }));
    let pod = ok(&format!("get pods -n {namespace} -l app=backend -o name"));
    ok(&format!("label {} app=back-end --overwrite -n {namespace}", pod.trim()));
    until("the page answers again", SOON, || {
        let status = run(namespace, "status --spoil -o json");
        let found = serde_json::from_str::<Value>(&status.stdout).unwrap()["findings"].to_string();
        if found.contains("page-unreachable") || found.contains("backend-unreachable") { Err(found) } else { Ok(()) }
    });
    ends(namespace, "exercise check --timeout 5s", 1);
    ok(&format!("delete {} -n {namespace}", pod.trim()));
    // All is well again, but more was changed than the exercise did: undo stops with what it is.
    selector(&json!({ "app": "backend" }));
    patch(namespace, "deployment/frontend", "merge", &json!({ "spec": { "replicas": 2 } }));
    check("deployment/frontend");
    let stopped = ends(namespace, "exercise undo", 2);
    assert!(stopped.stdout.contains("deployment/frontend: spec.replicas is 2, and was 1"), "{}", stopped.stdout);
    patch(namespace, "deployment/frontend", "merge", &json!({ "spec": { "replicas": 1 } }));
    // Without the answer it is not solved.
    let open = ends(namespace, "exercise check", 1);
    assert!(format!("{}{}", open.stdout, open.stderr).contains("exercise answer"), "{}{}", open.stdout, open.stderr);
    // The set is created again, with the same name.
    ok(&format!("delete statefulset/postgres --cascade=orphan -n {namespace}"));
    ends(namespace, "exercise answer service backend-service .spec.selector.app", 0);
    ends(namespace, "exercise check --timeout 5s", 1);
    let undone = ends(namespace, "exercise undo", 1);
    assert!(undone.stderr.contains("statefulset/postgres"), "{}", undone.stderr);
    ends(namespace, "deploy --force-conflicts --timeout 3m", 0);
    // The record is deleted: nothing runs any more, and nothing is solved.
    ends(namespace, "exercise start 2 --variant 3 --yes", 0);
    ok(&format!("delete configmap/kubecoin-exercise -n {namespace}"));
    ends(namespace, "exercise check", 2);
    assert_eq!(kubectl::get(&format!("configmap/kubecoin-lesson -n {namespace}")), None);
    ends(namespace, "deploy --force-conflicts --timeout 3m", 0);
    // What is not healthy is no ground for an exercise.
    patch(namespace, "service/backend-service", "merge", &json!({ "spec": { "selector": { "app": "nobody" } } }));
    let refused = ends(namespace, "exercise start --yes", 2);
    assert!(refused.stderr.contains("not started: service/backend-service"), "{}", refused.stderr);
}

/// Kills a start at once when something is to be seen, and undoes what it has made.
fn killed_when(namespace: &str, number: u8, what: &str, is_seen: impl Fn() -> bool) {
    let before = objects(namespace);
    let going = Going::begin(namespace, &format!("exercise start {number} --variant 1 --yes"));
    until(what, SOON * 2, || if is_seen() { Ok(()) } else { Err(String::new()) });
    going.signal(Signal::SIGKILL);
    going.end();
    // The Lease of a killed run expires.
    until("the exercise is undone", SOON * 2, || {
        let undone = run(namespace, "exercise undo");
        if undone.code == 0 { Ok(()) } else { Err(undone.stderr) }
    });
    assert_eq!(objects(namespace), before, "{what}");
    deploy_changes_nothing(namespace);
}

#[test]
fn a_start_that_is_killed_can_be_undone() {
    let scene = deployed("kc-exercise-killed");
    let namespace = scene.namespace();
    let has = |object: &str| kubectl::get(&format!("{object} -n {namespace}")).is_some();
    killed_when(namespace, 2, "the record is there", || has("configmap/kubecoin-exercise"));
    killed_when(namespace, 4, "the fault is there", || {
        field(namespace, "deployment/backend", "/metadata/generation") != "1" && has("configmap/kubecoin-exercise")
    });
    // In the middle: the set is changed for a while, so that its pod is of another revision.
    let generation = || field(namespace, "statefulset/postgres", "/metadata/generation");
    let first = generation();
    killed_when(namespace, 8, "the set is changed", || generation() != first);
    let claim = || field(namespace, "pvc/postgres-pvc", "/metadata/uid");
    let first = claim();
    killed_when(namespace, 12, "the claim is gone", || claim() != first);
    let second = claim();
    killed_when(namespace, 12, "the claim is another", || !claim().is_empty() && claim() != second);
    // One that is stopped leaves nothing at all.
    let before = objects(namespace);
    let going = Going::begin(namespace, "exercise start 1 --yes");
    until("the record is there", SOON, || if has("configmap/kubecoin-exercise") { Ok(()) } else { Err(String::new()) });
    going.signal(Signal::SIGINT);
    let ended = going.end();
    assert_eq!(ended.code, 130, "{}", ended.stderr);
    assert_eq!(objects(namespace), before);
    ends(namespace, "status --wait --timeout 2m", 0);
    deploy_changes_nothing(namespace);
}

/// Solves an exercise: an answer, a mend, and the check.
fn solves(namespace: &str, flags: &str, (number, answer): (u8, &str), mend: impl Fn()) {
    ends(namespace, &format!("exercise start {number} --variant 1 --yes {flags}"), 0);
    for hint in 1..=3 {
        let hint_shown = ends(namespace, &format!("exercise hint {flags}"), 0).stdout;
        assert!(hint_shown.contains(&format!("hint {hint} of 3")), "{hint_shown}");
    }
    ends(namespace, &format!("exercise answer {answer} {flags}"), 0);
    mend();
    let checked = ends(namespace, &format!("exercise check --timeout 2m {flags}"), 0);
    assert!(checked.stdout.contains("explain KC"), "{}", checked.stdout);
    assert_eq!(kubectl::get(&format!("configmap/kubecoin-exercise -n {namespace}")), None);
}

#[test]
fn a_student_solves_exercises_with_what_the_quota_has_room_for() {
    let scene = Scene::without_namespace("kc-exercise-student");
    let namespace = scene.namespace();
    let student = enrolled(namespace);
    let flags = format!("--as {student}");
    has_quota(namespace);
    ends(namespace, &format!("deploy --service-type ClusterIP --init-db --timeout 4m {flags}"), 0);
    let as_student = |words: &str| ok(&format!("{words} -n {namespace} {flags}"));
    // A new pod of the backend would not come, and the old one would serve on.
    for number in [4, 9] {
        let refused = ends(namespace, &format!("exercise start {number} --yes {flags}"), 2);
        assert!(refused.stderr.contains("exceeded quota: small"), "{}", refused.stderr);
    }
    let refused = ends(namespace, &format!("exercise start 12 --yes {flags}"), 2);
    assert!(refused.stderr.contains("volume"), "{}", refused.stderr);
    solves(namespace, &flags, (2, "svc/backend-service .spec.selector"), || {
        as_student("patch service/backend-service -p {\"spec\":{\"selector\":{\"app\":\"backend\"}}}");
    });
    // To correct the image is not enough: the pod that cannot start stays until it is deleted.
    solves(namespace, &flags, (1, "sts/postgres spec.template.spec.containers[0].image"), || {
        as_student("set image statefulset/postgres postgres=docker.io/library/postgres:17");
        let waits = ends(namespace, &format!("exercise check --timeout 1s {flags}"), 1);
        assert!(!waits.stdout.is_empty());
        as_student("delete pod/postgres-0");
    });
    solves(namespace, &flags, (10, "po/postgres-0 metadata.labels.app"), || {
        as_student("label pod/postgres-0 app=postgres --overwrite");
    });
    let list = ends(namespace, &format!("exercise {flags}"), 0).stdout;
    assert_eq!(list.lines().filter(|line| line.contains("  yes  ")).count(), 3, "{list}");
    let deployed = ends(namespace, &format!("deploy --service-type ClusterIP {flags}"), 0).stdout;
    assert!(deployed.lines().filter(|line| line.contains('/')).all(|line| line.ends_with(" unchanged")), "{deployed}");
}
