//! `lesson` while the API server goes away in the middle of a question, and on a cluster of two nodes.

use std::collections::BTreeSet;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::shared::exercise::{Before, is_undone};
use crate::shared::lesson::{kept, nothing_is_left, one_server};
use crate::support::deployed::{deployed, field};
use crate::support::kubectl::ok;
use crate::support::plugin::{Going, ends, path};
use crate::support::scene::{Scene, testbed, watchers_start_anew};
use crate::support::wait::until;

const SOON: Duration = Duration::from_mins(1);

/// The API server is away for as long as this lives.
struct Away(Instant);

impl Away {
    fn begin(namespace: &str) -> Self {
        // The scheduler gives up without the API server, and then nobody would start it again.
        testbed(&["stop", "--kill", "kube-scheduler"]);
        // A watch goes on where it stopped if nothing has changed since, and then nothing was missed.
        ok(&format!("label namespace {namespace} kubecoin-test=away --overwrite"));
        testbed(&["stop", "--kill", "kube-apiserver"]);
        Self(Instant::now())
    }

    /// Ends it, after so long at least. Gives how long it lasted, less the start of the server.
    fn end(self, least: Duration) -> Duration {
        thread::sleep(least.saturating_sub(self.0.elapsed()));
        let lasted = self.0.elapsed();
        drop(self);
        watchers_start_anew();
        lasted
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        testbed(&["start", "kube-apiserver"]);
        testbed(&["start", "kube-scheduler"]);
    }
}

fn begun(namespace: &str, question: u8) -> Going {
    Going::begin(namespace, &format!("lesson {question} --no-predict --yes"))
}

/// What is kept of a question; null if it is not answered.
fn answer(namespace: &str, question: u8) -> Value {
    kept(namespace)["data"][format!("question-{question}")].clone()
}

#[test]
fn the_api_server_is_away_while_pods_are_deleted_in_order() {
    let scene = deployed("kc-lesson-away-order");
    let namespace = scene.namespace();
    let earlier = json!({ "holds": "yes", "at": "2026-01-02T03:04:05Z", "evidence": "sha256:0" }).to_string();
    ok(&format!("create configmap kubecoin-lesson -n {namespace} --from-literal=question-4={earlier}"));
    let mut going = begun(namespace, 4);
    going.until("told to end");
    Away::begin(namespace).end(Duration::ZERO);
    let ran = going.end();
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    for words in ["answer: not shown — created in order: the watch broke off", "The order of the pods is not known."]
    {
        assert!(ran.stdout.contains(words), "no {words:?} in\n{}{}", ran.stdout, ran.stderr);
    }
    assert!(ran.stderr.contains("then run it again"), "{}", ran.stderr);
    assert_eq!(answer(namespace, 4), earlier, "what is not known takes no answer away");
    nothing_is_left(namespace);
}

/// For how many seconds the evidence says that the second pod was Pending.
fn pending(stdout: &str) -> f64 {
    let lasted = stdout.split("pod/postgres-1 was Pending for ").nth(1).and_then(|rest| rest.split(' ').next());
    lasted.and_then(|lasted| lasted.parse().ok()).unwrap_or_else(|| panic!("{stdout}"))
}

#[test]
fn the_api_server_is_away_while_there_are_two_replicas() {
    let scene = deployed("kc-lesson-away-two");
    let namespace = scene.namespace();
    let mut going = begun(namespace, 2);
    going.err.until("pod/postgres-1 Pending: ");
    // Longer than the pod is to stay as it is: to see nothing of it must not count.
    let away = Away::begin(namespace).end(Duration::from_secs(6));
    let ran = going.end();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(pending(&ran.stdout) > away.as_secs_f64(), "it was not seen after {away:?} away: {}", ran.stdout);
    assert!(answer(namespace, 2).is_string());
    one_server(namespace);

    // The server stays away: then it is said what is left to do, and that helps.
    let mut going = begun(namespace, 2);
    going.err.until("pod/postgres-1 Pending: ");
    let away = Away::begin(namespace);
    going.signal(Signal::SIGINT);
    going.err.until("until what this run created is deleted");
    going.signal(Signal::SIGINT);
    let ran = going.end();
    away.end(Duration::ZERO);
    assert_eq!(ran.code, 130, "{}{}", ran.stdout, ran.stderr);
    let left = ran.stderr.split("run these commands:").nth(1).unwrap_or_else(|| panic!("{}", ran.stderr));
    let left: Vec<&str> = left.lines().filter_map(|line| line.strip_prefix("$ ")).collect();
    assert!(left[0].contains("scale statefulset.apps/postgres '--replicas=1'"), "{left:?}");
    for line in left {
        let done = Command::new("sh").args(["-c", line]).env("PATH", path()).output().unwrap();
        assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
    }
    until("there is one pod", SOON, || match field(namespace, "pod/postgres-1", "/status") {
        status if status.is_empty() => Ok(()),
        status => Err(status),
    });
    one_server(namespace);
}

#[test]
fn the_api_server_is_away_while_the_pod_is_replaced() {
    let scene = deployed("kc-lesson-away-pod");
    let namespace = scene.namespace();
    let mut going = begun(namespace, 5);
    going.until("Terminating");
    Away::begin(namespace).end(Duration::ZERO);
    let ran = going.end();
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("watch lost"), "{said}");
    assert!(!ran.stdout.contains("\n  NO  "), "{said}");
    // What was not seen of the pods may be known from the cluster all the same, or not.
    assert_eq!(answer(namespace, 5).is_string(), ran.code == 0, "{said}");
    assert_eq!(ran.stdout.contains("answer: not shown"), ran.code == 1, "{said}");
    nothing_is_left(namespace);
}

/// A cluster of two nodes instead of the one that was there. After it there is one as that was.
struct TwoNodes;

impl TwoNodes {
    fn up() -> Self {
        let nodes = Self;
        testbed(&["down"]);
        testbed(&["up", "--storage-class", "--nodes", "2"]);
        nodes
    }
}

impl Drop for TwoNodes {
    fn drop(&mut self) {
        testbed(&["down"]);
        testbed(&["up", "--storage-class"]);
    }
}

/// An exchange on both nodes: its database on this one, and its backend on the other.
struct Apart {
    node: &'static str,
    scene: Scene,
}

impl Apart {
    fn deployed(namespace: &'static str, node: &'static str) -> Self {
        let scene = Scene::without_namespace(namespace);
        ends(namespace, &format!("deploy --create-namespace --init-db --node {node} --timeout 3m"), 0);
        Self { node, scene }
    }

    fn backend(&self) -> String {
        let path = "{.items[*].spec.nodeName}";
        ok(&format!("get pods -l app=backend -n {} -o jsonpath={path}", self.scene.namespace()))
    }

    /// Moves the backend, if the scheduler has chosen the database's node for it: what they ask of each other is to go from node
    /// to node, and not by luck.
    fn divide(&self) {
        let (namespace, node) = (self.scene.namespace(), self.node);
        if self.backend() == node {
            ok(&format!("cordon {node}"));
            ok(&format!("delete pods -l app=backend -n {namespace}"));
            ok(&format!("rollout status deployment/backend -n {namespace} --timeout 120s"));
            ok(&format!("uncordon {node}"));
        }
        ends(namespace, "status --wait --timeout 2m", 0);
        self.is_divided();
    }

    fn is_divided(&self) {
        let database = field(self.scene.namespace(), "pod/postgres-0", "/spec/nodeName");
        let nodes = BTreeSet::from([database.clone(), self.backend()]);
        assert_eq!(database, self.node);
        assert_eq!(nodes, BTreeSet::from(["node-1".to_owned(), "node-2".to_owned()]));
    }

    /// Where pods of this name were scheduled until now.
    fn nodes_of(&self, pod: &str) -> BTreeSet<String> {
        let namespace = self.scene.namespace();
        let events = ok(&format!("get events -n {namespace} --field-selector reason=Scheduled -o json"));
        let events: Value = serde_json::from_str(&events).unwrap();
        let events = events["items"].as_array().unwrap().iter();
        let of_pod = |event: &&Value| event["involvedObject"]["name"].as_str().unwrap().starts_with(pod);
        let words = events.filter(of_pod).map(|event| event["message"].as_str().unwrap());
        words.map(|words| words.rsplit(' ').next().unwrap().to_owned()).collect()
    }

    fn is_answered(&self, question: u8, meanwhile: impl FnOnce(&mut Going)) {
        let mut going = begun(self.scene.namespace(), question);
        meanwhile(&mut going);
        let ran = going.end();
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        let kept = answer(self.scene.namespace(), question);
        let kept: Value = serde_json::from_str(kept.as_str().unwrap()).unwrap();
        assert_eq!(kept["holds"], "yes", "{}{}", ran.stdout, ran.stderr);
        self.is_divided();
    }

    /// Question 4, with pods on both nodes: once the first one is there, its node is to be avoided.
    fn is_answered_on_both(&self) {
        let pod = "practice-order-";
        let mut avoided = BTreeSet::new();
        self.is_answered(4, |going| {
            going.until("  created ");
            until("the first pod has a node", SOON, || {
                avoided = self.nodes_of(pod);
                if avoided.is_empty() { Err("none".to_owned()) } else { Ok(()) }
            });
            for node in &avoided {
                ok(&format!("taint node {node} kubecoin-test=:PreferNoSchedule"));
            }
        });
        for node in &avoided {
            ok(&format!("taint node {node} kubecoin-test-"));
        }
        assert_eq!(self.nodes_of(pod).len(), 2);
    }

    fn is_undone(&self, exercises: &[usize]) {
        let namespace = self.scene.namespace();
        nothing_is_left(namespace);
        // After question 2, the number of replicas is `deploy`'s again, once.
        ends(namespace, "deploy", 0);
        let before = Before::of(namespace);
        for exercise in exercises {
            is_undone(namespace, *exercise, 1, &before);
        }
        assert_eq!(self.nodes_of("postgres-0"), BTreeSet::from([self.node.to_owned()]), "it never left its node");
        assert!(self.nodes_of("postgres-1").is_empty(), "no node takes a second server");
    }
}

/// The nodes are real: each has a kubelet, disks and a network of its own.
#[test]
fn on_two_nodes_each_question_is_answered_and_each_fault_undone() {
    let _nodes = TwoNodes::up();
    let both = thread::scope(|scope| {
        let first = scope.spawn(|| Apart::deployed("kc-lesson-node-1", "node-1"));
        let second = scope.spawn(|| Apart::deployed("kc-lesson-node-2", "node-2"));
        [first, second].map(|deployed| deployed.join().unwrap())
    });
    both.iter().for_each(Apart::divide);
    let [first, second] = &both;
    thread::scope(|scope| {
        let first = scope.spawn(|| {
            for question in [5, 3, 1] {
                first.is_answered(question, |_| ());
            }
            first.is_undone(&[3, 10, 11]);
        });
        let second = scope.spawn(|| {
            second.is_answered_on_both();
            second.is_answered(2, |_| ());
            second.is_undone(&[12]);
        });
        [first, second].map(|done| done.join().unwrap())
    });
}
