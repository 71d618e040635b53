//! `persistence-demo --contrast`: Level 1 beside Level 2, and nothing of it left. `--open`: the page beside the run.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use rexpect::session::{PtySession, spawn_command};
use serde_json::{Value, json};

use super::persistence::says;
use crate::support::class::quota_counts;
use crate::support::deployed::{deployed, field, sql};
use crate::support::kubectl::{self, ok};
use crate::support::page::get;
use crate::support::plugin::{Ran, command, ends, is_change, run, stopped_at};
use crate::support::scene::Scene;
use crate::support::wait::until;

const SOON: Duration = Duration::from_mins(1);
const LEVEL_1: &str = "kubectl-kubecoin/level-1";

/// What there is of Level 1.
fn level_1(namespace: &str) -> String {
    ok(&format!("get deployments,replicasets,pods,services -l {LEVEL_1} -n {namespace} -o name"))
}

/// Neither objects of Level 1 nor rows nor a Lease. What a Deployment has made goes a moment after it: a server that is
/// stopped while it starts takes all of its minute of grace.
fn nothing_is_left(namespace: &str) {
    assert_eq!(ok(&format!("get deployments,services -l {LEVEL_1} -n {namespace} -o name")), "");
    until("nothing of Level 1 is left", SOON * 2, || match level_1(namespace) {
        left if left.is_empty() => Ok(()),
        left => Err(left),
    });
    assert_eq!(ok(&format!("get lease -n {namespace} -o name")), "");
    assert_eq!(sql(namespace, "SELECT count(*) FROM wallets WHERE id LIKE 'kubecoin-%';"), "0");
}

/// A line of the table: both levels.
fn line(ran: &Ran, what: &str) -> [String; 2] {
    let mut lines = ran.stdout.lines().filter_map(|line| line.strip_prefix(what));
    let cells = lines.find(|rest| rest.starts_with("  ")).unwrap_or_else(|| panic!("no {what} in\n{}", ran.stdout));
    let mut cells = cells.split("   ").map(str::trim).filter(|cell| !cell.is_empty());
    [(); 2].map(|()| cells.next().unwrap_or_else(|| panic!("{what} in\n{}", ran.stdout)).to_owned())
}

/// How many acts there are before those of Level 1.
fn acts_without(namespace: &str) -> usize {
    let plain = ends(namespace, "persistence-demo --yes --rows 5 --show-commands", 0);
    plain.stderr.lines().filter(|line| is_change(line)).count()
}

fn report(namespace: &str) -> PathBuf {
    std::env::temp_dir().join(format!("{namespace}-{}.json", std::process::id()))
}

#[test]
fn what_goes_without_a_volume_stays_with_one() {
    let scene = deployed("kc-contrast-holds");
    let namespace = scene.namespace();
    sql(namespace, "INSERT INTO wallets(id) VALUES ('anna');");
    let file = report(namespace);
    let ran = ends(namespace, &format!("persistence-demo --yes --rows 20 --contrast --report {}", file.display()), 0);
    let name = "postgres-level-1-";
    let [before, after] = ["pod before", "pod after"].map(|what| line(&ran, what));
    assert!(before[0].starts_with(name) && after[0].starts_with(name) && before[0] != after[0], "{}", ran.stdout);
    assert_eq!([&before[1], &after[1]], ["postgres-0"; 2]);
    assert_eq!(line(&ran, "kind"), ["Deployment", "StatefulSet"]);
    let [virtual_address, headless] = line(&ran, "Service");
    assert!(virtual_address.starts_with("ClusterIP 1") && headless == "headless (clusterIP None)", "{}", ran.stdout);
    let storage = ["the pod's own (emptyDir)".to_owned(), format!("postgres-pvc → postgres-pv-{namespace}")];
    assert_eq!(line(&ran, "storage"), storage);
    assert_eq!(line(&ran, "rows before"), ["20", "20"]);
    assert_eq!(line(&ran, "rows after"), ["0", "20"]);
    assert_eq!(line(&ran, "data"), ["lost", "there"]);
    for time in line(&ran, "downtime") {
        let seconds: f64 = time.strip_suffix(" s").unwrap().parse().unwrap();
        assert!(seconds > 0.1 && seconds < 60.0, "{time}");
    }
    for words in ["verdict: holds — your 1 wallet is unchanged", "contrast: holds — without a volume, all 20 rows"]
    {
        assert!(ran.stdout.contains(words), "no {words:?} in\n{}", ran.stdout);
    }
    let last = ran.stdout.lines().last().unwrap_or_default();
    assert!(last.contains("see for yourself"), "{last}");
    nothing_is_left(namespace);

    // The evidence is judged again, and can say no: the same rows in the pod that came after.
    let again = ends(namespace, &format!("verify-report {} --kubeconfig /nonexistent", file.display()), 0);
    assert_eq!((line(&again, "data"), line(&again, "downtime")), (line(&ran, "data"), line(&ran, "downtime")));
    let mut document: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    let rows = document.pointer("/contrast/value/turn/before/data/postgres/rows").unwrap().clone();
    *document.pointer_mut("/contrast/value/turn/after/value/data/postgres/rows").unwrap() = rows;
    std::fs::write(&file, document.to_string()).unwrap();
    let stays = ends(namespace, &format!("verify-report {}", file.display()), 1);
    assert!(stays.stdout.contains("contrast: does not hold — 20 of 20 rows are still there"), "{}", stays.stdout);
    std::fs::remove_file(&file).unwrap();

    let crash = ends(namespace, "persistence-demo --yes --contrast --how crash", 2);
    assert!(crash.stderr.contains("there is no contrast") && crash.stderr.contains("hint: omit"), "{}", crash.stderr);
    let uid = field(namespace, "pod/postgres-0", "/metadata/uid");
    let nobody = ends(namespace, "persistence-demo --yes --open", 2);
    assert!(nobody.stderr.contains("there is no terminal") && nobody.stderr.contains("hint: "), "{}", nobody.stderr);
    assert_eq!(field(namespace, "pod/postgres-0", "/metadata/uid"), uid);
}

/// At the first change of Level 1, in the middle, and at the last one.
#[test]
fn stopped_at_any_act_of_it_nothing_is_left() {
    let scene = deployed("kc-contrast-stopped");
    let namespace = scene.namespace();
    let first = acts_without(namespace) + 1;
    let file = report(namespace);
    let (path, words) =
        (file.display(), format!("persistence-demo --yes --rows 5 --contrast --report {}", file.display()));
    let whole = ends(namespace, &format!("{words} --show-commands"), 0);
    let last = whole.stderr.lines().filter(|line| is_change(line)).count();
    assert!(last >= first + 5, "dry run, two objects, watch, rows and deletion: {first} to {last}");
    let mut cut_short = 0;
    for (act, signal) in
        [(first, Signal::SIGINT), (usize::midpoint(first, last), Signal::SIGTERM), (last, Signal::SIGINT)]
    {
        ends(namespace, "status --wait --no-db --timeout 2m", 0);
        assert_eq!(stopped_at(act, namespace, &words, signal), None, "at change {act}");
        nothing_is_left(namespace);
        // What was proved before is in the report, and what was not shown.
        let judged = run(namespace, &format!("verify-report {path} --kubeconfig /nonexistent"));
        let is_cut_short = judged.stdout.contains("the run was interrupted");
        assert_eq!(judged.code, i32::from(is_cut_short), "{}{}", judged.stdout, judged.stderr);
        says(&judged, "ok", "marked rows");
        std::fs::remove_file(&file).unwrap();
        cut_short += usize::from(is_cut_short);
    }
    // While it deletes what it has made, a run may have shown all.
    assert!(cut_short >= 2, "{cut_short} of 3 runs were cut short");
}

#[test]
fn what_a_killed_run_leaves_is_taken_away_by_the_next_one() {
    let scene = deployed("kc-contrast-killed");
    let namespace = scene.namespace();
    // Of Level 1: its pod on trial, two objects, and then the watch.
    let act = acts_without(namespace) + 4;
    assert_eq!(stopped_at(act, namespace, "persistence-demo --yes --rows 5 --contrast", Signal::SIGKILL), None);
    let left = level_1(namespace);
    assert!(left.contains("deployment.apps/postgres-level-1-") && left.contains("service/"), "{left}");

    // Nobody takes it for a part of the exchange.
    ends(namespace, "status", 0);
    let gone = ends(namespace, "teardown --yes", 0);
    assert!(!format!("{}{}", gone.stdout, gone.stderr).contains("level-1"), "{}{}", gone.stdout, gone.stderr);
    assert!(level_1(namespace).contains("deployment.apps/postgres-level-1-"));
    ends(namespace, "deploy", 0);
    until("the next run", SOON * 2, || {
        let ran = run(namespace, "persistence-demo --yes --rows 5");
        if ran.code == 0 { Ok(()) } else { Err(ran.stderr) }
    });
    nothing_is_left(namespace);
}

const CLASSROOM: &str = "
apiVersion: v1
kind: Namespace
metadata:
  name: kc-contrast-class
  labels: {pod-security.kubernetes.io/enforce: restricted}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: student, namespace: kc-contrast-class}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: student}]
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: small, namespace: kc-contrast-class}
spec:
  hard: {pods: '3', requests.cpu: '1', requests.memory: 1Gi, limits.cpu: '4', limits.memory: 2Gi}
";

#[test]
fn a_student_sees_the_contrast_or_what_keeps_it_away() {
    let scene = Scene::without_namespace("kc-contrast-class");
    let namespace = scene.namespace();
    kubectl::apply(CLASSROOM);
    quota_counts(namespace, "3");
    ends(namespace, "deploy --as student --storage dynamic --service-type ClusterIP --init-db --timeout 4m", 0);
    let refused = ends(namespace, "persistence-demo --yes --as student --rows 5 --contrast", 1);
    assert!(refused.stdout.contains("verdict: holds"), "{}", refused.stdout);
    assert!(refused.stdout.contains("contrast: is not known — Level 1: "), "{}", refused.stdout);
    assert!(refused.stdout.contains("exceeded quota: small"), "{}", refused.stdout);
    assert!(refused.stderr.contains("hint: the verdict does not depend on it"), "{}", refused.stderr);
    assert!(refused.stderr.contains("kubectl describe resourcequota"), "{}", refused.stderr);
    assert!(ends(namespace, "status --as student --no-db", 0).stdout.contains("last proof: holds"));
    nothing_is_left(namespace);

    // Room for one pod more, and no more: the one that takes the place of Level 1's waits until that is gone.
    let room = json!({ "spec": { "hard": { "pods": "4" } } }).to_string();
    let patched = kubectl::command(&["patch", "quota", "small", "-n", namespace, "--type=merge", "-p", &room], "");
    assert!(patched.succeeded, "{}", patched.stderr);
    until("there is room", SOON, || {
        let hard = kubectl::field(&format!("resourcequota/small -n {namespace}"), "/status/hard/pods");
        if hard == "4" { Ok(()) } else { Err(hard) }
    });
    let shown = ends(namespace, "persistence-demo --yes --as student --rows 5 --contrast", 0);
    assert_eq!(line(&shown, "data"), ["lost", "there"]);
    nothing_is_left(namespace);
}

/// A run in a terminal, up to the question.
fn asked(namespace: &str) -> (PtySession, String) {
    let given = command(namespace, "persistence-demo --yes --rows 5 --open --color never");
    let mut command = Command::new(given.get_program());
    command.args(given.get_args()).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("BROWSER");
    let mut session = spawn_command(command, Some(120_000)).unwrap();
    session.exp_string("the page is at ").unwrap();
    let address = session.exp_string(" until this command ends").unwrap();
    session.exp_string("press Enter").unwrap();
    (session, address.trim().to_owned())
}

fn ended(session: &mut PtySession) -> (i32, String) {
    let shown = session.exp_eof().unwrap();
    match session.process().wait().unwrap() {
        WaitStatus::Exited(_, code) => (code, shown),
        other => panic!("{other:?}: {shown}"),
    }
}

#[test]
fn the_page_is_open_and_nothing_is_taken_away_before_enter() {
    let scene = deployed("kc-contrast-open");
    let namespace = scene.namespace();
    let uid = || field(namespace, "pod/postgres-0", "/metadata/uid");
    let before = uid();
    let (mut session, address) = asked(namespace);
    assert!(get(&address).unwrap().contains("<div id=\"root\">"), "{address}");
    assert_eq!(uid(), before);
    session.send_line("").unwrap();
    session.exp_string("query answered").unwrap();
    // While it is deleted, and after, the page is still there.
    assert!(get(&address).unwrap().contains("<div id=\"root\">"));
    let (code, shown) = ended(&mut session);
    assert!(code == 0 && shown.contains("verdict: holds"), "{code}: {shown}");
    assert_ne!(uid(), before);
    nothing_is_left(namespace);

    let before = uid();
    for stop in ['c', 'd'] {
        let (mut session, _) = asked(namespace);
        session.send_control(stop).unwrap();
        let (code, shown) = ended(&mut session);
        assert_eq!(code, if stop == 'c' { 130 } else { 2 }, "{shown}");
        assert_eq!(uid(), before, "{shown}");
        nothing_is_left(namespace);
    }
    ok(&format!("scale deployment/frontend --replicas=0 -n {namespace}"));
    until("there is no page", SOON, || match ok(&format!("get pods -l app=frontend -n {namespace} -o name")) {
        pods if pods.is_empty() => Ok(()),
        pods => Err(pods),
    });
    let given = command(namespace, "persistence-demo --yes --open");
    let mut command = Command::new(given.get_program());
    command.args(given.get_args());
    let (code, shown) = ended(&mut spawn_command(command, Some(60_000)).unwrap());
    assert!(code == 2 && shown.contains("no frontend pod is ready"), "{code}: {shown}");
}
