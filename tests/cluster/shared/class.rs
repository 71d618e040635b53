//! A student of a class: may edit a namespace under Pod Security `restricted`, and nothing else.

use crate::support::class::enrolled;
use crate::support::deployed::field;
use crate::support::kubectl::{self, ok};
use crate::support::plugin::{ends, run};
use crate::support::rights::{Granted, Right};
use crate::support::scene::{Scene, testbed};

const NAMESPACE: &str = "kc-plugin-class";

/// A volume of a class without a provisioner: it stays when its claim goes.
const STORAGE: &str = "
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: kc-plugin-class}
provisioner: kubernetes.io/no-provisioner
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: postgres-pv-kc-plugin-class}
spec:
  storageClassName: kc-plugin-class
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOncePod]
  persistentVolumeReclaimPolicy: Retain
  hostPath: {path: /data/kubecoin/kc-plugin-class}
";

#[test]
fn a_student_takes_away_all_that_a_student_made() {
    let scene = Scene::without_namespace(NAMESPACE);
    let folder = "/data/kubecoin/kc-plugin-class";
    testbed(&["node-exec", "1", "--", "install", "-d", "-o", "999", "-g", "999", folder]);
    let student = format!("--as {}", enrolled(NAMESPACE));
    kubectl::apply(STORAGE);
    let deploy = format!("deploy {student} --storage-class kc-plugin-class --init-db --timeout 3m");
    let deployed = ends(scene.namespace(), &format!("{deploy} --network-policy"), 0);
    assert!(deployed.stdout.contains("networkpolicy.networking.k8s.io/postgres created\n"), "{}", deployed.stdout);
    let again = ends(scene.namespace(), &deploy, 0);
    assert!(again.stdout.contains("networkpolicy.networking.k8s.io/postgres unchanged\n"), "{}", again.stdout);
    let status = ends(scene.namespace(), &format!("status {student}"), 0);
    assert!(status.stdout.contains("\nnetwork policy: postgres (only the backend may"), "{}", status.stdout);
    let gone = ends(scene.namespace(), &format!("teardown {student} --delete-data --yes"), 0);
    assert!(gone.stdout.contains("are deleted"), "{}", gone.stdout);
    assert_eq!(ok(&format!("get all,pvc,secrets,networkpolicies -n {NAMESPACE} -o name")), "");
    assert_eq!(testbed(&["node-exec", "1", "--", "find", folder, "-mindepth", "1"]), "");
    ok("delete storageclass kc-plugin-class");
}

/// Who may read no volume cannot know whether it stays: all else is deleted, and that is said.
#[test]
fn a_student_who_has_deleted_the_claim_is_told_what_may_stay() {
    let scene = Scene::without_namespace("kc-plugin-class-claimless");
    let namespace = scene.namespace();
    let student = format!("--as {}", enrolled(namespace));
    ends(namespace, &format!("deploy {student} --timeout 3m"), 0);
    let volume = field(namespace, "pvc/postgres-pvc", "/spec/volumeName");
    ok(&format!("delete pvc/postgres-pvc -n {namespace} --wait=false {student}"));
    let gone = ends(namespace, &format!("teardown {student} --delete-data --yes --timeout 3m"), 1);
    let says = format!("you may not read persistentvolume/{volume}: they stay if its reclaim policy is Retain");
    assert!(gone.stderr.contains(&says), "{}", gone.stderr);
    assert!(gone.stderr.contains("hint: ask a cluster administrator to delete the files"), "{}", gone.stderr);
    assert_eq!(ok(&format!("get all,pvc,secrets -n {namespace} -o name")), "");
}

/// An exchange that was scaled to 0, and an answer that nobody has shown: written by hand, as a student can.
const CLAIMED: &str = r#"
apiVersion: v1
kind: Service
metadata: {name: postgres-headless, namespace: kc-plugin-class-board, labels: {app.kubernetes.io/part-of: kubecoin}}
spec: {clusterIP: None, selector: {app: postgres}, ports: [{port: 5432}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: postgres
  namespace: kc-plugin-class-board
  labels: {app: postgres, app.kubernetes.io/part-of: kubecoin}
spec:
  replicas: 0
  serviceName: postgres-headless
  selector: {matchLabels: {app: postgres}}
  template: {metadata: {labels: {app: postgres}}, spec: {containers: [{name: postgres, image: postgres}]}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: kubecoin-lesson, namespace: kc-plugin-class-board}
data: {question-5: '{"holds":"yes","at":"2026-11-24T02:00:00Z","evidence":"sha256:00"}'}
"#;

#[test]
fn a_teacher_sees_what_a_student_claims_and_that_it_is_claimed() {
    let scene = Scene::without_namespace("kc-plugin-class-board");
    let namespace = scene.namespace();
    let student = enrolled(namespace);
    let wrote = kubectl::command(&["apply", "-f", "-", "--as", &student], CLAIMED);
    assert!(wrote.succeeded, "{}", wrote.stderr);
    let right = |resource: &str| Right { verb: "list".to_owned(), resource: resource.to_owned() };
    let (sets, lessons) = (right("statefulsets.apps"), right("configmaps"));
    let mut granted = Granted::new(namespace);
    let (teacher, visitor) = (format!("{namespace}-teacher"), format!("{namespace}-visitor"));
    granted.give(&visitor, None, &[sets.clone()].into());
    granted.give(&teacher, None, &[sets, lessons].into());
    granted.apply();
    for (user, cell) in [(&teacher, "1/5"), (&visitor, "unknown")] {
        let board = run(namespace, &format!("status -A --no-db --as {user}"));
        let row = board.stdout.lines().find(|line| line.starts_with(namespace)).unwrap_or_default();
        assert!(row.contains(&format!("  {cell}  ")), "{}{}", board.stdout, board.stderr);
        assert_eq!(board.stderr.contains("cannot list resource \"configmaps\""), cell == "unknown", "{}", board.stderr);
    }
    let grades = run(namespace, &format!("status -A -o junit --as {teacher}")).stdout;
    let suite = grades.split("<testsuite ").find(|suite| suite.starts_with(&format!("name=\"{namespace}\"")));
    let suite = suite.unwrap_or_else(|| panic!("no suite of it in {grades}"));
    assert!(suite.contains("claimed: holds at 2026-11-24T02:00:00Z, evidence sha256:00<"), "{suite}");
    let proved_by = format!("kubectl kubecoin lesson N --report FILE.xml -n {namespace} --as {teacher} to prove one");
    assert!(suite.contains(&proved_by), "{suite}");
}
