//! The lesson by hand: nothing but kubectl and the manifests, each command as the lesson has it, and what it promises.

mod guards;
mod load;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::support::exchange::Exchange;
use crate::support::kubectl::{self, field, in_terminal, ok};
use crate::support::plugin;
use crate::support::scene::Scene;
use crate::support::wait::until;

const MANIFESTS: &str = "k8s/level-2-volumes/";

const CREATE_TABLE: &str = r#"kubectl exec -it postgres-0 -- psql -U postgres -d kubecoin -c "CREATE TABLE IF NOT EXISTS wallets (id VARCHAR(255) PRIMARY KEY, balance DECIMAL(15,2) DEFAULT 1000.00, coins DECIMAL(15,2) DEFAULT 0.00, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP); CREATE INDEX IF NOT EXISTS idx_wallets_id ON wallets(id);""#;

/// As long as a first start of everything may take.
const START: Duration = Duration::from_mins(2);

/// What a person waits for a single command.
const SOON: Duration = Duration::from_mins(1);

/// Applies the manifests, waits until all is ready, and makes the table.
fn exchange() -> Exchange {
    ok(&format!("apply -f {MANIFESTS}"));
    ready();
    let (succeeded, shown) = in_terminal(CREATE_TABLE, SOON);
    assert!(succeeded, "{shown}");
    reachable()
}

/// Waits until every workload is ready.
fn ready() {
    for workload in ["statefulset/postgres", "deployment/backend", "deployment/frontend"] {
        ok(&format!("rollout status {workload} --timeout {}s", START.as_secs()));
    }
}

/// The exchange, once it answers from outside.
fn reachable() -> Exchange {
    let exchange = Exchange::at_node_port();
    until("the exchange answers", SOON, || exchange.put_wallet("first"));
    exchange
}

/// The ids of all wallets, asked in the pod.
fn wallets(pod: &str) -> Result<BTreeSet<String>, String> {
    let ended = kubectl::sql(pod, "SELECT id FROM wallets;");
    if ended.succeeded { Ok(ended.stdout.lines().map(str::to_owned).collect()) } else { Err(ended.stderr) }
}

fn claim_and_volume_are_bound_to_each_other() {
    for object in ["pv/postgres-pv", "pvc/postgres-pvc"] {
        assert_eq!(field(object, "/status/phase"), "Bound", "{object}");
    }
    assert_eq!(field("pvc/postgres-pvc", "/spec/volumeName"), "postgres-pv");
    assert_eq!(field("pv/postgres-pv", "/spec/claimRef/uid"), field("pvc/postgres-pvc", "/metadata/uid"));
}

/// The lesson's way to ask DNS. busybox exits 1 although all is well, so only the answer counts.
fn resolves_to_the_pod(name: &str) {
    let address = field("pod/postgres-0", "/status/podIP");
    assert!(!address.is_empty());
    until(&format!("{name} resolves to {address}"), SOON, || {
        let line = format!("kubectl run -it --rm debug --image=busybox --restart=Never -- nslookup {name}");
        let (_, shown) = in_terminal(&line, SOON);
        let answered = shown.lines().any(|line| line.trim_end().ends_with(&format!("Address: {address}")));
        if answered { Ok(()) } else { Err(shown) }
    });
}

#[test]
fn the_lesson_as_it_stands() {
    let _scene = Scene::empty_cluster();
    let applied = ok(&format!("apply -f {MANIFESTS}"));
    assert_eq!(applied.lines().filter(|line| line.ends_with(" created")).count(), 9, "{applied}");

    // The set, its pod with the stable name, the volume and the claim.
    assert!(ok("get statefulset").contains("postgres "));
    until("the set has made its pod", SOON, || {
        let pods = ok("get pods -l app=postgres");
        if pods.contains("postgres-0 ") { Ok(()) } else { Err(pods) }
    });
    assert!(ok("get pv").contains("postgres-pv "));
    assert!(ok("get pvc").contains("postgres-pvc "));
    ok("wait --for=condition=ready pod -l app=postgres --timeout=60s");
    claim_and_volume_are_bound_to_each_other();

    let (succeeded, shown) = in_terminal(CREATE_TABLE, SOON);
    assert!(succeeded && shown.contains("CREATE TABLE") && shown.contains("CREATE INDEX"), "{shown}");

    let described = ok("describe statefulset postgres");
    for line in ["postgres-headless", "postgres-pvc", "1 Running"] {
        assert!(described.contains(line), "no {line} in\n{described}");
    }

    resolves_to_the_pod("postgres-headless");
    resolves_to_the_pod("postgres-0.postgres-headless.default.svc.cluster.local");

    let (succeeded, shown) =
        in_terminal(r#"kubectl exec -it postgres-0 -- psql -U postgres -d kubecoin -c "\dt""#, SOON);
    assert!(succeeded && shown.contains("wallets"), "{shown}");

    // A wallet, made and traded with on the page's address.
    ready();
    let exchange = reachable();
    let page = exchange.page().expect("the page");
    assert!(page.contains(r#"<div id="root">"#), "{page}");
    exchange.put_wallet("anna").expect("a wallet");
    exchange.buy("anna", "2.50").expect("a trade");
    let before = exchange.wallet("anna").expect("the wallet");
    assert_eq!(before["coins"], "2.50");

    // The pod is deleted, and what comes back has its name, its claim and its rows.
    let uid = field("pod/postgres-0", "/metadata/uid");
    ok("delete pod postgres-0");
    let mut watch = rexpect::spawn("kubectl get pods -w", Some(60_000)).expect("kubectl starts");
    watch.exp_regex(r"postgres-0 +1/1 +Running").expect("postgres-0 is back");
    watch.send_control('c').expect("the watch is ended");
    watch.exp_eof().expect("the watch ends");

    assert_ne!(field("pod/postgres-0", "/metadata/uid"), uid);
    claim_and_volume_are_bound_to_each_other();
    let select = r#"kubectl exec -it postgres-0 -- psql -U postgres -d kubecoin -c "SELECT * FROM wallets;""#;
    let (succeeded, shown) = in_terminal(select, SOON);
    assert!(succeeded && shown.contains("anna"), "{shown}");
    assert_eq!(until("the wallet is there again", SOON, || exchange.wallet("anna")), before);
    resolves_to_the_pod("postgres-headless");
}

#[test]
fn a_default_storage_class_does_not_take_the_claim() {
    let _scene = Scene::empty_cluster();
    kubectl::apply(
        "{apiVersion: storage.k8s.io/v1, kind: StorageClass, provisioner: example.com/none, \
         metadata: {name: tempting, annotations: {storageclass.kubernetes.io/is-default-class: 'true'}}}",
    );
    ok(&format!("apply -f {MANIFESTS}"));
    ready();
    claim_and_volume_are_bound_to_each_other();
    ok("delete storageclass tempting");
}

#[test]
fn a_second_apply_changes_nothing() {
    let _scene = Scene::empty_cluster();
    exchange();
    let again = ok(&format!("apply -f {MANIFESTS}"));
    assert_eq!(again.lines().filter(|line| line.ends_with(" unchanged")).count(), 9, "{again}");
}

#[test]
fn the_server_knows_every_field() {
    let _scene = Scene::empty_cluster();
    let mut files = 0;
    for entry in Path::new(MANIFESTS).read_dir().expect("the folder") {
        let file = entry.expect("an entry").path();
        ok(&format!("apply --dry-run=server --validate=strict -f {}", file.display()));
        files += 1;
    }
    assert_eq!(files, 9);

    let service = std::fs::read_to_string(Path::new(MANIFESTS).join("backend-service.yaml")).expect("a manifest");
    let misspelt = service.replace("selector:", "selektor:");
    let ended = kubectl::command(&["apply", "--dry-run=server", "--validate=strict", "-f", "-"], &misspelt);
    assert!(!ended.succeeded && ended.stderr.contains("selektor"), "{}", ended.stderr);
}

#[test]
fn the_page_works_in_a_browser() {
    let _scene = Scene::empty_cluster();
    let exchange = exchange();
    let python = std::env::var("KUBECOIN_PYTHON").expect("KUBECOIN_PYTHON is set: run this by `cargo xtask test`");
    let output = Command::new(&python)
        .args(["-m", "pytest", "e2e/test_page.py"])
        .current_dir("app/tests")
        .env("KUBECOIN_PAGE_URL", exchange.url())
        .output()
        .expect("pytest starts");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && shown.contains(" passed"), "{shown}");
    opened_at_a_wallet(&exchange, &python);
}

/// What the lesson does with `minikube service`: the plugin's `open` has a browser go to a wallet.
fn opened_at_a_wallet(exchange: &Exchange, python: &str) {
    exchange.put_wallet("berta").expect("a wallet");
    exchange.buy("berta", "1.25").expect("a trade");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("seen.json");
    let browser = format!("env PYTHONPATH=app/tests {python} app/tests/e2e/visit.py {}", file.display());
    let mut open = plugin::command("default", "open --wallet berta");
    let mut opened = open.env("BROWSER", browser).stdout(Stdio::piped()).spawn().expect("the plugin starts");
    let mut address = String::new();
    BufReader::new(opened.stdout.take().expect("piped")).read_line(&mut address).expect("an address");
    let seen = until("the browser sees the wallet", SOON, || fs::read_to_string(&file).map_err(|it| it.to_string()));
    kill(Pid::from_raw(opened.id().try_into().expect("a process id")), Signal::SIGINT).expect("it runs");
    assert_eq!(opened.wait().expect("it ends").code(), Some(130));
    let seen: Value = serde_json::from_str(&seen).expect("JSON");
    assert_eq!(seen["url"], address.trim_end());
    assert_eq!(seen["coins"], "1.25", "{seen}");
    assert!(seen["text"].as_str().is_some_and(|text| text.contains("berta")), "{seen}");
}
