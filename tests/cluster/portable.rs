//! What holds on any cluster that can pull the images and creates volumes. Nothing here knows the test cluster: `cargo xtask test
//! portable` runs it on others.

use std::time::Duration;

use crate::shared::persistence::says;
use crate::shared::target::{Storage, store};
use crate::support::class::enrolled;
use crate::support::deployed::sql;
use crate::support::kubectl::{self, ok};
use crate::support::page::{Opened, get};
use crate::support::plugin::{command, ends};
use crate::support::scene::Scene;
use crate::support::wait::until;

/// Nothing of the exchange is left.
fn nothing_is_left(namespace: &str) {
    // What the cluster collects by itself takes its moment.
    until("nothing is left", Duration::from_mins(1), || {
        match ok(&format!("get all,pvc,secrets,endpointslices,leases -n {namespace} -o name")) {
            left if left.is_empty() => Ok(()),
            left => Err(left),
        }
    });
    assert!(kubectl::get(&format!("pv postgres-pv-{namespace}")).is_none());
}

fn count(namespace: &str) -> String {
    sql(namespace, "SELECT count(*) FROM wallets;")
}

#[test]
fn the_lesson_from_an_empty_namespace_and_back() {
    let scene = Scene::anywhere("kc-portable-lesson");
    let namespace = scene.namespace();
    // Where the images are pulled first, that takes its time.
    ends(namespace, "deploy --create-namespace --timeout 5m", 0);
    assert!(ends(namespace, "status", 1).stdout.contains("not initialised"));
    let table = ends(namespace, "init-db", 0);
    assert_eq!(table.stdout, "table wallets created (0 rows)\nindex idx_wallets_id created\n");
    sql(namespace, "INSERT INTO wallets(id) VALUES ('anna'), ('ben'), ('carl');");
    let status = ends(namespace, "status", 0);
    assert!(status.stdout.contains("chain: postgres-0 → postgres-pvc → "), "{}", status.stdout);
    assert!(status.stdout.contains("table wallets with 3 rows"), "{}", status.stdout);
    let again = ends(namespace, "deploy", 0);
    assert!(again.stdout.lines().all(|line| line.ends_with(" unchanged")), "{}", again.stdout);
    assert!(ends(namespace, "dns-check --wait", 0).stdout.contains("all names are right"));
    let opened = Opened::start(command(namespace, "open --no-browser"));
    assert!(get(&opened.address).unwrap().contains("<div id=\"root\">"));
    opened.ends();

    for how in ["delete", "crash"] {
        let ran = ends(namespace, &format!("persistence-demo --yes --under-load --how {how}"), 0);
        assert!(ran.stdout.contains("verdict: holds — your 3 wallets are unchanged"), "{}", ran.stdout);
        says(&ran, "ok", "rows under load");
    }
    ends(namespace, "rotate-password --new", 0);

    ends(namespace, "teardown --yes", 0);
    ends(namespace, "deploy --timeout 3m", 0);
    assert_eq!(count(namespace), "3", "the data was kept");
    ends(namespace, "teardown --yes --delete-data", 0);
    nothing_is_left(namespace);
    ends(namespace, "deploy --init-db --timeout 3m", 0);
    assert_eq!(count(namespace), "0", "the files were deleted");
    ends(namespace, "teardown --yes --delete-data", 0);
}

#[test]
fn the_student_of_a_class() {
    let scene = Scene::anywhere("kc-portable-class");
    let namespace = scene.namespace();
    let student = enrolled(namespace);
    let ends = |words: &str| ends(namespace, &format!("{words} --as {student}"), 0);
    let deployed = ends("deploy --init-db --timeout 5m");
    assert!(deployed.stderr.contains("you may not create PersistentVolumes"), "{}", deployed.stderr);
    ends("status");
    ends("dns-check --wait");
    assert!(ends("persistence-demo --yes").stdout.contains("verdict: holds"));
    ends("teardown --yes --delete-data");
}

#[test]
fn a_set_of_somebodys_own() {
    let scene = Scene::anywhere("kc-portable-set");
    store(&scene, 2, &Storage::Template);
    let mut demo = command(scene.namespace(), "persistence-demo --target statefulset/store --yes");
    let ran = demo.args(["--write", "echo $KUBECOIN_RUN >/data/file", "--read", "cat /data/file"]).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(said.contains("verdict: holds — store-1, store-0"), "{said}{}", String::from_utf8_lossy(&ran.stderr));
}
