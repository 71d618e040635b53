//! What may be chosen of a cluster, and what is done to one that is up.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::support::pods::{self, PATIENCE};
use super::support::testbed::{self, Cluster};
use super::support::{kubectl, wait};

#[test]
fn storage_is_provisioned_and_names_are_cached_where_asked_for() {
    let _cluster = Cluster::up("--storage-class --dns-cache 30");
    kubectl::apply(
        "
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: claim}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: writer}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: writer
    image: docker.io/library/busybox:latest
    command: [sh, -c, 'touch /data/written && exec sleep infinity']
    volumeMounts: [{name: data, mountPath: /data}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: claim}}]
",
    );
    kubectl::ok("wait --for=jsonpath={.status.phase}=Bound --timeout=180s persistentvolumeclaim/claim");
    kubectl::ok("wait --for=condition=Ready --timeout=180s pod/writer");
    // A container counts as ready as soon as it runs, which may be before its first command has ended.
    wait::until("the file is in the node's folder for volumes, once", PATIENCE, || {
        let files = testbed::ok("node-exec 1 -- find /opt/local-path-provisioner -name written").stdout;
        if files.lines().count() == 1 { Ok(()) } else { Err(files) }
    });

    let corefile = kubectl::ok("get configmap coredns --namespace kube-system --output jsonpath={.data.Corefile}");
    assert!(corefile.contains("\n    cache 30\n"), "{corefile}");
    assert!(said_to_be_missing_although_it_is_there(), "a name that was missing is not cached");
}

#[test]
fn names_of_the_cluster_are_not_cached_unless_asked_for() {
    let _cluster = Cluster::up("");
    pods::web_server("writer", 1);
    assert!(!said_to_be_missing_although_it_is_there());
}

/// Whether the DNS goes on denying a name that it was asked for just before there was one.
fn said_to_be_missing_although_it_is_there() -> bool {
    let missing = pods::inside("writer", "nslookup -type=a asked-before.default.svc.cluster.local");
    assert!(missing.stdout.contains("NXDOMAIN"), "{missing:?}");
    for name in ["asked-before", "new"] {
        kubectl::ok(&format!("create service clusterip {name} --tcp 80"));
    }
    // Once it knows the later one, it knows the other one too.
    let new = pods::service_address("new");
    wait::until("the DNS knows a new name", PATIENCE, || pods::resolves("writer", "new", &new));
    pods::resolves("writer", "asked-before", &pods::service_address("asked-before")).is_err()
}

#[test]
fn an_emptied_cluster_is_like_a_new_one() {
    let _cluster = Cluster::up("");
    let everything = "get all,configmaps,secrets,persistentvolumeclaims --namespace default --output name";
    let new = kubectl::ok(everything);
    let namespaces = kubectl::ok("get namespaces --output name");

    pods::web_server("web", 1);
    assert_eq!(pods::inside("web", "touch /data/written").code, Some(0));
    kubectl::ok("create namespace lesson");
    kubectl::ok("create configmap of-the-lesson --namespace lesson --from-literal a=b");
    kubectl::ok("create deployment web --image docker.io/library/busybox:latest --replicas 2 -- sleep infinity");
    kubectl::ok("create secret generic web --from-literal a=b");
    kubectl::ok("rollout status deployment/web --timeout 180s");
    kubectl::apply(
        "
apiVersion: v1
kind: PersistentVolume
metadata: {name: volume}
spec:
  capacity: {storage: 1Mi}
  accessModes: [ReadWriteOnce]
  storageClassName: manual
  hostPath: {path: /data/volume}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: claim}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: manual
  resources: {requests: {storage: 1Mi}}
",
    );
    kubectl::ok("wait --for=jsonpath={.status.phase}=Bound --timeout=180s persistentvolumeclaim/claim");
    // So that there is something to put back.
    kubectl::ok("scale deployment coredns --namespace kube-system --replicas 0");

    let begin = Instant::now();
    testbed::ok("reset");
    let took = begin.elapsed();
    assert!(took < Duration::from_mins(3), "{took:?}");
    assert_eq!(kubectl::ok(everything), new);
    assert_eq!(kubectl::ok("get namespaces --output name"), namespaces);
    assert_eq!(kubectl::ok("get persistentvolumes --output name"), "");
    assert_eq!(testbed::ok("node-exec 1 -- find /data -mindepth 1").stdout, "");
    pods::web_server("web", 1);
    pods::reaches("web", "web");
}

#[test]
fn an_image_comes_out_of_an_archive() {
    let _cluster = Cluster::up("");
    let folder = tempfile::tempdir().expect("a folder");
    let buildah = |words: &[&str]| {
        let mut buildah = Command::new("buildah");
        buildah.args(["--storage-driver", "vfs"]);
        buildah.arg("--root").arg(folder.path().join("root")).arg("--runroot").arg(folder.path().join("runroot"));
        let done = buildah.args(words).env("NO_PROXY", "198.18.77.0/24").output().expect("buildah starts");
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    buildah(&["pull", "--tls-verify=false", "docker://198.18.77.1:5000/library/busybox:latest"]);
    for kind in ["docker", "oci"] {
        let archive = folder.path().join(kind).with_extension("tar");
        let target = format!("{kind}-archive:{}:busybox:latest", archive.display());
        buildah(&["push", "198.18.77.1:5000/library/busybox:latest", &target]);
        load(&archive, kind);
    }
}

fn load(archive: &Path, kind: &str) {
    let name = format!("images.example/loaded/{kind}:1");
    testbed::ok(&format!("load --archive {} --as {name}", archive.display()));
    kubectl::ok(&format!("run {kind} --image {name} --image-pull-policy Always --restart Never -- true"));
    kubectl::ok(&format!("wait --for=jsonpath={{.status.phase}}=Succeeded --timeout=180s pod/{kind}"));
}
