//! What may be chosen of an exchange, as a real server and real nodes take it.

use std::process::Command;

use crate::support::deployed::field;
use crate::support::exchange::Exchange;
use crate::support::kubectl::ok;
use crate::support::plugin::{PROGRAM, ends};
use crate::support::scene::{Scene, testbed};

const REGISTRY: &str = "images.example/class";

fn service(namespace: &str, pointer: &str) -> String {
    field(namespace, "service/frontend-service", pointer)
}

#[test]
fn the_registry_the_service_and_other_peoples_fields() {
    let scene = Scene::without_namespace("kc-plugin-options");
    let namespace = scene.namespace();
    let version = env!("CARGO_PKG_VERSION");
    for (image, name) in [
        ("postgres", "postgres:17".to_owned()),
        ("backend", format!("kubecoin-backend:{version}")),
        ("frontend", format!("kubecoin-frontend:{version}")),
    ] {
        testbed(&["load", image, "--as", &format!("{REGISTRY}/{name}")]);
    }

    // A dry run of the server makes nothing, the namespace included.
    let tried = ends(namespace, "deploy --create-namespace --dry-run=server", 0);
    assert_eq!(tried.stdout, format!("namespace/{namespace} created (server dry run)\n"));
    assert!(tried.stderr.contains("in a namespace that does not exist yet"), "{}", tried.stderr);
    assert_eq!(ok(&format!("get namespace {namespace} --ignore-not-found")), "");

    let flags = format!("--registry {REGISTRY} --timeout 3m --init-db");
    ends(namespace, &format!("deploy --create-namespace --service-type ClusterIP {flags}"), 0);
    assert_eq!(service(namespace, "/spec/type"), "ClusterIP");
    assert_eq!(service(namespace, "/spec/ports/0/nodePort"), "");
    let images = ok(&format!("get pods -n {namespace} -o jsonpath={{.items[*].spec.containers[*].image}}"));
    assert!(images.split(' ').all(|image| image.starts_with(REGISTRY)), "{images}");

    let tried = ends(namespace, &format!("deploy --dry-run=server --node-port 30042 {flags}"), 0);
    assert!(tried.stdout.contains("service/frontend-service configured (server dry run)"), "{}", tried.stdout);
    assert_eq!(service(namespace, "/spec/type"), "ClusterIP", "a dry run changes nothing");
    ends(namespace, &format!("deploy --service-type NodePort --node-port 30042 {flags}"), 0);
    assert_eq!(service(namespace, "/spec/ports/0/nodePort"), "30042");
    let exchange = Exchange::at_node_port_of(namespace);
    assert!(exchange.url().ends_with(":30042"), "{}", exchange.url());
    ends(namespace, &format!("deploy {flags}"), 0);
    assert_eq!(service(namespace, "/spec/ports/0/nodePort"), "30042", "a port that is not asked for stays");
    let taken = ends(namespace, &format!("deploy --node-port 80 {flags}"), 2);
    assert!(taken.stderr.contains("30000-32767"), "{}", taken.stderr);

    // A field that somebody else has changed is theirs until one says otherwise; so is a value in place of a Secret's.
    ok(&format!("set env deployment/backend DB_USER=postgres -n {namespace}"));
    let contested = ends(namespace, &format!("deploy {flags}"), 2);
    for words in ["deployment.apps/backend: Deployment.apps \"backend\" is invalid", "--force-conflicts"] {
        assert!(contested.stderr.contains(words), "no {words:?} in {}", contested.stderr);
    }
    ok(&format!("set image deployment/backend backend=images.example/other -n {namespace}"));
    ok(&format!("scale deployment/frontend --replicas=2 -n {namespace}"));
    let contested = ends(namespace, &format!("deploy {flags}"), 2);
    for words in
        ["deployment.apps/backend: Apply failed with 1 conflict: conflict with \"kubectl-set\"", "force-conflicts"]
    {
        assert!(contested.stderr.contains(words), "no {words:?} in {}", contested.stderr);
    }
    assert!(field(namespace, "deployment/backend", "/spec/template/spec/containers/0/image").ends_with("/other"));
    ends(namespace, &format!("deploy --force-conflicts {flags}"), 0);
    assert!(!field(namespace, "deployment/backend", "/spec/template/spec/containers/0/image").ends_with("/other"));
    let given = "/spec/template/spec/containers/0/env/3/valueFrom/secretKeyRef/key";
    assert_eq!(field(namespace, "deployment/backend", given), "username");
    assert_eq!(field(namespace, "deployment/frontend", "/spec/replicas"), "1");

    let line = format!("set -o pipefail; {PROGRAM} status -n {namespace} | head -1");
    let first = Command::new("bash").args(["-c", &line]).output().unwrap();
    assert!(first.status.success() && first.stderr.is_empty(), "{first:?}");
    assert!(first.stdout.starts_with(b"NAME "), "{first:?}");
}
