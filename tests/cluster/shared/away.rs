//! `teardown`, and back again.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;

use super::dns::helpers;
use crate::support::deployed::{deployed, field, sql};
use crate::support::kubectl::{self, ok};
use crate::support::plugin::{command, ends, stopped_at};
use crate::support::scene::testbed;
use crate::support::wait::until;

const SOON: Duration = Duration::from_mins(1);

/// The files on the node.
fn files(namespace: &str) -> String {
    testbed(&["node-exec", "1", "--", "find", &format!("/data/kubecoin/{namespace}"), "-mindepth", "1"])
}

/// Nothing of the exchange is left: neither an object nor a file.
fn nothing_is_left(namespace: &str) {
    // What the cluster collects by itself takes its moment.
    until("nothing is left", SOON, || {
        let kinds = "all,pvc,secrets,endpointslices,controllerrevisions";
        match ok(&format!("get {kinds} -n {namespace} -o name")) {
            left if left.is_empty() => Ok(()),
            left => Err(left),
        }
    });
    assert!(kubectl::get(&format!("pv postgres-pv-{namespace}")).is_none());
    assert_eq!(files(namespace), "");
}

/// The exchange's end as a person types it, with an answer to its question.
fn answered(namespace: &str, answer: &str) -> (i32, String) {
    let limit = SOON.as_millis().try_into().ok();
    let mut terminal =
        rexpect::session::spawn_command(command_in_terminal(namespace), limit).expect("the plugin starts");
    terminal.exp_string("the namespace's name, to continue:").expect("it asks");
    terminal.send_line(answer).expect("a terminal");
    let shown = terminal.exp_eof().expect("it ends");
    match terminal.process().wait().expect("it ends") {
        WaitStatus::Exited(_, code) => (code, shown),
        other => panic!("{other:?}: {shown}"),
    }
}

fn command_in_terminal(namespace: &str) -> std::process::Command {
    let given = command(namespace, "teardown --delete-data");
    let mut command = std::process::Command::new(given.get_program());
    command.args(given.get_args());
    command
}

#[test]
fn away_and_back_and_away_for_good() {
    let scene = deployed("kc-plugin-away");
    let namespace = scene.namespace();
    sql(namespace, "INSERT INTO wallets(id) VALUES ('anna');");
    let other = "apiVersion: v1\nkind: Service\nmetadata:\n  name: NAME\n  namespace: kc-plugin-away\n  labels: {app: postgres}\nspec:\n  ports: [{port: 1}]\n";
    kubectl::apply(&other.replace("NAME", "another-owners"));

    let away = ends(namespace, "teardown --yes", 0);
    assert!(away.stderr.contains("the data is kept in /data/kubecoin/kc-plugin-away"), "{}", away.stderr);
    assert!(away.stderr.contains("kubectl kubecoin deploy -n kc-plugin-away"), "{}", away.stderr);
    assert_eq!(
        ok(&format!("get statefulset,deployment,pod,service -n {namespace} -o name")),
        "service/another-owners\n"
    );
    assert_eq!(field(namespace, "pvc/postgres-pvc", "/status/phase"), "Bound");
    let nothing = ends(namespace, "teardown", 0);
    assert!(nothing.stdout.contains("there is no exchange"), "{}", nothing.stdout);

    kubectl::apply(&other.replace("NAME", "backend-service"));
    let refused = ends(namespace, "teardown --yes", 1);
    assert!(refused.stderr.contains("service/backend-service is not deleted"), "{}", refused.stderr);
    ok(&format!("delete service/backend-service -n {namespace}"));

    ends(namespace, "deploy --timeout 3m", 0);
    assert_eq!(sql(namespace, "SELECT id FROM wallets;"), "anna");

    // What holds an object is named, and the next run finishes.
    let finalizer = |all: &str| {
        let patch = format!(r#"{{"metadata":{{"finalizers":{all}}}}}"#);
        let words = ["patch", "service/frontend-service", "-n", namespace, "--type", "merge", "-p", &patch];
        assert!(kubectl::command(&words, "").succeeded);
    };
    finalizer(r#"["example.com/hold"]"#);
    let held = ends(namespace, "teardown --yes --timeout 20s", 1);
    assert!(
        held.stderr.contains("service/frontend-service is blocked by finalizers: example.com/hold"),
        "{}",
        held.stderr
    );
    finalizer("null");
    ends(namespace, "deploy --timeout 3m", 0);

    let unasked = ends(namespace, "teardown --delete-data", 2);
    assert!(unasked.stderr.contains("--yes"), "{}", unasked.stderr);
    let (code, shown) = answered(namespace, "default");
    assert_eq!(code, 1, "{shown}");
    assert_eq!(sql(namespace, "SELECT id FROM wallets;"), "anna");
    let (code, shown) = answered(namespace, namespace);
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("the files in /data/kubecoin/kc-plugin-away of node node-1 are deleted"), "{shown}");
    ok(&format!("delete service/another-owners -n {namespace}"));
    nothing_is_left(namespace);
    ends(namespace, "teardown --delete-data", 0);
}

/// At the first change, in the middle, and at one of the last. At each of them, by each signal: see the tests against a
/// scripted server.
#[test]
fn stopped_it_is_finished_by_the_next_run() {
    let scene = deployed("kc-plugin-stopped");
    let namespace = scene.namespace();
    let words = "teardown --delete-data --yes";
    // Each run goes on where the one before was stopped. A wipe begins again.
    for (act, signal) in [(2, Signal::SIGKILL), (5, Signal::SIGINT), (2, Signal::SIGKILL), (3, Signal::SIGINT)] {
        assert_eq!(stopped_at(act, namespace, words, signal), None, "at change {act}");
        if signal == Signal::SIGINT {
            assert_eq!(helpers(namespace), "", "a helper stays");
        }
    }
    ends(namespace, words, 0);
    nothing_is_left(namespace);
}

/// What `--cascade=orphan` leaves behind runs on, and so does a pod that its set has let go.
#[test]
fn what_was_orphaned_is_deleted_too() {
    let scene = deployed("kc-plugin-orphans");
    let namespace = scene.namespace();
    let workloads = "statefulset/postgres deployment/backend deployment/frontend";
    ok(&format!("delete {workloads} -n {namespace} --cascade=orphan"));
    let begin = Instant::now();
    let away = ends(namespace, "teardown --yes --timeout 3m", 0);
    assert!(begin.elapsed() < Duration::from_mins(2), "it took {:?}", begin.elapsed());
    assert!(away.stdout.contains("pod/postgres-0 deleted"), "{}", away.stdout);
    assert_eq!(ok(&format!("get all -n {namespace} -o name")), "");

    ends(namespace, "deploy --timeout 3m", 0);
    ok(&format!("label pod/postgres-0 app=apart --overwrite -n {namespace}"));
    until("the set lets its pod go", SOON, || match field(namespace, "pod/postgres-0", "/metadata/ownerReferences") {
        owners if owners.is_empty() => Ok(()),
        owners => Err(owners),
    });
    ends(namespace, "teardown --delete-data --yes --timeout 3m", 0);
    nothing_is_left(namespace);
}

/// In each state that a person leaves by hand.
#[test]
fn files_are_deleted_though_the_claim_was_deleted_before() {
    let scene = deployed("kc-plugin-claimless");
    let namespace = scene.namespace();
    let words = "teardown --delete-data --yes --timeout 3m";
    // As long as the pod uses the claim, it stays.
    ok(&format!("delete pvc/postgres-pvc -n {namespace} --wait=false"));
    let away = ends(namespace, words, 0);
    assert!(away.stderr.contains("persistentvolumeclaim/postgres-pvc is being deleted already"), "{}", away.stderr);
    assert!(away.stdout.contains("the files in /data/kubecoin/kc-plugin-claimless"), "{}", away.stdout);
    nothing_is_left(namespace);

    ends(namespace, "deploy --timeout 3m", 0);
    ok(&format!("delete pv/postgres-pv-{namespace} --wait=false"));
    ok(&format!("delete pvc/postgres-pvc -n {namespace} --wait=false"));
    let created = ends(namespace, words, 0).stdout;
    assert!(created.contains(&format!("persistentvolume/postgres-pv-{namespace} created")), "{created}");
    nothing_is_left(namespace);

    ends(namespace, "deploy --init-db --timeout 3m", 0);
    ok(&format!("delete statefulset/postgres pvc/postgres-pvc -n {namespace} --cascade=foreground"));
    until("the volume is left behind", SOON, || {
        match field(namespace, &format!("pv/postgres-pv-{namespace}"), "/status/phase") {
            phase if phase == "Released" => Ok(()),
            phase => Err(phase),
        }
    });
    // When the volume is offered again, and soon after: each run goes on where the one before was stopped.
    for (act, signal) in [(6, Signal::SIGKILL), (2, Signal::SIGINT)] {
        assert_eq!(stopped_at(act, namespace, words, signal), None, "at change {act}");
    }
    ends(namespace, words, 0);
    nothing_is_left(namespace);

    // The claim has another volume by now.
    ends(namespace, "deploy --timeout 3m", 0);
    ok(&format!("delete statefulset/postgres pvc/postgres-pvc -n {namespace} --cascade=foreground"));
    kubectl::apply(&format!(
        "
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: postgres-pvc, namespace: {namespace}, labels: {{app.kubernetes.io/part-of: kubecoin}}}}
spec: {{storageClassName: '', volumeName: another, accessModes: [ReadWriteOnce], resources: {{requests: {{storage: 1Gi}}}}}}
"
    ));
    ends(namespace, words, 0);
    nothing_is_left(namespace);
}
