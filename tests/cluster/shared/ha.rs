//! A replicated database that is taken away: what is kept, that it comes back with every row, and that nothing is left of it when
//! the data goes too.

use std::time::Duration;

use crate::support::deployed::field;
use crate::support::kubectl::{self, Ended, ok};
use crate::support::plugin::{Ran, ends, run};
use crate::support::scene::{Scene, testbed};
use crate::support::wait::until;

/// All members start, and one of them has to be found to be the primary.
const SOON: Duration = Duration::from_mins(3);

/// What belongs to it, of all kinds that it may have something of.
const KINDS: &str =
    "all,pvc,configmaps,secrets,serviceaccounts,roles,rolebindings,poddisruptionbudgets,networkpolicies";

/// Deploys it, and waits until its members are ready. The exchange on it is not looked at.
fn deployed(namespace: &str, storage: &str) -> Ran {
    // Their number is said: where a set has fewer, deploy leaves it as it is.
    let ran = ends(namespace, &format!("deploy --ha --replicas 3 --wait=false {storage}"), 0);
    ready(namespace, 3);
    ran
}

/// Waits until so many members are ready.
fn ready(namespace: &str, members: u32) {
    until("the members are ready", SOON, || {
        let ready = field(namespace, "statefulset/postgres", "/status/readyReplicas");
        if ready == members.to_string() { Ok(()) } else { Err(ready) }
    });
}

/// SQL in a member.
fn psql(namespace: &str, member: &str, statement: &str) -> Ended {
    let exec = ["exec", "-i", member, "-c", "postgres", "-n", namespace, "--"];
    let psql = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "kubecoin", "-d", "kubecoin", "-f", "-"];
    kubectl::command(&[&exec[..], &psql[..]].concat(), statement)
}

/// SQL in the primary, once there is one that takes it.
fn sql(namespace: &str, statement: &str) -> String {
    until("the primary answers", SOON, || {
        let asked = psql(namespace, &primary(namespace)?, statement);
        if asked.succeeded { Ok(asked.stdout.trim().to_owned()) } else { Err(asked.stderr) }
    })
}

/// The pod that Patroni has labelled as the primary.
fn primary(namespace: &str) -> Result<String, String> {
    let pods = ok(&format!("get pods -l app=postgres,role=primary -n {namespace} -o name"));
    let name = pods.lines().next().and_then(|pod| pod.strip_prefix("pod/"));
    name.map(str::to_owned).ok_or_else(|| "no primary".to_owned())
}

/// The names of what there is, without what each namespace has.
fn left(namespace: &str) -> Vec<String> {
    let all = ok(&format!("get {KINDS} -n {namespace} -o name"));
    let own = ["configmap/kube-root-ca.crt", "serviceaccount/default"];
    all.lines().filter(|line| !own.contains(line)).map(str::to_owned).collect()
}

/// What is left of it when its data is kept.
const KEPT: [&str; 8] = [
    "persistentvolumeclaim/data-postgres-0",
    "persistentvolumeclaim/data-postgres-1",
    "persistentvolumeclaim/data-postgres-2",
    "configmap/postgres-config",
    "configmap/postgres-leader",
    "configmap/postgres-sync",
    "secret/postgres-credentials",
    "secret/postgres-members",
];

/// The directories of the members, as their volumes have them, each with its node.
fn directories(namespace: &str) -> Vec<(String, String)> {
    let volume = |number: u32| format!("persistentvolume/postgres-{number}-pv-{namespace}");
    let of = |number| {
        let terms = "/spec/nodeAffinity/required/nodeSelectorTerms/0/matchExpressions/0/values/0";
        (kubectl::field(&volume(number), terms), kubectl::field(&volume(number), "/spec/local/path"))
    };
    (0..3).map(of).collect()
}

/// Takes it away with its data: nothing is left.
fn nothing_is_left(namespace: &str) {
    let volumes: Vec<String> = (0..3)
        .map(|number| field(namespace, &format!("pvc/data-postgres-{number}"), "/spec/volumeName"))
        .filter(|volume| !volume.is_empty())
        .collect();
    assert_eq!(volumes.len(), 3, "{volumes:?}");
    let gone = ends(namespace, "teardown --delete-data --yes", 0);
    assert_eq!(gone.stdout.matches("are deleted\n").count(), 3, "the files of each member: {}", gone.stdout);
    assert_eq!(left(namespace), Vec::<String>::new());
    for volume in volumes {
        assert_eq!(kubectl::get(&format!("persistentvolume/{volume}")), None);
    }
    let nothing = ends(namespace, "teardown --delete-data --yes", 0);
    assert_eq!(nothing.stdout, format!("there is no exchange in namespace {namespace}\n"));
}

#[test]
fn members_on_nodes_come_back_with_their_rows_and_go_with_their_data() {
    let scene = Scene::without_namespace("kc-plugin-ha");
    let namespace = scene.namespace();
    // The namespace is there, and the members' ServiceAccount is not.
    ok(&format!("create namespace {namespace}"));
    // It needs no more than a plain user, and no volume that the cluster creates.
    ok(&format!("label namespace {namespace} pod-security.kubernetes.io/enforce=baseline"));
    let first = deployed(namespace, "--storage static");
    assert!(first.stderr.contains(&format!("/data/kubecoin/{namespace}/postgres-0")), "{}", first.stderr);
    let places = directories(namespace);
    for (number, (_, path)) in places.iter().enumerate() {
        assert_eq!(*path, format!("/data/kubecoin/{namespace}/postgres-{number}"));
    }
    sql(namespace, "CREATE TABLE kept AS SELECT generate_series(1, 100) AS id;");

    let torn = ends(namespace, "teardown --yes", 0);
    let said = &torn.stderr;
    assert!(
        said.contains("kept: persistentvolumeclaim/data-postgres-0, ")
            && said.contains(&format!("persistentvolume/postgres-2-pv-{namespace}, and the Secrets")),
        "{said}"
    );
    assert!(
        said.contains("kept too: configmap/postgres-config, configmap/postgres-leader, configmap/postgres-sync"),
        "{said}"
    );
    assert!(said.contains("to deploy it again with its data: kubectl kubecoin deploy --ha -n kc-plugin-ha"), "{said}");
    let (mut are_left, mut kept) = (left(namespace), KEPT.map(str::to_owned).to_vec());
    // Patroni deletes this one only when somebody asks for another primary.
    are_left.retain(|one| one != "configmap/postgres-failover");
    are_left.sort();
    kept.sort();
    assert_eq!(are_left, kept);
    let again = ends(namespace, "teardown --yes", 0);
    assert_eq!(again.stdout, "there is no exchange in namespace kc-plugin-ha\n");
    assert!(again.stderr.contains("kept: persistentvolumeclaim/data-postgres-0, "), "{}", again.stderr);

    // A claim that is deleted leaves its volume, which gives its rows to no other claim unless it is told to.
    ok(&format!("delete pvc/data-postgres-2 -n {namespace}"));
    let refused = ends(namespace, "deploy --ha", 2);
    assert!(
        refused.stderr.contains(&format!("persistentvolume/postgres-2-pv-{namespace} is Released")),
        "{}",
        refused.stderr
    );
    deployed(namespace, "--reuse-volume");
    assert_eq!(directories(namespace), places, "each is where it was");
    assert_eq!(sql(namespace, "SELECT count(*), sum(id) FROM kept;"), "100|5050");
    nothing_is_left(namespace);
    let stays = testbed(&["node-exec", "1", "--", "find", "/data/kubecoin", "-maxdepth", "1", "-name", namespace]);
    assert_eq!(stays, "", "the directories are gone too");
}

/// A member without the last rows is started first, and alone: it waits for one that has them.
#[test]
fn a_member_that_lacks_rows_and_starts_first_does_not_become_the_primary() {
    let scene = Scene::without_namespace("kc-plugin-ha-stale");
    let namespace = scene.namespace();
    ok(&format!("create namespace {namespace}"));
    deployed(namespace, "");
    sql(namespace, "CREATE TABLE kept AS SELECT 1 AS id;");
    // The first member is to be the stale one, so another one has to be the primary.
    if primary(namespace).as_deref() == Ok("postgres-0") {
        until("a standby has every row", SOON, || {
            let standby = field(namespace, "configmap/postgres-sync", "/metadata/annotations/sync_standby");
            let words = "patronictl -c /tmp/patroni switchover --force --candidate";
            let asked = kubectl::run(&format!("exec postgres-0 -n {namespace} -- {words} {standby}"));
            match primary(namespace) {
                Ok(primary) if primary != "postgres-0" => Ok(()),
                _ => Err(format!("{}{}", asked.stdout, asked.stderr)),
            }
        });
    }
    ready(namespace, 3);
    sql(namespace, "INSERT INTO kept VALUES (2);");

    let others = r#"{"spec":{"replicas":2,"ordinals":{"start":1}}}"#;
    let patched = kubectl::command(&["patch", "statefulset/postgres", "-n", namespace, "-p", others], "");
    assert!(patched.succeeded, "{}", patched.stderr);
    ok(&format!("wait pod/postgres-0 -n {namespace} --for=delete --timeout 120s"));
    sql(namespace, "INSERT INTO kept SELECT generate_series(3, 100);");
    let torn = ends(namespace, "teardown --yes", 0);
    for number in 0..3 {
        assert!(torn.stderr.contains(&format!("persistentvolumeclaim/data-postgres-{number}")), "{}", torn.stderr);
    }

    let objects = run(namespace, "deploy --ha --dry-run=client -o yaml").stdout;
    let alone = objects.replace("replicas: 3", "replicas: 1");
    assert_ne!(objects, alone);
    let words = ["apply", "--server-side", "--field-manager=kubectl-kubecoin", "-n", namespace, "-f", "-"];
    let applied = kubectl::command(&words, &alone);
    assert!(applied.succeeded, "{}", applied.stderr);
    // It has started, knows that it is none to take writes, and stays so for longer than a primary may be silent.
    let role = || {
        let said = field(namespace, "pod/postgres-0", "/metadata/annotations/status");
        if said.contains(r#""state":"running""#) { Ok(said) } else { Err(said) }
    };
    let said = until("the stale member runs", SOON, role);
    assert!(!said.contains(r#""role":"primary""#), "{said}");
    let begin = std::time::Instant::now();
    while begin.elapsed() < Duration::from_secs(45) {
        assert_eq!(primary(namespace), Err("no primary".to_owned()));
        let wrote = psql(namespace, "postgres-0", "INSERT INTO kept VALUES (0);");
        assert!(!wrote.succeeded, "it takes writes");
        std::thread::sleep(Duration::from_secs(1));
    }

    deployed(namespace, "");
    assert_eq!(sql(namespace, "SELECT count(*), sum(id) FROM kept;"), "100|5050");
    nothing_is_left(namespace);
}
