//! An exchange of the plugin's in a namespace of a test, and what is asked of it.

use super::kubectl::{self, Ended};
use super::plugin::ends;
use super::scene::Scene;

/// From nothing to a running exchange with its table.
pub fn deployed(namespace: &str) -> Scene {
    let scene = Scene::without_namespace(namespace);
    ends(namespace, "deploy --create-namespace --init-db --timeout 3m", 0);
    scene
}

/// SQL in the database of a namespace.
pub fn psql(namespace: &str, statement: &str) -> Ended {
    let exec = ["exec", "-i", "postgres-0", "-n", namespace, "--"];
    let psql = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "kubecoin", "-f", "-"];
    kubectl::command(&[&exec[..], &psql[..]].concat(), statement)
}

/// The same, which must succeed.
pub fn sql(namespace: &str, statement: &str) -> String {
    let Ended { succeeded, stdout, stderr } = psql(namespace, statement);
    assert!(succeeded, "{statement}: {stderr}");
    stdout.trim().to_owned()
}

/// A field of an object by its JSON pointer, as text; empty if it is not there.
pub fn field(namespace: &str, object: &str, pointer: &str) -> String {
    kubectl::field(&format!("{object} -n {namespace}"), pointer)
}
