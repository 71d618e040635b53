//! A replicated database: its primary is deleted, and another member goes on with every row. And who may deploy one.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::support::class::enrolled;
use crate::support::exchange::Exchange;
use crate::support::kubectl::{self, ok};
use crate::support::plugin::{Ran, command, ends, run};
use crate::support::scene::Scene;
use crate::support::wait::until;

/// Longer than the claim of a primary lasts, and a member takes to come back.
const PATIENCE: Duration = Duration::from_secs(90);

/// Runs the plugin with words that may have spaces.
fn with(namespace: &str, words: &[&str]) -> Ran {
    command(namespace, "").args(words).output().expect("the plugin starts").into()
}

fn status(namespace: &str) -> Value {
    serde_json::from_str(&run(namespace, "status -o json").stdout).unwrap_or_default()
}

/// The members by their roles, as `status` has them.
fn members(status: &Value, role: &str) -> Vec<String> {
    let all = status["members"].as_array().cloned().unwrap_or_default();
    let of_role = all.iter().filter(|member| member["replication"]["role"] == role);
    of_role.filter_map(|member| member["pod"].as_str().map(str::to_owned)).collect()
}

/// Waits until one member takes writes, one has every acknowledged row, and all follow on one timeline. Gives the primary.
fn settled(namespace: &str) -> String {
    until("all members follow", PATIENCE, || {
        let status = status(namespace);
        let [primary] = &members(&status, "primary")[..] else { return Err(format!("{status:#}")) };
        let timelines: Vec<_> = status["members"].as_array().into_iter().flatten().map(timeline).collect();
        let follows = timelines.len() == 3 && timelines.iter().all(|it| it.is_some() && *it == timelines[0]);
        let synchronous = members(&status, "synchronousStandby").len() == 1;
        (status["healthy"] == true && follows && synchronous).then(|| primary.clone()).ok_or(format!("{status:#}"))
    })
}

fn timeline(member: &Value) -> Option<u64> {
    member["replication"]["timeline"].as_u64()
}

#[test]
fn a_new_primary_takes_over_with_every_row() {
    let scene = Scene::without_namespace("kc-plugin-failover");
    let namespace = scene.namespace();
    let deployed = ends(namespace, "deploy --ha --init-db --create-namespace --timeout 4m", 0);
    assert!(deployed.stderr.contains("the exchange works"), "{}", deployed.stderr);
    let first = settled(namespace);
    let exchange = Exchange::of(namespace);
    exchange.put_wallet("anna").unwrap();

    ok(&format!("delete pod {first} -n {namespace} --wait=false"));
    until("another member takes writes", PATIENCE, || {
        let primaries = members(&status(namespace), "primary");
        if primaries.is_empty() || primaries.contains(&first) { Err(format!("{primaries:?}")) } else { Ok(()) }
    });
    until("a wallet is written", PATIENCE, || exchange.put_wallet("ben"));
    exchange.wallet("anna").unwrap();

    let second = settled(namespace);
    assert_ne!(second, first);
    let again = status(namespace);
    assert!(again["members"].as_array().unwrap().iter().all(|member| timeline(member) >= Some(2)), "{again:#}");
    // The former primary has its own claim again, and what was written after it.
    until("the former primary follows", PATIENCE, || {
        let ran = with(namespace, &["psql", "--member", &first, "-c", "SELECT id FROM wallets"]);
        if ran.stdout.contains("(2 rows)") { Ok(()) } else { Err(format!("{}{}", ran.stdout, ran.stderr)) }
    });
    let owner = ends(namespace, "psql -c \\dt", 0);
    assert!(owner.stdout.contains("| kubecoin"), "the superuser owns nothing: {}", owner.stdout);

    // The same again changes nothing, and the other kind is refused.
    let same = ends(namespace, "deploy --ha", 0);
    for line in same.stdout.lines() {
        assert!(line.ends_with(" unchanged"), "{}", same.stdout);
    }
    for (words, says) in [
        ("deploy", "there is a replicated database, which cannot be changed to one server"),
        ("deploy --ha --replicas 5 --storage static", "which cannot be changed to static (--storage)"),
        ("deploy --ha --volume-size 2Gi", "cannot be changed to 2Gi"),
        ("lesson 2 --yes", "this works with one server only"),
        ("exercise start 2 --yes", "this works with one server only"),
        ("persistence-demo --contrast --yes", "Level 1 is compared with one server"),
    ] {
        let refused = ends(namespace, words, 2);
        assert!(refused.stderr.contains(says), "{words}: {}", refused.stderr);
    }
    let one_server = ends(namespace, "manifests", 2);
    assert!(one_server.stderr.contains("deploy --ha"), "{}", one_server.stderr);

    // The checks that any StatefulSet has: each member comes back with its name and its claim.
    let proof = with(namespace, &["persistence-demo", "--target", "statefulset/postgres", "--yes", "--read", READ]);
    assert!(proof.code == 0 && proof.stdout.contains("verdict: holds"), "{}{}", proof.stdout, proof.stderr);
    each_way_is_proved(namespace);

    let before = settled(namespace);
    let switched = ends(namespace, "switchover", 0);
    assert!(switched.stdout.contains(&format!("instead of pod/{before}")), "{}", switched.stdout);
    let third = settled(namespace);
    assert_ne!(third, before);
    let status = status(namespace);
    let replica = members(&status, "replica").remove(0);
    for (to, says) in [
        (third.as_str(), "is the primary already"),
        ("postgres-9", "is no member of the database"),
        (replica.as_str(), "only a member that has every acknowledged row can"),
    ] {
        let refused = ends(namespace, &format!("switchover --to {to}"), 2);
        assert!(refused.stderr.contains(says), "{to}: {}", refused.stderr);
    }

    let rotated = ends(namespace, "rotate-password --new", 0);
    assert!(rotated.stdout.contains("PostgreSQL now has the password"), "{}", rotated.stdout);
    settled(namespace);
    // The backend that ends may still answer, with the old password.
    until("a wallet is written", PATIENCE, || exchange.put_wallet("carl"));

    // Without the others, the primary works on alone, and that is said.
    ok(&format!("scale statefulset/postgres --replicas=0 -n {namespace}"));
    let stopped = until("no member runs", PATIENCE, || {
        let ran = run(namespace, "doctor");
        if ran.stdout.contains("KC040") { Ok(ran) } else { Err(ran.stdout) }
    });
    assert!(stopped.stdout.contains("--replicas=3"), "{}", stopped.stdout);
    ok(&format!("scale statefulset/postgres --replicas=3 -n {namespace}"));
    settled(namespace);
    exchange.wallet("carl").unwrap();
}

/// The primary is stopped each way while rows are written, and the report is judged again.
fn each_way_is_proved(namespace: &str) {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("proof.json").display().to_string();
    for how in ["delete", "crash", "kill", "evict", "force"] {
        let words = ["persistence-demo", "--under-load", "--yes", "--how", how, "--report", &report];
        let proof = with(namespace, &words);
        let said = format!("--how {how}: {}{}", proof.stdout, proof.stderr);
        assert!(proof.code == 0 && !proof.stderr.contains("warning:"), "{said}");
        for words in ["verdict: holds — pod/postgres-", "ok  rows under load", "not shown: "] {
            assert!(proof.stdout.contains(words), "no {words:?} in {said}");
        }
        let recorded: Value = serde_json::from_str(&std::fs::read_to_string(&report).unwrap()).unwrap();
        let turn = &recorded["evidence"]["turns"][0];
        let (stopped, primary) = (&turn["before"]["pod"]["name"], &turn["takeover"]["value"]["pod"]);
        let is_promoted = proof.stdout.contains("  new primary      pod/postgres-");
        assert!(
            primary.is_string() && (stopped == primary || is_promoted && proof.stdout.contains("ok  member follows")),
            "{said}"
        );
        assert!(stopped == primary || how != "crash", "Patroni starts the server again in its container: {said}");
        let again = with(namespace, &["verify-report", &report]);
        assert!(again.code == 0 && again.stdout.contains("holds"), "{}{}", again.stdout, again.stderr);
    }
    let rows = with(namespace, &["psql", "-c", "SELECT id FROM wallets"]);
    assert!(rows.stdout.contains("(2 rows)"), "marked rows are left: {}", rows.stdout);
}

/// Each member reads the same.
const READ: &str = "psql -U kubecoin -d kubecoin -Atc 'SELECT id, balance FROM wallets ORDER BY id'";

/// The folder as it stands, but for the namespace in it.
#[test]
fn the_manifests_work_by_hand() {
    let scene = Scene::without_namespace("kc-plugin-replicated");
    let namespace = scene.namespace();
    ok(&format!("create namespace {namespace}"));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("k8s/level-2-replicated");
    for file in folder.read_dir().unwrap() {
        let yaml = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let yaml = yaml.replace("namespace: default", &format!("namespace: {namespace}"));
        kubectl::command(&["apply", "-n", namespace, "-f", "-"], &yaml);
    }
    ok(&format!("rollout status statefulset/postgres -n {namespace} --timeout=180s"));
    ends(namespace, "init-db", 0);
    settled(namespace);
    Exchange::at_node_port_of(namespace).put_wallet("anna").unwrap();
    let adopted = ends(namespace, "deploy --ha --timeout 4m", 0);
    assert!(adopted.stdout.contains("secret/postgres-members unchanged"), "{}", adopted.stdout);
    assert!(adopted.stdout.contains("statefulset.apps/postgres adopted"), "{}", adopted.stdout);
}

#[test]
fn a_student_deploys_members_whose_rights_a_teacher_gave() {
    let scene = Scene::without_namespace("kc-plugin-members");
    let namespace = scene.namespace();
    let student = enrolled(namespace);
    let refused = ends(namespace, &format!("deploy --ha --as {student}"), 2);
    for words in ["role.rbac.authorization.k8s.io/postgres", "ask a cluster administrator to create them"] {
        assert!(refused.stderr.contains(words), "{}", refused.stderr);
    }
    assert_eq!(ok(&format!("get statefulsets,configmaps,secrets -n {namespace} -l app=postgres -o name")), "");

    let folder = tempfile::tempdir().unwrap();
    ends(namespace, &format!("manifests --ha --output-directory {}", folder.path().display()), 0);
    let with_secrets = ends(namespace, "manifests --ha --include-secrets", 0);
    for words in ["name: postgres-members", "username: a3ViZWNvaW4="] {
        assert!(with_secrets.stdout.contains(words), "{}", with_secrets.stdout);
    }
    let file = |name: &str| folder.path().join(format!("postgres-{name}.yaml")).display().to_string();
    let [account, role, binding] = ["serviceaccount", "role", "rolebinding"].map(file);
    ok(&format!("apply -f {account} -f {role} -f {binding}"));
    let deployed = ends(namespace, &format!("deploy --ha --init-db --timeout 4m --as {student}"), 0);
    assert!(deployed.stdout.contains("role.rbac.authorization.k8s.io/postgres unchanged"), "{}", deployed.stdout);
    assert!(deployed.stderr.contains("the exchange works"), "{}", deployed.stderr);
    let security =
        kubectl::field(&format!("namespace/{namespace}"), "/metadata/labels/pod-security.kubernetes.io~1enforce");
    assert_eq!(security, "restricted", "all pods meet it");

    // Without their rights, the members cannot agree who the primary is.
    ok(&format!("delete -f {binding}"));
    let found = until("doctor names it", 2 * PATIENCE, || {
        let ran = run(namespace, "doctor");
        if ran.stdout.starts_with("KC088 problem") { Ok(ran) } else { Err(ran.stdout) }
    });
    assert_eq!(found.code, 1);
    for words in ["nobody takes writes", "kubectl kubecoin deploy --ha"] {
        assert!(found.stdout.contains(words), "no {words:?} in {}", found.stdout);
    }
    ok(&format!("apply -f {binding}"));
    settled(namespace);
}
