use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::deployed::{deployed, field, psql, sql};
use crate::support::kubectl::ok;
use crate::support::plugin::{ends, is_change, run, start, stopped_at};
use crate::support::scene::Scene;
use crate::support::wait::until;

const SOON: Duration = Duration::from_mins(1);

#[test]
fn a_mistyped_image_is_explained_and_the_right_one_gets_past_it() {
    let scene = Scene::without_namespace("kc-plugin-image");
    let namespace = scene.namespace();
    let wrong = ends(namespace, "deploy --create-namespace --postgres-image postgres:17-mistyped --timeout 60s", 1);
    assert!(wrong.stderr.contains("cannot pull its image postgres:17-mistyped"), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("--postgres-image"), "{}", wrong.stderr);
    let stuck = field(namespace, "pod/postgres-0", "/metadata/uid");

    let right = ends(namespace, "deploy --timeout 3m", 0);
    assert!(right.stderr.contains("is of an older revision"), "{}", right.stderr);
    assert_ne!(field(namespace, "pod/postgres-0", "/metadata/uid"), stuck);
}

/// At the first change, in the middle, and at the last one. At each of them, by each signal: see the tests against a scripted
/// server.
#[test]
fn interrupted_a_later_run_completes_it() {
    let scene = Scene::without_namespace("kc-plugin-interrupt");
    let namespace = scene.namespace();
    let words = "deploy --create-namespace --init-db --timeout 3m";
    for act in [1, 7] {
        assert_eq!(stopped_at(act, namespace, words, Signal::SIGINT), None, "at change {act}");
    }
    ends(namespace, words, 0);
    ends(namespace, "status", 0);
    // Counted in a run that finds what the interrupted one will find.
    let again = ends(namespace, &format!("{words} --show-commands"), 0);
    let last = again.stderr.lines().filter(|line| is_change(line)).count();
    assert!(last > 6, "{last} changes in {}", again.stderr);
    assert_eq!(stopped_at(last, namespace, words, Signal::SIGINT), None, "at the last change");
    ends(namespace, words, 0);
    // Nothing that a run makes for itself has stayed.
    assert_eq!(ok(&format!("get pods,leases -n {namespace} -l !app -o name")), "");
}

/// The sessions that wait for a lock.
fn waiting(namespace: &str) -> String {
    sql(namespace, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock';")
}

#[test]
fn who_gives_up_on_a_locked_table_leaves_no_session_behind() {
    let scene = deployed("kc-plugin-locked");
    let namespace = scene.namespace().to_owned();
    std::thread::scope(|scope| {
        // Ended below, and so without success.
        scope.spawn(|| psql(&namespace, "BEGIN; LOCK TABLE wallets; SELECT pg_sleep(150);"));
        until("the table is locked", SOON, || {
            let count =
                sql(&namespace, "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted;");
            if count == "0" { Err(count) } else { Ok(()) }
        });
        let mut child = start(&namespace, "init-db --timeout 1m");
        until("init-db waits for the lock", SOON, || match waiting(&namespace).as_str() {
            "0" => Err("nobody waits".to_owned()),
            _ => Ok(()),
        });
        kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130));
        until("its session has ended", SOON, || match waiting(&namespace).as_str() {
            "0" => Ok(()),
            count => Err(format!("{count} wait")),
        });
        until("status names who holds the lock", SOON, || match run(&namespace, "status") {
            status if status.code == 1 && status.stdout.contains("takes no writes to the table wallets: session") => {
                Ok(())
            }
            status => Err(status.stdout),
        });

        // Who waits on gets it as soon as the lock is gone.
        let unlock = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep';";
        let waits = start(&namespace, "init-db --timeout 1m");
        until("init-db waits for the lock", SOON, || match waiting(&namespace).as_str() {
            "0" => Err("nobody waits".to_owned()),
            _ => Ok(()),
        });
        assert_eq!(sql(&namespace, unlock), "t");
        let done = waits.wait_with_output().unwrap();
        assert!(done.status.success(), "{done:?}");
    });
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
