//! The plugin and the lesson's own commands, in turns: the setting of the lesson, namespace `default`.

use crate::support::deployed::{field, sql};
use crate::support::kubectl::{self, ok};
use crate::support::plugin::ends;
use crate::support::scene::Scene;

const MANIFESTS: &str = "k8s/level-2-volumes/";

fn generations() -> Vec<String> {
    ["statefulset/postgres", "deployment/backend", "deployment/frontend"]
        .map(|workload| field("default", workload, "/metadata/generation"))
        .to_vec()
}

#[test]
fn what_was_made_by_hand_is_adopted_without_a_rollout() {
    let _scene = Scene::empty_cluster();
    ok(&format!("apply -f {MANIFESTS}"));
    ends("default", "status --wait --no-db", 0);
    let (before, pod) = (generations(), field("default", "pod/postgres-0", "/metadata/uid"));

    let adopted = ends("default", "deploy --init-db --timeout 3m", 0);
    assert!(adopted.stdout.contains("secret/postgres-credentials unchanged"), "{}", adopted.stdout);
    assert_eq!((generations(), field("default", "pod/postgres-0", "/metadata/uid")), (before, pod.clone()));
    let managers =
        ok("get statefulset postgres -o jsonpath={.metadata.managedFields[*].manager} --show-managed-fields");
    assert!(managers.contains("kubectl-kubecoin") && !managers.contains("client-side"), "{managers}");
    let again = ends("default", "deploy", 0);
    assert!(again.stdout.lines().all(|line| line.ends_with(" unchanged")), "{}", again.stdout);

    // And back to the lesson's command.
    let applied = ok(&format!("apply -f {MANIFESTS}"));
    assert!(!applied.contains("created"), "{applied}");
    ends("default", "deploy", 0);
    assert_eq!(field("default", "pod/postgres-0", "/metadata/uid"), pod);
}

/// Deploy, then the lesson's commands over it: apply, and delete; then deploy once more.
#[test]
fn a_volume_that_remembers_another_password_is_repaired() {
    let _scene = Scene::empty_cluster();
    ends("default", "deploy --init-db --timeout 3m", 0);
    sql("default", "INSERT INTO wallets(id) VALUES ('anna');");

    // The lesson's command over what was deployed: the Secret alone refuses, and nothing is replaced.
    let pods = || ok("get pods -o jsonpath={.items[*].metadata.uid}");
    let before = pods();
    let applied = kubectl::run(&format!("apply -f {MANIFESTS}"));
    assert!(!applied.succeeded && applied.stderr.contains("field is immutable when `immutable` is set"), "{applied:?}");
    assert_eq!(applied.stdout.lines().count(), 8, "{applied:?}");
    ends("default", "status --wait", 0);
    assert_eq!(pods(), before);

    ok(&format!("delete -f {MANIFESTS}"));

    let repaired = ends("default", "deploy --timeout 3m", 0);
    assert!(repaired.stderr.contains("ALTER ROLE"), "{}", repaired.stderr);
    assert!(repaired.stderr.contains("the exchange works"), "{}", repaired.stderr);
    assert_eq!(sql("default", "SELECT id FROM wallets;"), "anna");
    let again = ends("default", "deploy", 0);
    assert!(!again.stderr.contains("ALTER ROLE"), "{}", again.stderr);
}
