//! A student of a class: may edit a namespace under Pod Security `restricted`, and nothing else.

use crate::support::class::enrolled;
use crate::support::deployed::field;
use crate::support::kubectl::{self, ok};
use crate::support::plugin::ends;
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
