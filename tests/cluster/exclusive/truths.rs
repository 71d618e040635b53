//! `persistence-demo` where the truth is bad: each must be found by the tool as it is built.

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::shared::persistence::{USERS, nothing_is_left, ready, says};
use crate::support::deployed::{deployed, field, sql};
use crate::support::kubectl::{self, ok};
use crate::support::plugin::{Going, Ran, ends};
use crate::support::scene::testbed;

/// A shell command on the node.
fn on_node(command: &str) {
    testbed(&["node-exec", "1", "--", "sh", "-ec", command]);
}

/// Keeps pods from being made, for as long as it lives: what makes them is halted. A quota would be seen before the pod is
/// deleted.
struct Gate;

impl Gate {
    const MAKER: &str = "kube-controller-manager";

    fn closed() -> Self {
        testbed(&["pause", Self::MAKER]);
        Self
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        testbed(&["resume", Self::MAKER]);
    }
}

/// A run, and something that is done between the end of the old pod and the beginning of the new one.
fn between(namespace: &str, words: &str, act: impl FnOnce()) -> Ran {
    let gate = Gate::closed();
    let mut going = Going::begin(namespace, words);
    going.until("gone");
    act();
    assert_eq!(field(namespace, "pod/postgres-0", "/metadata/uid"), "", "a new pod was made too early");
    drop(gate);
    going.end()
}

/// A folder of the node that is mounted again, as a volume on a network is at each mount: other device, same files.
struct Remounted<'a>(&'a str);

impl<'a> Remounted<'a> {
    fn at(folder: &'a str) -> Self {
        on_node(&format!(
            "mkdir -p {folder}.lower {folder}.work
             mount -t overlay overlay -o lowerdir={folder}.lower,upperdir={folder},workdir={folder}.work {folder}"
        ));
        Self(folder)
    }
}

impl Drop for Remounted<'_> {
    fn drop(&mut self) {
        on_node(&format!("umount {0}; rm -rf {0}.lower {0}.work", self.0));
    }
}

#[test]
fn what_is_done_to_the_volume_while_there_is_no_pod() {
    let scene = deployed("kc-truth-volume");
    let namespace = scene.namespace();
    let folder = format!("/data/kubecoin/{namespace}");
    sql(namespace, USERS);

    // Nothing is lost, though the device is another one. And a setting that risks rows is told, whatever holds.
    sql(namespace, "ALTER SYSTEM SET synchronous_commit = off;");
    sql(namespace, "SELECT pg_reload_conf();");
    let mut mounted = None;
    let held = between(namespace, "persistence-demo --yes", || mounted = Some(Remounted::at(&folder)));
    assert_eq!(held.code, 0, "{}{}", held.stdout, held.stderr);
    let directory = held.stdout.lines().find(|line| line.contains("same directory")).unwrap_or_default();
    assert!(directory.contains("device") && directory.contains(" → "), "{directory}");
    says(&held, "ok", "settings              synchronous_commit is off");

    // An older copy, put into the same directory. What was not flushed would not be in it.
    sql(namespace, "ALTER SYSTEM RESET synchronous_commit;");
    sql(namespace, "SELECT pg_reload_conf();");
    sql(namespace, "CHECKPOINT;");
    on_node(&format!("cp -a {folder}/pgdata /data/{namespace}.older"));
    sql(namespace, "INSERT INTO wallets(id) VALUES ('dora');");
    let restored = between(namespace, "persistence-demo --yes", || {
        drop(mounted.take());
        on_node(&format!(
            "find {folder}/pgdata -mindepth 1 -delete
             cp -a /data/{namespace}.older/. {folder}/pgdata
             rm -r /data/{namespace}.older"
        ));
    });
    assert_eq!(restored.code, 1, "{}{}", restored.stdout, restored.stderr);
    says(&restored, "NO", "your rows             1 lost (dora)");
    says(&restored, "NO", "marked rows           100 lost");
    says(&restored, "NO", "log goes on");
    assert!(restored.stdout.contains("back to an older state"), "{}", restored.stdout);
    assert!(restored.stderr.contains("status -o wide"), "{}", restored.stderr);
    says(&restored, "ok", "same database");
    says(&restored, "ok", "same directory");
    nothing_is_left(namespace);

    // Nothing at all. The directory is kept elsewhere: the next one might be given the number of one that is deleted.
    let kept = format!("/data/{namespace}.kept");
    let emptied = between(namespace, "persistence-demo --yes", || on_node(&format!("mv {folder}/pgdata {kept}")));
    on_node(&format!("rm -r {kept}"));
    assert_eq!(emptied.code, 1, "{}{}", emptied.stdout, emptied.stderr);
    for check in
        ["same database", "same directory", "your rows             the table wallets does not exist any more", "start"]
    {
        says(&emptied, "NO", check);
    }
    says(&emptied, "ok", "same claim");
    assert!(emptied.stderr.contains("status -o wide"), "{}", emptied.stderr);

    // The claim swapped for an emptyDir, without the pod being replaced by that.
    ready(namespace);
    ends(namespace, "init-db", 0);
    let swap = r#"{"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null},"template":{"spec":{"volumes":[{"name":"data","persistentVolumeClaim":null,"emptyDir":{}}]}}}}"#;
    let patched =
        kubectl::command(&["patch", "statefulset", "postgres", "-n", namespace, "--type", "strategic", "-p", swap], "");
    assert!(patched.succeeded, "{}", patched.stderr);
    let refused = ends(namespace, "persistence-demo", 2);
    assert!(refused.stderr.contains("newer template") && refused.stderr.contains("--yes"), "{}", refused.stderr);
    let swapped = ends(namespace, "persistence-demo --yes", 1);
    says(&swapped, "NO", "same claim            the data directory is not on a claim");
    says(&swapped, "NO", "marked rows");
}

#[test]
fn others_who_take_the_pod_away_or_make_it() {
    let scene = deployed("kc-truth-others");
    let namespace = scene.namespace();
    let uid = || field(namespace, "pod/postgres-0", "/metadata/uid");

    // At the same moment: whoever comes second deletes nothing, and has shown nothing.
    let mut going = Going::begin(namespace, "persistence-demo --yes --under-load --show-commands");
    going.err.until("<load.py");
    going.signal(Signal::SIGSTOP);
    ok(&format!("delete pod postgres-0 -n {namespace}"));
    ready(namespace);
    let theirs = uid();
    going.signal(Signal::SIGCONT);
    let second = going.end();
    assert_eq!(second.code, 2, "{}{}", second.stdout, second.stderr);
    assert!(second.stderr.contains("deleted by someone else at the same moment"), "{}", second.stderr);
    assert_eq!(uid(), theirs);
    nothing_is_left(namespace);

    // The pod that has just come.
    let mut going = Going::begin(namespace, "persistence-demo --yes");
    going.until("new pod created");
    ok(&format!("delete pod postgres-0 -n {namespace} --wait=false"));
    let again = going.end();
    assert_eq!(again.code, 1, "{}{}", again.stdout, again.stderr);
    says(&again, "NO", "new pod               someone replaced the new pod again");
    assert!(again.stderr.contains("hint: see who did that"), "{}", again.stderr);
    nothing_is_left(namespace);

    // A pod of the same name, by another set of the same name.
    let mut set = kubectl::get(&format!("statefulset postgres -n {namespace}")).expect("the set");
    for field in ["uid", "resourceVersion", "creationTimestamp", "managedFields"] {
        set["metadata"][field] = Value::Null;
    }
    let other = between(namespace, "persistence-demo --yes", || {
        ok(&format!("delete statefulset postgres -n {namespace} --cascade=orphan --wait=false"));
        // It has nothing to leave behind by now, and what would see to that is halted.
        ok(&format!(
            "patch statefulset postgres -n {namespace} --type=merge -p {{\"metadata\":{{\"finalizers\":null}}}}"
        ));
        kubectl::apply(&set.to_string());
    });
    assert_eq!(other.code, 1, "{}{}", other.stdout, other.stderr);
    says(&other, "NO", "same owner            statefulset uid was");
    says(&other, "ok", "your rows");
    nothing_is_left(namespace);
}

#[test]
fn a_node_that_falls_silent_is_named() {
    let scene = deployed("kc-truth-silent");
    let namespace = scene.namespace();
    let mut going = Going::begin(namespace, "persistence-demo --yes --how kill --timeout 12s");
    // Held before it deletes the pod, or soon after: with a second to go the pod would else end before its kubelet.
    going.until("timeline");
    going.signal(Signal::SIGSTOP);
    testbed(&["stop", "--kill", "kubelet-1"]);
    let node = Stopped("kubelet-1");
    going.signal(Signal::SIGCONT);
    going.until("Terminating");
    going.until("see for yourself");
    going.err.until("hint: ");
    // The rows are in a database that is away, and cannot be waited for.
    going.err.until("waiting up to");
    going.signal(Signal::SIGINT);
    let silent = going.end();
    drop(node);
    assert_eq!(silent.code, 1, "{}{}", silent.stdout, silent.stderr);
    says(
        &silent,
        "NO",
        "came back             no query was answered in time; last seen: pod/postgres-0 Terminating on node-1",
    );
    for words in ["the kubelet of its node node-1 does not confirm it", "kubectl describe node node-1"] {
        assert!(silent.stderr.contains(words), "no {words:?} in\n{}", silent.stderr);
    }
    // Once the node is back, the rows go by the command that it has printed. The Lease went with the run.
    ready(namespace);
    let (_, clean) =
        silent.stderr.split_once("hint: delete it yourself: kubectl kubecoin ").expect("a command to delete it");
    let clean = clean.split_once(" -n ").expect("of this namespace").0;
    assert!(ends(namespace, clean, 0).stdout.starts_with("100 rows of run "), "{clean}");
    ends(namespace, "persistence-demo --yes", 0);
    nothing_is_left(namespace);
}

/// A component that is started again whatever comes of the test.
struct Stopped(&'static str);

impl Drop for Stopped {
    fn drop(&mut self) {
        testbed(&["start", self.0]);
    }
}
