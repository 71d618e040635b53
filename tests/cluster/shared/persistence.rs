//! `persistence-demo`: what it promises, and that it leaves nothing behind. Where the truth is bad: see `truths`.

use std::time::Duration;

use nix::sys::signal::Signal;

use crate::support::deployed::{deployed, field, sql};
use crate::support::kubectl::{self, ok};
use crate::support::plugin::{Going, Ran, ends, run, stopped_at};
use crate::support::wait::until;

const SOON: Duration = Duration::from_mins(1);
pub const USERS: &str = "INSERT INTO wallets(id) VALUES ('anna'), ('ben'), ('carl');";

/// Neither rows nor a Lease of any run.
pub fn nothing_is_left(namespace: &str) {
    assert_eq!(ok(&format!("get lease -n {namespace} -o name")), "");
    assert_eq!(sql(namespace, "SELECT count(*) FROM wallets WHERE id LIKE 'kubecoin-%';"), "0");
}

pub fn ready(namespace: &str) {
    ends(namespace, "status --wait --no-db --timeout 2m", 0);
}

/// Whether the line of a check says how it is.
pub fn says(ran: &Ran, word: &str, check: &str) {
    let wanted = format!("  {word:<2}  {check}");
    let found = ran.stdout.lines().any(|line| line.starts_with(&wanted));
    assert!(found, "no {wanted:?} in\n{}{}", ran.stdout, ran.stderr);
}

#[test]
fn it_holds_however_the_server_is_taken_away() {
    let scene = deployed("kc-persist-holds");
    let namespace = scene.namespace();
    sql(namespace, USERS);
    for how in ["delete --times 2", "crash", "kill", "evict", "force"] {
        let ran = ends(namespace, &format!("persistence-demo --yes --rows 20 --how {how}"), 0);
        for words in
            ["verdict: holds — your 3 wallets are unchanged (anna 1000.00", "20 of 20", "not shown: loss of the node"]
        {
            assert!(ran.stdout.contains(words), "{how}: no {words:?} in\n{}", ran.stdout);
        }
        let last = ran.stdout.lines().last().unwrap_or_default();
        assert!(last.contains("kubectl kubecoin psql -c 'SELECT * FROM wallets'"), "{last}");
        let start = if how.starts_with("crash") { "crash recovery" } else { "start" };
        assert!(ran.stdout.contains(start), "{how}: {}", ran.stdout);
        assert_eq!(ran.stdout.contains("restarts 0 → 1"), how == "crash", "{how}: {}", ran.stdout);
        assert_eq!(ran.stdout.contains("median"), how.starts_with("delete"), "{}", ran.stdout);
        nothing_is_left(namespace);
    }
    let status = ends(namespace, "status", 0);
    assert!(status.stdout.contains("last proof: holds") && status.stdout.contains("(deletion)"), "{}", status.stdout);
    assert!(run(namespace, "status -A").stdout.contains("holds "), "the column");

    let kept = ends(namespace, "persistence-demo --yes --rows 7 --keep", 0);
    assert_eq!(sql(namespace, "SELECT count(*) FROM wallets WHERE id LIKE 'kubecoin-kept-%';"), "7");
    let id = kept.stdout.split("--clean ").nth(1).unwrap().split_whitespace().next().unwrap();
    let cleaned = ends(namespace, &format!("persistence-demo --clean {id}"), 0);
    assert_eq!(cleaned.stdout, format!("7 rows of run {id} deleted\n"));
    assert_eq!(sql(namespace, "SELECT count(*) FROM wallets;"), "3");
}

#[test]
fn rows_that_others_change_meanwhile() {
    let scene = deployed("kc-persist-rows");
    let namespace = scene.namespace();
    sql(namespace, USERS);
    // As the application changes a row: listed, and nothing wrong.
    let changed = meanwhile(
        namespace,
        "persistence-demo --yes --rows 5",
        "UPDATE wallets SET balance = 1, updated_at = now() WHERE id = 'ben';",
    );
    assert_eq!(changed.code, 0, "{}{}", changed.stdout, changed.stderr);
    assert!(changed.stdout.contains("1 changed meanwhile by the application (ben)"), "{}", changed.stdout);
    let altered =
        meanwhile(namespace, "persistence-demo --yes --rows 5", "UPDATE wallets SET balance = 7 WHERE id = 'anna';");
    assert_eq!(altered.code, 1, "{}", altered.stdout);
    says(&altered, "NO", "your rows             1 altered (anna)");
    let lost = meanwhile(namespace, "persistence-demo --yes --rows 5", "DELETE FROM wallets WHERE id = 'carl';");
    says(&lost, "NO", "your rows             1 lost (carl)");
    let marked = meanwhile(
        namespace,
        "persistence-demo --yes --rows 5",
        "DELETE FROM wallets WHERE id LIKE 'kubecoin-demo-%-000003';",
    );
    says(&marked, "NO", "marked rows           1 lost");
    assert!(marked.stdout.contains("verdict: does not hold"), "{}", marked.stdout);
    assert!(run(namespace, "status").stdout.contains("last proof: does not hold"));
    nothing_is_left(namespace);
}

/// A run, and SQL by other hands in the old server, after its rows were read there and before it has ended, or else in the new
/// one. The run is stopped meanwhile, so that it reads the rows afterwards.
fn meanwhile(namespace: &str, words: &str, statement: &str) -> Ran {
    let mut going = Going::begin(namespace, words);
    going.until("timeline");
    going.signal(Signal::SIGSTOP);
    until("the statement is done", SOON, || {
        let exec = ["exec", "-i", "postgres-0", "-n", namespace, "--", "psql", "-X", "-v", "ON_ERROR_STOP=1"];
        let done = kubectl::command(&[&exec[..], &["-U", "postgres", "-d", "kubecoin", "-f", "-"]].concat(), statement);
        if done.succeeded { Ok(()) } else { Err(done.stderr) }
    });
    going.signal(Signal::SIGCONT);
    going.end()
}

/// The Lease of a run of somebody's, for as long as it lives.
pub fn leased(namespace: &str) -> impl Drop {
    struct Leased(String);
    impl Drop for Leased {
        fn drop(&mut self) {
            kubectl::run(&format!("delete lease kubecoin-persistence-demo -n {}", self.0));
        }
    }
    let now = format!("{:.6}", jiff::Timestamp::now());
    let lease = serde_json::json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": { "name": "kubecoin-persistence-demo", "namespace": namespace },
        "spec": { "holderIdentity": "somebody", "leaseDurationSeconds": 600, "acquireTime": now, "renewTime": now },
    });
    kubectl::apply(&lease.to_string());
    Leased(namespace.to_owned())
}

#[test]
fn it_is_refused_where_it_would_prove_nothing() {
    let scene = deployed("kc-persist-refused");
    let namespace = scene.namespace();
    sql(namespace, "ALTER TABLE wallets RENAME TO other;");
    assert!(ends(namespace, "persistence-demo --yes", 2).stderr.contains("init-db"));
    sql(namespace, "ALTER TABLE other RENAME TO wallets;");

    ok(&format!("create poddisruptionbudget kept --selector app=postgres --min-available 1 -n {namespace}"));
    let kept = ends(namespace, "persistence-demo --yes --how evict", 2);
    assert!(kept.stderr.contains("nothing was deleted") && kept.stderr.contains("--how delete"), "{}", kept.stderr);
    nothing_is_left(namespace);
    ok(&format!("delete poddisruptionbudget kept -n {namespace}"));

    let lease = leased(namespace);
    let second = ends(namespace, "persistence-demo --yes", 2);
    assert!(
        second.stderr.contains("another run is in progress") && second.stderr.contains("somebody"),
        "{}",
        second.stderr
    );
    drop(lease);
    // Beside a real one, that the pod or its database is away may be seen first.
    let mut first = Going::begin(namespace, "persistence-demo --yes --times 2");
    first.until("timeline");
    ends(namespace, "persistence-demo --yes", 2);
    assert_eq!(first.end().code, 0);
    nothing_is_left(namespace);

    ok(&format!("scale statefulset postgres --replicas=2 -n {namespace}"));
    assert!(ends(namespace, "persistence-demo --yes", 2).stderr.contains("2 replicas"));
    sql(namespace, "DROP TABLE wallets;");
    assert_eq!(
        ends(namespace, "persistence-demo --clean 01234567", 0).stdout,
        "0 rows of run 01234567 deleted\n",
        "there is no table any more"
    );
}

/// What a writer has done can be asked again: the answer may be lost on its way.
fn a_writer_says_again_what_it_has_done(namespace: &str) {
    const WRITER: &str = include_str!("../../../src/commands/shared/demo/exchange/load.py");
    const MARK: &str = "kubecoin-demo-00000000-";
    let ask = |words: &str| {
        let exec = ["exec", "-i", "deployment/backend", "-n", namespace, "--", "python3", "-"];
        let ended = kubectl::command(&exec.into_iter().chain(words.split(' ')).collect::<Vec<_>>(), WRITER);
        assert!(ended.succeeded, "{words}: {}", ended.stderr);
        ended.stdout
    };
    sql(namespace, &format!("INSERT INTO wallets(id) VALUES ('{MARK}000001');"));
    ask(&format!("start {MARK} 200001 60 0.05"));
    let said = ask(&format!("drop {MARK} 0 30 0"));
    assert!(said.contains("200001"), "{said}");
    assert_eq!(ask(&format!("drop {MARK} 0 30 0")), said);
    ask(&format!("forget {MARK} 0 30 0"));
    let left = ok(&format!("exec deployment/backend -n {namespace} -- ls /tmp"));
    assert!(!left.contains(MARK), "{left}");
    sql(namespace, &format!("DELETE FROM wallets WHERE id LIKE '{MARK}%';"));
}

#[test]
fn no_row_acknowledged_under_load_is_lost() {
    let scene = deployed("kc-persist-load");
    let namespace = scene.namespace();
    a_writer_says_again_what_it_has_done(namespace);
    for how in ["delete --times 2", "crash", "kill"] {
        let ran = ends(namespace, &format!("persistence-demo --yes --under-load --how {how}"), 0);
        says(&ran, "ok", "rows under load");
        says(&ran, "ok", "gap under load");
        nothing_is_left(namespace);
    }
    let file = std::env::temp_dir().join(format!("{namespace}-{}.json", std::process::id()));
    let path = file.display();
    ends(namespace, &format!("persistence-demo --yes --under-load --report {path}"), 0);
    let again = ends(namespace, &format!("verify-report {path} --kubeconfig /nonexistent"), 0);
    says(&again, "ok", "rows under load");
    assert!(again.stdout.contains("the same evidence does not hold"), "{}", again.stdout);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replacen("\"sum\": \"", "\"sum\": \"0", 1)).unwrap();
    ends(namespace, &format!("verify-report {path}"), 1);
    assert!(ends(namespace, &format!("replay {path}"), 0).stdout.contains("query answered"));
    std::fs::remove_file(&file).unwrap();

    let slow = ends(namespace, "persistence-demo --yes --under-load --max-gap 0.001s", 1);
    says(&slow, "NO", "gap under load");

    let mut going = Going::begin(namespace, "persistence-demo --yes --under-load");
    going.until("Terminating");
    going.signal(Signal::SIGINT);
    assert_eq!(going.end().code, 130);
    ready(namespace);
    nothing_is_left(namespace);
    let left = ok(&format!("exec deployment/backend -n {namespace} -- ls /tmp"));
    assert!(!left.contains("kubecoin-"), "{left}");

    let forged = meanwhile(
        namespace,
        "persistence-demo --yes --under-load",
        "DELETE FROM wallets WHERE id LIKE 'kubecoin-demo-%-200002';",
    );
    says(&forged, "NO", "rows under load       1 acknowledged, but lost (200002)");

    // The writer of a run that was killed ends by itself once its marked rows are gone.
    let mut going = Going::begin(namespace, "persistence-demo --yes --under-load");
    going.until("timeline");
    going.signal(Signal::SIGKILL);
    going.end();
    ready(namespace);
    until("the writer has ended", SOON, || {
        sql(namespace, "DELETE FROM wallets WHERE id LIKE 'kubecoin-demo-%';");
        let there = ok(&format!("exec deployment/backend -n {namespace} -- ls /tmp"));
        if there.contains("kubecoin-demo-") { Ok(()) } else { Err(there) }
    });
}

#[test]
fn stopped_at_any_step_it_leaves_nothing() {
    let scene = deployed("kc-persist-stopped");
    let namespace = scene.namespace();
    let uid = field(namespace, "pod/postgres-0", "/metadata/uid");
    // What it does before the server is deleted, by the commands that it shows: the database asked, the Lease, the watch, and
    // the rows. What it shows next is begun together with the deletion.
    for act in 1..=4 {
        let signal = if act % 2 == 0 { Signal::SIGINT } else { Signal::SIGTERM };
        assert_eq!(stopped_at(act, namespace, "persistence-demo --yes", signal), None);
        nothing_is_left(namespace);
    }
    assert_eq!(field(namespace, "pod/postgres-0", "/metadata/uid"), uid);
    for (words, signal) in [
        ("timeline", Signal::SIGINT),
        ("Terminating", Signal::SIGTERM),
        ("gone", Signal::SIGINT),
        ("query answered", Signal::SIGTERM),
        ("proof", Signal::SIGINT),
    ] {
        let mut going = Going::begin(namespace, "persistence-demo --yes");
        going.until(words);
        going.signal(signal);
        let ran = going.end();
        // The last step may be over before the signal comes.
        assert!(ran.code == 130 || (words == "proof" && ran.code == 0), "{words}: {}\n{}", ran.code, ran.stderr);
        ready(namespace);
        println!("stopped at {words:?}:\n{}", ran.stderr);
        nothing_is_left(namespace);
    }
    killed(namespace);
}

/// Everything but Leases.
const NO_LEASES: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: no-leases, namespace: kc-persist-stopped}
rules: [{apiGroups: ['', apps, discovery.k8s.io], resources: ['*'], verbs: ['*']}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: no-leases, namespace: kc-persist-stopped}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: no-leases}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: nobody}]
";

/// A run that is killed can take nothing away: the next one does, once its Lease is forgotten. Not so one that may make no
/// Lease, for it cannot know whether the rows are those of a run in progress.
fn killed(namespace: &str) {
    let rows = || sql(namespace, "SELECT count(*) FROM wallets WHERE id LIKE 'kubecoin-demo-%';");
    kubectl::apply(NO_LEASES);
    let mut going = Going::begin(namespace, "persistence-demo --yes");
    going.until("Terminating");
    going.signal(Signal::SIGKILL);
    going.end();
    ready(namespace);
    assert_eq!(rows(), "100");
    // However long the server took to come back.
    let renewed = format!(r#"{{"spec":{{"renewTime":"{:.6}"}}}}"#, jiff::Timestamp::now());
    let words = ["patch", "lease", "kubecoin-persistence-demo", "-n", namespace, "--type=merge", "-p", &renewed];
    assert!(kubectl::command(&words, "").succeeded);
    let refused = ends(namespace, "persistence-demo --yes", 2);
    assert!(refused.stderr.contains("the Lease of a killed run expires after 30 s"), "{}", refused.stderr);

    let ran = ends(namespace, "persistence-demo --yes --rows 7 --as nobody", 0);
    assert!(ran.stderr.contains("it is unknown whether another run is in progress"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("delete it yourself"), "{}", ran.stderr);
    says(&ran, "ok", "your rows             you had none");
    assert_eq!(rows(), "100", "of a run that may be in progress");

    let next = until("the Lease is forgotten", 2 * SOON, || match run(namespace, "persistence-demo --yes --rows 7") {
        ran if ran.stderr.contains("another run is in progress") => Err(ran.stderr),
        ran => Ok(ran),
    });
    assert_eq!(next.code, 0, "{}{}", next.stdout, next.stderr);
    assert!(next.stderr.contains("100 marked rows of an earlier run that was killed were deleted"), "{}", next.stderr);
    nothing_is_left(namespace);
}

#[test]
fn a_student_gets_a_verdict() {
    let scene = deployed("kc-persist-student");
    let namespace = scene.namespace();
    ok(&format!("create rolebinding student --clusterrole=edit --user=student -n {namespace}"));
    let ran = until("the binding counts", SOON, || {
        let ran = run(namespace, "persistence-demo --yes --as student");
        if ran.code == 0 { Ok(ran) } else { Err(format!("{}{}", ran.stdout, ran.stderr)) }
    });
    assert!(ran.stdout.contains("by the claim's spec.volumeName"), "{}", ran.stdout);
    assert!(ran.stdout.contains("verdict: holds"), "{}", ran.stdout);
    nothing_is_left(namespace);
}
