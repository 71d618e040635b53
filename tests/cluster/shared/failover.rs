//! A replicated database: its primary is deleted, and another member goes on with every row. And who may deploy one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::Value;

use crate::support::class::enrolled;
use crate::support::exchange::Exchange;
use crate::support::kubectl::{self, ok};
use crate::support::plugin::{Ran, command, ends, run, stopped_at};
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

    passwords_are_rotated_and_rows_stay(namespace, &exchange);
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

/// Writes wallets until told to stop. Gives those that were acknowledged, and the longest time without one: from when on, and for how
/// long.
fn write(exchange: &Exchange, stop: &AtomicBool) -> (Vec<String>, (Duration, Duration)) {
    let (mut acknowledged, mut longest) = (Vec::new(), (Duration::ZERO, Duration::ZERO));
    let begin = Instant::now();
    let mut last = begin;
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let id = format!("rotated-{number}");
        if exchange.put_wallet(&id).is_ok() {
            if last.elapsed() > longest.1 {
                longest = (last - begin, last.elapsed());
            }
            acknowledged.push(id);
            last = Instant::now();
        }
    }
    (acknowledged, longest)
}

/// The passwords in a Secret, by their keys.
fn passwords(namespace: &str, secret: &str) -> BTreeMap<String, String> {
    let template = "-o=go-template={{range $key, $value := .data}}{{$key}} {{$value | base64decode}}\n{{end}}";
    let read = kubectl::command(&["get", "secret", secret, "-n", namespace, template], "");
    assert!(read.succeeded, "{}", read.stderr);
    read.stdout.lines().filter_map(|line| line.split_once(' ')).map(|(key, it)| (key.into(), it.into())).collect()
}

/// The Secret that the set names.
fn used_by_members(namespace: &str) -> String {
    let template = "-o=go-template={{range (index .spec.template.spec.containers 0).env}}{{if eq .name \"PATRONI_SUPERUSER_PASSWORD\"}}{{.valueFrom.secretKeyRef.name}}{{end}}{{end}}";
    kubectl::command(&["get", "statefulset/postgres", "-n", namespace, template], "").stdout
}

/// Logs in over the network. Gives what psql says if it is refused.
fn log_in(namespace: &str, pod: &str, role: &str, password: &str) -> Result<(), String> {
    const LOG_IN: &str =
        r#"read -r PGPASSWORD; export PGPASSWORD; exec psql -X -w -U "$0" -h "$(hostname)" -d postgres -c 'SELECT 1'"#;
    let words = ["exec", "-i", pod, "-c", "postgres", "-n", namespace, "--", "sh", "-c", LOG_IN, role];
    let ended = kubectl::command(&words, &format!("{password}\n"));
    if ended.succeeded { Ok(()) } else { Err(ended.stderr) }
}

/// What reloads the settings of all members through their HTTP ports, with the password that this member has.
fn reload(namespace: &str, pod: &str) -> String {
    let words = "patronictl -c /tmp/patroni reload postgres --force";
    let asked = kubectl::run(&format!("exec {pod} -c postgres -n {namespace} -- {words}"));
    asked.stdout + &asked.stderr
}

/// While rows are written, all passwords are changed. The run is stopped twice, with some of PostgreSQL's passwords changed and with some
/// of the members restarted, and the next one goes on.
fn passwords_are_rotated_and_rows_stay(namespace: &str, exchange: &Exchange) {
    settled(namespace);
    let before = passwords(namespace, "postgres-members");
    let stop = AtomicBool::new(false);
    let (finished, (acknowledged, (after, longest))) = thread::scope(|scope| {
        let writing = scope.spawn(|| write(exchange, &stop));
        // The exchange is done by then, and of the members' roles at most two.
        assert_eq!(stopped_at(7, namespace, "rotate-password --new", Signal::SIGKILL), None);
        assert_eq!(used_by_members(namespace), "postgres-members");
        // One member is restarted by then, or two.
        assert_eq!(stopped_at(6, namespace, "rotate-password", Signal::SIGINT), None);
        let finished = ends(namespace, "rotate-password", 0);
        stop.store(true, Ordering::Relaxed);
        (finished, writing.join().expect("it ends"))
    });
    let said = format!("{}{}", finished.stderr, finished.stdout);
    assert!(
        said.contains("is the primary now, instead of") && said.contains("secret/postgres-members deleted"),
        "{said}"
    );
    println!("{} rows acknowledged; {after:?} after the begin, none for {longest:?}", acknowledged.len());
    assert!(acknowledged.len() > 10 && longest < PATIENCE, "{} rows, none for {longest:?}", acknowledged.len());
    let primary = settled(namespace);
    let read = with(namespace, &["psql", "-c", "SELECT id FROM wallets WHERE id LIKE 'rotated-%'", "--", "-A", "-t"]);
    let there: BTreeSet<&str> = read.stdout.lines().collect();
    let lost: Vec<_> = acknowledged.iter().filter(|id| !there.contains(id.as_str())).collect();
    assert!(lost.is_empty(), "{lost:?} of {}", acknowledged.len());

    // Each role has its new password, and no member anything that is not in the new Secret.
    let secret = used_by_members(namespace);
    let after = passwords(namespace, &secret);
    assert_eq!((before.len(), after.len()), (4, 4));
    for (key, role) in [("superuser", "postgres"), ("replication", "replicator"), ("rewind", "rewinder")] {
        let refused = log_in(namespace, &primary, role, &before[key]).unwrap_err();
        assert!(refused.contains("password authentication failed"), "{role}: {refused}");
        assert_eq!(log_in(namespace, &primary, role, &after[key]), Ok(()), "{role}");
    }
    let reloaded = reload(namespace, &primary);
    assert_eq!(reloaded.matches("Reload request received for member").count(), 3, "{reloaded}");
    for pod in ["postgres-0", "postgres-1", "postgres-2"] {
        let log = ok(&format!("logs {pod} -n {namespace}"));
        assert!(after.values().all(|password| !log.contains(password)), "a password is in the log of {pod}");
    }
    let secrets = ok(&format!("get secrets -n {namespace} -l app=postgres -o name"));
    let rotation = secret.trim_start_matches("postgres-members-");
    let all =
        ["postgres-credentials", &format!("postgres-credentials-{rotation}"), &secret].map(|it| format!("secret/{it}"));
    assert_eq!(secrets.lines().collect::<Vec<_>>(), all);

    // It stays so, and restarts nobody.
    let pods = || ok(&format!("get pods -l app=postgres -n {namespace} -o jsonpath={{.items[*].metadata.uid}}"));
    let (started, nothing) = (pods(), ends(namespace, "rotate-password", 0));
    assert!(!nothing.stdout.contains("ALTER ROLE") && !nothing.stdout.contains("deleted"), "{}", nothing.stdout);
    ends(namespace, "deploy --ha", 0);
    let again = ends(namespace, "deploy --ha", 0);
    assert!(again.stdout.lines().all(|line| line.ends_with(" unchanged")), "{}", again.stdout);
    assert_eq!((pods(), used_by_members(namespace)), (started, secret.clone()));
    assert!(ends(namespace, "doctor", 0).stdout.contains("nothing is wrong"));
    let yaml = ends(namespace, "manifests --ha --include-secrets", 0).stdout;
    assert_eq!((yaml.matches(&secret).count(), yaml.matches("name: postgres-members\n").count()), (5, 0), "{yaml}");
    drifted_passwords_are_repaired(namespace, &primary, &after["rewind"]);
}

/// Without --new, PostgreSQL gets what the Secret says, and nobody restarts.
fn drifted_passwords_are_repaired(namespace: &str, primary: &str, password: &str) {
    let drift = ["psql", "-c", "ALTER ROLE rewinder PASSWORD 'drifted'", "--", "-U", "postgres"];
    assert_eq!(with(namespace, &drift).code, 0);
    assert!(log_in(namespace, primary, "rewinder", password).is_err());
    let repaired = ends(namespace, "rotate-password", 0);
    assert!(
        repaired.stdout.contains("for rewinder (ALTER ROLE)") && !repaired.stdout.contains("deleted"),
        "{}",
        repaired.stdout
    );
    assert_eq!(log_in(namespace, primary, "rewinder", password), Ok(()));
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
