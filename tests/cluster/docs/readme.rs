//! Each command of the README: typed here, run by other tests, or not, with the reason.

use super::{page, typed};
use crate::support::scene::Scene;

/// What becomes of a command of the README.
enum Fate {
    /// It is typed here, with these words after it.
    Typed(&'static str),
    /// Other tests run it: a group of `cargo xtask test`, or a room of the tests on the cluster.
    Elsewhere(&'static str),
    /// Nothing runs it.
    NotHere(&'static str),
}
use Fate::{Elsewhere, NotHere, Typed};

/// What is typed first, and is not in the README.
const FIRST: &str = "kubectl kubecoin deploy --init-db";

/// All of them, without comments, in their order.
const COMMANDS: [(&str, Fate); 20] = [
    ("cargo xtask dist", Elsewhere("krew")),
    ("kubectl krew install --manifest=dist/kubecoin.yaml --archive=\"$(ls dist/*.tar.gz)\"", Elsewhere("krew")),
    ("kubectl kubecoin completion install", Elsewhere("krew")),
    ("cargo xtask demo", Elsewhere("testbed: its steps on a cluster that is there")),
    ("cargo xtask test", Elsewhere("all: this is a part of it")),
    ("cargo xtask demo --context kind-kind", NotHere("there is no kind")),
    ("cargo xtask demo --context staging --registry registry.example.org/lesson", Elsewhere("testbed")),
    ("cargo xtask images --into minikube", NotHere("there is no minikube")),
    ("kubectl delete pod postgres-0", Typed("")),
    (
        "kubectl kubecoin persistence-demo --target statefulset/redis --report proof.html --write 'redis-cli -e -h redis-0.redis \
         set kubecoin \"$KUBECOIN_RUN\"' --read 'redis-cli -e get kubecoin'",
        NotHere("there is no image of Redis; shared::target runs it on sets of busybox"),
    ),
    ("kubectl kubecoin persistence-demo --under-load --report report.html", Typed("--yes && rm report.html")),
    ("python -m venv .venv && .venv/bin/pip install --requirement requirements.lock", Elsewhere("app")),
    (".venv/bin/python -m stack", Elsewhere("app")),
    ("cargo xtask testbed up [--nodes 2] [--storage-class] [--dns-cache 30]", Elsewhere("testbed")),
    ("eval \"$(cargo xtask testbed env)\"", Elsewhere("testbed")),
    ("cargo xtask testbed status", Elsewhere("testbed")),
    ("cargo xtask testbed stop kube-apiserver", Elsewhere("testbed")),
    ("cargo xtask testbed node-exec 1 -- ls /data", Elsewhere("testbed")),
    ("cargo xtask testbed reset", Elsewhere("testbed")),
    ("cargo xtask testbed down", Elsewhere("testbed")),
];

/// The commands of a page: its indented lines, without comments. A line that ends with a backslash goes on.
fn commands(page: &str) -> Vec<String> {
    let whole = page.replace(" \\\n      ", " ");
    let lines = whole.lines().filter_map(|line| line.strip_prefix("    "));
    lines.map(|line| line.split(" # ").next().unwrap_or_default().trim().to_owned()).collect()
}

#[test]
fn each_command_of_the_readme_is_run_or_has_a_reason() {
    let there = commands(&page("README.md"));
    let known: Vec<&str> = COMMANDS.iter().map(|(command, _)| *command).collect();
    assert_eq!(there, known);
    let _scene = Scene::empty_cluster();
    typed(FIRST);
    for (command, fate) in COMMANDS {
        match fate {
            Typed(after) => drop(typed(&format!("{command} {after}"))),
            Elsewhere(group) => println!("run by {group}: {command}"),
            NotHere(why) => println!("not run: {command}: {why}"),
        }
    }
}
