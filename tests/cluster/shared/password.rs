//! `rotate-password`, and what keeps the Secret in use: `deploy`, `status` and `manifests`.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::support::deployed::{deployed, field, sql};
use crate::support::exchange::Exchange;
use crate::support::kubectl::{self, ok};
use crate::support::plugin::{Ran, command, ends, stopped_at};
use crate::support::scene::Scene;
use crate::support::wait::until;

const SOON: Duration = Duration::from_mins(1);

/// For how long nginx waits for the backend's answer.
const ONE_REQUEST: Duration = Duration::from_secs(5);

/// The Secret that the backend uses.
fn used(namespace: &str) -> String {
    field(namespace, "deployment/backend", "/spec/template/spec/containers/0/env/4/valueFrom/secretKeyRef/name")
}

fn secrets(namespace: &str) -> usize {
    ok(&format!("get secrets -n {namespace} -o name")).lines().count()
}

/// Buys coins until told to stop, each time for a new wallet: one alone has soon spent all it has. Gives for how long that
/// failed at most.
fn trade(exchange: &Exchange, stop: &AtomicBool) -> Duration {
    let (mut last, mut longest) = (Instant::now(), Duration::ZERO);
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let id = format!("anna-{number}");
        if exchange.put_wallet(&id).and_then(|_| exchange.buy(&id, "0.01")).is_ok() {
            longest = longest.max(last.elapsed());
            last = Instant::now();
        }
    }
    longest.max(last.elapsed())
}

/// Rotates. Gives how it ended, and how long the backend's rollout took.
fn rotated(namespace: &str) -> (Ran, Duration) {
    let said = tempfile::NamedTempFile::new().expect("a file");
    let mut rotation = command(namespace, "rotate-password --new --show-commands -v=9")
        .stdout(Stdio::piped())
        .stderr(said.reopen().expect("a file"))
        .spawn()
        .expect("the plugin starts");
    let (mut stdout, mut begin) = (String::new(), None);
    for line in BufReader::new(rotation.stdout.take().expect("piped")).lines() {
        stdout += &(line.expect("text") + "\n");
        if begin.is_none() && stdout.contains("deployment.apps/backend uses secret/") {
            begin = Some(Instant::now());
        }
    }
    let code = rotation.wait().expect("it ends").code().unwrap_or(-1);
    let took = begin.map_or(Duration::ZERO, |begin| begin.elapsed());
    let stderr = fs::read_to_string(said.path()).expect("text");
    assert_eq!(code, 0, "{stderr}{stdout}");
    (Ran { code, stdout, stderr }, took)
}

/// Stops a rotation at its first change, and then each time where the one before was stopped and one change later, until
/// there is nothing left to stop.
fn stop_rotation(namespace: &str, signal: Signal) {
    let stopped = |act, words| stopped_at(act, namespace, words, signal).is_none();
    assert!(stopped(1, "rotate-password --new"));
    assert!(stopped(2, "rotate-password --new"));
    let more = (0..10).take_while(|_| stopped(2, "rotate-password")).count();
    // How often depends on how much is done before a signal arrives: perhaps all of it.
    assert!(more < 10, "it is never finished");
}

#[test]
fn the_password_is_repaired_and_rotated_and_stays_so() {
    let scene = deployed("kc-plugin-rotate");
    let namespace = scene.namespace();
    let pod = field(namespace, "pod/postgres-0", "/metadata/uid");
    sql(namespace, "ALTER ROLE postgres PASSWORD 'drifted';");
    let drifted = ends(namespace, "status", 1);
    assert!(drifted.stdout.contains("has a password that PostgreSQL rejects"), "{}", drifted.stdout);
    ends(namespace, "rotate-password", 0);
    ends(namespace, "status", 0);
    let nothing = ends(namespace, "rotate-password", 0);
    assert!(!nothing.stdout.contains("ALTER ROLE"), "{}", nothing.stdout);

    sql(namespace, "ALTER SYSTEM SET log_statement = 'all';\nSELECT pg_reload_conf();");
    let (exchange, stop) = (Exchange::at_node_port_of(namespace), AtomicBool::new(false));
    let (longest, rotated, took) = thread::scope(|scope| {
        let failing = scope.spawn(|| trade(&exchange, &stop));
        let (rotated, took) = rotated(namespace);
        stop.store(true, Ordering::Relaxed);
        (failing.join().expect("it ends"), rotated, took)
    });
    // Trades that work meet nothing but the rollout: at most all of it, a request that hangs at its end, and the next trade.
    assert!(longest <= took + 2 * ONE_REQUEST, "trades failed for {longest:?}, the rollout took {took:?}");
    let secret = used(namespace);
    assert!(secret.starts_with("postgres-credentials-"), "{secret}");
    let password =
        ok(&format!("get secret {secret} -n {namespace} -o go-template={{{{.data.password|base64decode}}}}"));
    let log = ok(&format!("logs postgres-0 -n {namespace}"));
    assert!(log.contains("ALTER ROLE") && log.contains("SCRAM-SHA-256"), "{log}");
    for text in [&log, &rotated.stdout, &rotated.stderr] {
        assert!(!text.contains(&password), "the password is in {text}");
    }
    until("the backend logs in anew", SOON, || exchange.put_wallet("berta"));

    // Stopped at each of its changes, a repair and another rotation are finished.
    sql(namespace, "ALTER ROLE postgres PASSWORD 'drifted';");
    assert_eq!(stopped_at(1, namespace, "rotate-password", Signal::SIGINT), None);
    ends(namespace, "rotate-password", 0);
    ends(namespace, "status", 0);
    let mut newest = secret;
    for signal in [Signal::SIGINT, Signal::SIGKILL] {
        let before = newest;
        stop_rotation(namespace, signal);
        newest = used(namespace);
        assert_ne!(newest, before);
        assert_eq!(secrets(namespace), 2, "the first one, and the one in use");
    }

    // Nothing points the backend back, and the database was never restarted.
    ends(namespace, "deploy", 0);
    let again = ends(namespace, "deploy", 0);
    assert!(again.stdout.lines().all(|line| line.ends_with(" unchanged")), "{}", again.stdout);
    assert!(!again.stderr.contains("ALTER ROLE"), "{}", again.stderr);
    assert_eq!((used(namespace), field(namespace, "pod/postgres-0", "/metadata/uid")), (newest.clone(), pod));
    sql(namespace, "ALTER ROLE postgres PASSWORD 'drifted';");
    let repaired = ends(namespace, "deploy", 0);
    assert!(repaired.stderr.contains(&newest), "{}", repaired.stderr);
    same_objects(namespace, &newest);

    ends(namespace, "teardown --yes", 0);
    ends(namespace, "deploy --timeout 3m", 0);
    assert_eq!(used(namespace), newest);
    ends(namespace, "status --wait --timeout 1m", 0);
}

/// What `manifests` writes is what runs: kubectl finds nothing to change.
fn same_objects(namespace: &str, secret: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().display();
    ends(namespace, &format!("manifests --from-cluster --include-secrets --output-directory {path}"), 0);
    let differences = kubectl::run(&format!("diff -f {path}"));
    assert!(differences.succeeded, "{}{}", differences.stdout, differences.stderr);
    let backend = std::fs::read_to_string(folder.path().join("backend-deployment.yaml")).expect("a file for it");
    assert_eq!(backend.matches(secret).count(), 2, "{backend}");

    // And elsewhere it makes the same, which `deploy` has nothing to add to.
    let elsewhere = Scene::without_namespace("kc-plugin-yaml");
    ok(&format!("create namespace {}", elsewhere.namespace()));
    let yaml = ends(elsewhere.namespace(), "manifests --client --include-secrets", 0).stdout;
    let apply = ["apply", "--server-side", "--field-manager", "kubectl-kubecoin", "-f", "-"];
    let applied = kubectl::command(&apply, &yaml);
    assert!(applied.succeeded, "{}", applied.stderr);
    // Else controllers still write what they see into the objects while they are compared.
    ends(elsewhere.namespace(), "status --wait --no-db --timeout 2m", 0);
    let same = ends(elsewhere.namespace(), "deploy --wait=false", 0);
    assert!(same.stdout.lines().all(|line| line.ends_with(" unchanged")), "{}", same.stdout);
    ends(elsewhere.namespace(), "teardown --delete-data --yes", 0);
}
