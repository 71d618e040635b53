//! The plugin on a real cluster: what it promises, and what happens to it.

mod away;
mod by_hand;
mod class;
mod contrast;
mod deploy;
mod dns;
mod drawn;
mod faults;
mod hostile;
mod nodes;
mod open;
mod options;
mod password;
mod persistence;
mod psql;
mod report;
mod shown;
mod student;
mod table;
mod target;
mod truths;

use crate::support::kubectl::{self, Ended};
use crate::support::plugin::ends;
use crate::support::scene::Scene;

/// From nothing to a running exchange with its table.
fn deployed(namespace: &str) -> Scene {
    let scene = Scene::without_namespace(namespace);
    ends(namespace, "deploy --create-namespace --init-db --timeout 3m", 0);
    scene
}

/// SQL in the database of a namespace.
fn psql(namespace: &str, statement: &str) -> Ended {
    let exec = ["exec", "-i", "postgres-0", "-n", namespace, "--"];
    let psql = ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "kubecoin", "-f", "-"];
    kubectl::command(&[&exec[..], &psql[..]].concat(), statement)
}

/// The same, which must succeed.
fn sql(namespace: &str, statement: &str) -> String {
    let Ended { succeeded, stdout, stderr } = psql(namespace, statement);
    assert!(succeeded, "{statement}: {stderr}");
    stdout.trim().to_owned()
}

fn field(namespace: &str, object: &str, pointer: &str) -> String {
    kubectl::field(&format!("{object} -n {namespace}"), pointer)
}
