use std::io::{BufRead, BufReader};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{deployed, field, sql};
use crate::support::kubectl::ok;
use crate::support::plugin::{ends, start};
use crate::support::scene::Scene;
use crate::support::wait::until;

const SOON: Duration = Duration::from_mins(1);

#[test]
fn a_mistyped_image_is_explained_and_the_right_one_gets_past_it() {
    let scene = Scene::without_namespace("kc-plugin-image");
    let namespace = scene.namespace();
    let wrong = ends(namespace, "deploy --create-namespace --postgres-image postgres:17-mistyped --timeout 20s", 1);
    assert!(wrong.stderr.contains("cannot have its image postgres:17-mistyped"), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("--postgres-image"), "{}", wrong.stderr);
    let stuck = field(namespace, "pod/postgres-0", "/metadata/uid");

    let right = ends(namespace, "deploy --timeout 3m", 0);
    assert!(right.stderr.contains("is of an older revision"), "{}", right.stderr);
    assert_ne!(field(namespace, "pod/postgres-0", "/metadata/uid"), stuck);
}

#[test]
fn interrupted_at_any_moment_a_later_run_completes_it() {
    let scene = Scene::without_namespace("kc-plugin-interrupt");
    for object in ["secret/", "statefulset.apps/", "deployment.apps/frontend"] {
        let mut child = start(scene.namespace(), "deploy --create-namespace --timeout 3m");
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        while !stdout.next().expect("a line for the object").unwrap().starts_with(object) {}
        kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
        // The signal may come after the last moment of a run that had nothing left to wait for.
        let code = child.wait().unwrap().code();
        assert!(matches!(code, Some(130 | 0)), "{code:?}");
    }
    ends(scene.namespace(), "deploy --timeout 3m", 0);
}

#[test]
fn the_pod_is_deleted_during_init_db() {
    let scene = deployed("kc-plugin-deleted");
    let namespace = scene.namespace();
    sql(namespace, "DROP TABLE wallets;");
    let uid = field(namespace, "pod/postgres-0", "/metadata/uid");
    ok(&format!("delete pod postgres-0 -n {namespace} --wait=false"));
    let done = ends(namespace, "init-db --timeout 2m", 0);
    assert!(
        done.stdout.contains("table wallets created") || done.stdout.contains("table wallets exists"),
        "{}",
        done.stdout
    );
    until("another pod", SOON, || match field(namespace, "pod/postgres-0", "/metadata/uid") {
        other if !other.is_empty() && other != uid => Ok(()),
        same => Err(same),
    });
    ends(namespace, "status --wait --timeout 2m", 0);
}

#[test]
fn more_replicas_than_the_volume_allows() {
    let scene = deployed("kc-plugin-scaled");
    let namespace = scene.namespace();
    ok(&format!("scale statefulset postgres --replicas=2 -n {namespace}"));
    let status = ends(namespace, "status", 1);
    assert!(status.stdout.contains("is scaled to 2"), "{}", status.stdout);
    ok(&format!("scale statefulset postgres --replicas=1 -n {namespace}"));
    ends(namespace, "status --wait", 0);
}
