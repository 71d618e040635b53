//! Each command of the README and of the pages that it leads to: typed here, run by other tests, or not, with the reason.

use super::{page, typed};
use crate::support::scene::Scene;

/// What becomes of a command.
enum Fate {
    /// It is typed here, with these words after it.
    Typed(&'static str),
    /// Other tests run it: a group of `cargo xtask test`, or a room of the tests on the cluster.
    Elsewhere(&'static str),
    /// Nothing runs it.
    NotHere(&'static str),
}
use Fate::{Elsewhere, NotHere, Typed};

/// The commands of each page, without comments, in their order.
const PAGES: [(&str, &[(&str, Fate)]); 5] = [
    ("README.md", &README),
    ("docs/exchange.md", &EXCHANGE),
    ("docs/replicated.md", &REPLICATED),
    ("docs/security.md", &SECURITY),
    ("docs/testbed.md", &TESTBED),
];

const README: [(&str, Fate); 26] = [
    ("cargo xtask dist", Elsewhere("krew")),
    (
        "kubectl krew install --manifest=dist/kubecoin.yaml --archive=\"$(ls dist/*-linux-amd64.tar.gz)\"",
        Elsewhere("krew"),
    ),
    ("kubectl kubecoin completion install", Elsewhere("krew")),
    ("kubectl kubecoin completion uninstall", Elsewhere("krew")),
    ("kubectl krew uninstall kubecoin", Elsewhere("krew")),
    ("cargo xtask images --into minikube", NotHere("there is no minikube")),
    ("kubectl kubecoin deploy --init-db", Typed("")),
    ("minikube start", NotHere("there is no minikube")),
    ("cargo xtask demo", Elsewhere("nothing but a person; its steps: testbed")),
    ("cargo xtask test", Elsewhere("all: this is a part of it")),
    ("cargo xtask demo --context kind-kind", NotHere("there is no kind")),
    ("cargo xtask demo --context staging --registry registry.example.org/lesson", Elsewhere("testbed")),
    ("kubectl kubecoin status", Typed("")),
    ("kubectl kubecoin open", Elsewhere("exclusive::open")),
    ("kubectl delete pod postgres-0", Typed(AND_WAIT)),
    ("kubectl kubecoin persistence-demo --under-load --report report.html", Typed("--yes")),
    ("kubectl kubecoin doctor", Typed("")),
    ("kubectl kubecoin", Typed("")),
    ("kubectl kubecoin lesson 3", Typed("--predict a")),
    ("kubectl kubecoin explain headless", Typed("")),
    ("kubectl kubecoin exercise start", Typed("2 --yes")),
    ("kubectl kubecoin exercise undo", Typed("")),
    ("kubectl kubecoin teardown", Typed("--yes")),
    ("kubectl kubecoin deploy --ha --init-db -n trio --create-namespace", Elsewhere(OF_MEMBERS)),
    ("kubectl kubecoin persistence-demo --under-load -n trio", Elsewhere(OF_MEMBERS)),
    (
        "kubectl kubecoin persistence-demo --target statefulset/redis --report proof.html --write 'redis-cli -e -h redis-0.redis \
         set kubecoin \"$KUBECOIN_RUN\"' --read 'redis-cli -e get kubecoin'",
        NotHere("there is no image of Redis; shared::target does it to sets of busybox"),
    ),
];

/// The reader looks at the page meanwhile.
const AND_WAIT: &str = "&& kubectl wait pod/postgres-0 --for=create --timeout=60s && \
                        kubectl wait pod/postgres-0 --for=condition=Ready --timeout=120s";

/// A test that does the same in another namespace: the cluster of these pages has no dynamic storage.
const OF_MEMBERS: &str = "shared::failover";

/// The same of the number of its members, and of rows that are copied.
const OF_SCALING: &str = "shared::scaling";

/// The same of members that have their data on nodes.
const OF_NODES: &str = "shared::ha";

const REPLICATED: [(&str, Fate); 25] = [
    ("kubectl kubecoin deploy --ha --init-db -n trio --create-namespace", Elsewhere(OF_MEMBERS)),
    ("kubectl kubecoin status -n trio", Elsewhere(OF_MEMBERS)),
    ("kubectl kubecoin deploy --ha --storage static -n trio", Elsewhere(OF_NODES)),
    (
        "kubectl get pv -o custom-columns=NAME:.metadata.name,CLAIM:.spec.claimRef.name,PATH:.spec.local.path",
        Elsewhere(OF_NODES),
    ),
    ("kubectl get pods -l app=postgres -L role -n trio", Elsewhere(OF_MEMBERS)),
    ("kubectl delete pod -l app=postgres,role=primary -n trio", Elsewhere(OF_MEMBERS)),
    ("kubectl kubecoin status -n trio", Elsewhere(OF_MEMBERS)),
    ("kubectl kubecoin psql --member postgres-0 -c 'SELECT pg_is_in_recovery()' -n trio", Elsewhere(OF_MEMBERS)),
    ("kubectl kubecoin switchover -n trio", Elsewhere(OF_MEMBERS)),
    ("kubectl kubecoin persistence-demo --under-load -n trio", Elsewhere(OF_MEMBERS)),
    (
        "kubectl kubecoin persistence-demo --how node --under-load -n trio --stop-node 'docker stop \"$KUBECOIN_NODE\"' \
         --start-node 'docker start \"$KUBECOIN_NODE\"'",
        NotHere("there is no kind; exclusive::ha does it to a node of the test cluster"),
    ),
    ("kubectl kubecoin persistence-demo --target statefulset/postgres -n trio", Elsewhere(OF_MEMBERS)),
    ("kubectl kubecoin deploy --ha --replicas 5 -n trio", Elsewhere(OF_SCALING)),
    ("kubectl kubecoin deploy --ha --replicas 3 -n trio", Elsewhere(OF_SCALING)),
    (
        "kubectl exec -it postgres-3 -n trio -- patronictl -c /tmp/patroni reinit postgres postgres-3",
        NotHere("the log of the primary must be lost before"),
    ),
    ("kubectl kubecoin rotate-password --new -n trio", Elsewhere(OF_MEMBERS)),
    ("kubectl scale deployment/backend --replicas=0 -n alice", Elsewhere(OF_SCALING)),
    (
        "kubectl exec postgres-0 -n alice -- pg_dump -U postgres -O -x -c --if-exists kubecoin > rows.sql",
        Elsewhere(OF_SCALING),
    ),
    ("kubectl kubecoin deploy --ha --init-db -n trio --create-namespace", Elsewhere(OF_SCALING)),
    ("kubectl kubecoin psql -f rows.sql -n trio -- -1 -v ON_ERROR_STOP=1", Elsewhere(OF_SCALING)),
    ("kubectl kubecoin psql -n trio -c 'SELECT count(*) FROM wallets'", Elsewhere(OF_SCALING)),
    (
        "kubectl exec -n trio \"$(kubectl get pods -n trio -l app=postgres,role=primary -o name)\" -- pg_dump -U kubecoin -O -x -c --if-exists kubecoin > rows.sql",
        Elsewhere(OF_SCALING),
    ),
    ("kubectl kubecoin psql -f rows.sql -n alice -- -1 -v ON_ERROR_STOP=1", Elsewhere(OF_SCALING)),
    ("kubectl kubecoin manifests --ha --output-directory kubecoin -n alice", Elsewhere(OF_MEMBERS)),
    (
        "kubectl apply -f kubecoin/postgres-serviceaccount.yaml -f kubecoin/postgres-role.yaml -f kubecoin/postgres-rolebinding.yaml",
        Elsewhere(OF_MEMBERS),
    ),
];

const EXCHANGE: [(&str, Fate); 2] = [
    ("python -m venv .venv && .venv/bin/pip install --requirement requirements.lock", Elsewhere("app")),
    (".venv/bin/python -m stack", Elsewhere("app")),
];

const SECURITY: [(&str, Fate); 3] = [
    ("kubectl create namespace alice", Typed("")),
    ("kubectl label namespace alice pod-security.kubernetes.io/enforce=restricted", Typed("")),
    ("kubectl create rolebinding alice --clusterrole=edit --user=alice --namespace=alice", Typed("")),
];

const TESTBED: [(&str, Fate); 10] = [
    ("cargo xtask testbed up [--nodes 2] [--storage-class] [--dns-cache 30]", Elsewhere("testbed")),
    ("eval \"$(cargo xtask testbed env)\"", Elsewhere("testbed")),
    ("cargo xtask testbed status", Elsewhere("testbed")),
    ("cargo xtask testbed stop kube-apiserver", Elsewhere("testbed")),
    ("cargo xtask testbed node-exec 1 -- ls /data", Elsewhere("testbed")),
    ("cargo xtask testbed node-off 2", Elsewhere("testbed")),
    ("cargo xtask testbed reset", Elsewhere("testbed")),
    ("cargo xtask testbed down", Elsewhere("testbed")),
    ("KUBECOIN_TESTBED=2 cargo xtask testbed up", Elsewhere("testbed")),
    ("eval \"$(KUBECOIN_TESTBED=2 cargo xtask testbed env)\"", Elsewhere("testbed")),
];

/// The commands of a page: its indented lines, without comments. A line that ends with a backslash goes on.
fn commands(page: &str) -> Vec<String> {
    let whole = page.replace(" \\\n      ", " ");
    let lines = whole.lines().filter_map(|line| line.strip_prefix("    "));
    lines.map(|line| line.split(" # ").next().unwrap_or_default().trim().to_owned()).collect()
}

#[test]
fn each_command_is_run_or_has_a_reason() {
    for (name, known) in PAGES {
        let known: Vec<&str> = known.iter().map(|(command, _)| *command).collect();
        assert_eq!(commands(&page(name)), known, "{name}");
    }
    let _scene = Scene::empty_cluster();
    let folder = tempfile::tempdir().unwrap();
    for (command, fate) in PAGES.iter().flat_map(|(_, commands)| *commands) {
        match fate {
            Typed(after) => drop(typed(&format!("{command} {after}"), folder.path())),
            Elsewhere(group) => println!("run by {group}: {command}"),
            NotHere(why) => println!("not run: {command}: {why}"),
        }
    }
}
