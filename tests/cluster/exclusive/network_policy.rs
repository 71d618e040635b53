//! The policy of `--network-policy`, on a network that enforces it: the firewall of kube-router beside the test cluster's own
//! network, which enforces none.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::support::exchange::Exchange;
use crate::support::kubectl::{self, Ended, ok};
use crate::support::plugin::ends;
use crate::support::scene::{Scene, testbed};
use crate::support::wait::until;

const SOON: Duration = Duration::from_mins(1);

const NAMESPACE: &str = "kc-plugin-network-policy";

/// Runs the firewall until stdin is closed, and takes its rules and sets away: its own way to do that wants IPVS too.
const RUN: &str = "
    /run/kube-router --run-firewall --run-router=false --run-service-proxy=false --health-port=0 \
        --kubeconfig=/run/kube-router.kubeconfig --hostname-override=node-1 </dev/null 2>&1 &
    read -r _ || true
    kill $!
    wait $! || true
    iptables-save -t filter | grep -v -e KUBE-ROUTER -e KUBE-POD-FW -e KUBE-NWPLCY | iptables-restore -T filter
    ipset destroy
    rm /run/kube-router /run/kube-router.kubeconfig
";

/// kube-router's firewall on the node, for as long as this lives.
struct Firewall {
    running: Child,
    stdin: Option<ChildStdin>,
}

impl Firewall {
    fn up() -> Self {
        put("KUBECOIN_KUBE_ROUTER", "/run/kube-router");
        put("KUBECONFIG", "/run/kube-router.kubeconfig");
        let mut running = on_node(RUN).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("xtask starts");
        let log = BufReader::new(running.stdout.take().expect("its stdout")).lines().map_while(Result::ok);
        let firewall = Self { stdin: running.stdin.take(), running };
        let (lines, said) = mpsc::channel();
        // Read to its end, or it would wait for a reader.
        thread::spawn(move || log.for_each(|line| drop(lines.send(line))));
        let mut seen = Vec::new();
        until("kube-router's firewall starts", SOON, || {
            seen.extend(said.try_iter());
            let starts = |line: &String| line.contains("Starting network policy controller full sync");
            if seen.iter().any(starts) { Ok(()) } else { Err(seen.join("\n")) }
        });
        firewall
    }
}

impl Drop for Firewall {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let ended = self.running.wait();
        if !thread::panicking() {
            assert!(ended.is_ok_and(|status| status.success()), "the firewall's rules are still there");
        }
    }
}

/// A shell's lines on the node.
fn on_node(script: &str) -> Command {
    let mut command = Command::new(std::env::var("KUBECOIN_XTASK").expect("run this by `cargo xtask test`"));
    command.args(["testbed", "node-exec", "1", "--", "sh", "-ec", script]);
    command
}

/// Copies the file that a variable names to the node.
fn put(variable: &str, to: &str) {
    let file = std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is set: run this by `cargo xtask test`"));
    let script = format!("cat >{to}; chmod 700 {to}");
    let copied = on_node(&script).stdin(File::open(&file).expect("it can be read")).status().expect("xtask starts");
    assert!(copied.success(), "{file} is not copied");
}

/// A pod that waits to be asked, with one label.
fn pod(name: &str, label: &str, image: &str) -> String {
    format!(
        "
---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {NAMESPACE}, labels: {{{label}}}}}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{{name: main, image: '{image}', command: [sleep, '600']}}]
"
    )
}

/// Whether PostgreSQL takes connections from a pod, and what is said of it.
fn reaches(pod: &str) -> Result<(), String> {
    let words = format!("exec {pod} -n {NAMESPACE} -- pg_isready -h postgres-headless -t 2");
    let Ended { succeeded, stdout, stderr } = kubectl::run(&words);
    if succeeded { Ok(()) } else { Err(format!("{stdout}{stderr}")) }
}

#[test]
fn only_the_backend_and_helpers_reach_the_database() {
    let scene = Scene::without_namespace(NAMESPACE);
    let firewall = Firewall::up();
    ends(NAMESPACE, "deploy --create-namespace --network-policy --init-db --timeout 3m", 0);
    let image = ok(&format!("get pod postgres-0 -n {NAMESPACE} -o jsonpath={{.spec.containers[0].image}}"));
    let stranger = pod("stranger", "app: frontend", &image);
    kubectl::apply(&format!("{stranger}{}", pod("helper", "kubectl-kubecoin/helper: test", &image)));
    ok(&format!("wait pod/stranger pod/helper -n {NAMESPACE} --for=condition=Ready --timeout=60s"));

    // The firewall learns of pods and policies a moment after they were made.
    until("the stranger is kept out", SOON, || match reaches("stranger") {
        Ok(()) => Err("it reaches the database".to_owned()),
        Err(refused) if refused.contains("postgres-headless:5432 - no response") => Ok(()),
        Err(other) => Err(other),
    });
    until("the helper reaches the database", SOON, || reaches("helper"));
    assert!(reaches("stranger").is_err(), "it was kept out only before the firewall knew the helper");
    let exchange = Exchange::at_node_port_of(NAMESPACE);
    until("the backend reaches the database", SOON, || exchange.put_wallet("anna"));
    let proof = ends(NAMESPACE, "persistence-demo --yes", 0);
    assert!(proof.stdout.contains("answered by name"), "{}", proof.stdout);

    // It was the policy: without it, the same pod gets through the same firewall.
    ok(&format!("delete networkpolicy postgres -n {NAMESPACE}"));
    until("the stranger reaches the database", SOON, || reaches("stranger"));
    drop(firewall);
    let left = testbed(&["node-exec", "1", "--", "iptables-save", "-t", "filter"]);
    assert!(!left.contains("KUBE-POD-FW"), "{left}");
    drop(scene);
}
