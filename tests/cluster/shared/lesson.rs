//! `lesson`: five questions, each answered by experiment. An evening's way through all of them as a new user would take it; as a
//! student with a quota; and on clusters that are not as they should be.

use std::process::Command;
use std::time::Duration;

use nix::sys::wait::WaitStatus;
use rexpect::session::spawn_command;
use serde_json::{Value, json};

use crate::support::class::enrolled;
use crate::support::deployed::{deployed, field, sql};
use crate::support::kubectl::{self, ok};
use crate::support::plugin::{PROGRAM, Ran, command, ends};
use crate::support::scene::Scene;
use crate::support::wait::until;

const SOON: Duration = Duration::from_mins(1);
/// How long the slowest command may take beside other tests: a deploy from nothing.
const SLOW_MS: u64 = 300_000;

/// What is kept of the lesson in a namespace.
fn kept(namespace: &str) -> Value {
    kubectl::get(&format!("configmap/kubecoin-lesson -n {namespace}")).unwrap_or_default()
}

/// What experiments leave: objects of theirs, a Lease, or marked rows.
fn nothing_is_left(namespace: &str) {
    for selector in ["kubectl-kubecoin/level-1", "kubectl-kubecoin/practice"] {
        until("nothing of an experiment is left", SOON * 2, || {
            let all = "deployments,replicasets,statefulsets,pods,services,pvc";
            match ok(&format!("get {all} -l {selector} -n {namespace} -o name")) {
                left if left.is_empty() => Ok(()),
                left => Err(left),
            }
        });
    }
    assert_eq!(ok(&format!("get lease -n {namespace} -o name")), "");
    assert_eq!(sql(namespace, "SELECT count(*) FROM wallets WHERE id LIKE 'kubecoin-%';"), "0");
}

/// The command that `kubectl kubecoin` names as the next one; none if nothing is left to do.
fn next(namespace: &str) -> Option<String> {
    let place = ends(namespace, "", 0).stdout;
    if place.contains("all 7 steps done") {
        return None;
    }
    let command = place.lines().find_map(|line| line.strip_prefix("next: kubectl kubecoin "));
    let command = command.unwrap_or_else(|| panic!("no next command in\n{place}"));
    Some(command.trim_end_matches(&format!(" -n {namespace}")).to_owned())
}

/// Types a command in a terminal, and answers what it asks. Gives its exit code and all that was shown.
fn typed(namespace: &str, words: &str, prediction: &str) -> (i32, String) {
    let given = command(namespace, &format!("{words} --color never"));
    let mut command = Command::new(given.get_program());
    command.args(given.get_args());
    let mut session = spawn_command(command, Some(SLOW_MS)).unwrap();
    let mut shown = String::new();
    if words.starts_with("lesson") {
        shown += &session.exp_string("and Enter; only Enter means \"I don't know\"").unwrap();
        session.send_line(prediction).unwrap();
        // Only what is not known to be on one's own machine is asked about, and only where a pod is deleted or scaled.
        if words != "lesson 3" && words != "lesson 4" {
            shown += &session.exp_regex("type [-a-z0-9]+ to continue:").map(|(before, asked)| before + &asked).unwrap();
            let name = shown.rsplit("type ").next().and_then(|rest| rest.split(' ').next()).unwrap().to_owned();
            session.send_line(&name).unwrap();
        }
    }
    shown += &session.exp_eof().unwrap();
    match session.process().wait().unwrap() {
        WaitStatus::Exited(_, code) => (code, shown),
        other => panic!("{other:?}: {shown}"),
    }
}

#[test]
fn from_deploy_to_the_fifth_answer_with_nothing_but_what_the_terminal_says() {
    let scene = Scene::without_namespace("kc-lesson-evening");
    let namespace = scene.namespace();
    ok(&format!("create namespace {namespace}"));
    let (mut typed_so_far, mut predictions) = (Vec::new(), ["a", "b", "", "c", "x\nd"].into_iter());
    while let Some(words) = next(namespace) {
        assert!(typed_so_far.len() < 10, "it goes in a circle: {typed_so_far:?}");
        let prediction = if words.starts_with("lesson") { predictions.next().unwrap() } else { "" };
        let (code, shown) = typed(namespace, &words, prediction);
        assert_eq!(code, 0, "{words}\n{shown}");
        if words.starts_with("lesson") {
            for said in ["YOU SAID", "OBSERVED", "WHY", "answer: ", "not shown: ", "more about this: "] {
                assert!(shown.contains(said), "no {said:?} in what {words} shows\n{shown}");
            }
            assert_eq!(prediction.is_empty(), shown.contains("I don't know.  "), "{shown}");
        }
        typed_so_far.push(words);
    }
    assert_eq!(typed_so_far, ["deploy", "init-db", "lesson 5", "lesson 3", "lesson 1", "lesson 4", "lesson 2"]);
    nothing_is_left(namespace);

    let list = ends(namespace, "lesson", 0).stdout;
    assert_eq!(list.lines().filter(|line| line.contains("  yes  ")).count(), 5, "{list}");
    assert!(list.ends_with("all questions are answered\n"), "{list}");
    // Each answer has its verdict, its time and the digest of its evidence, and nothing of what was predicted.
    let data = kept(namespace)["data"].as_object().unwrap().clone();
    assert_eq!(data.len(), 5);
    for (name, answer) in data {
        let answer: Value = serde_json::from_str(answer.as_str().unwrap()).unwrap();
        let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
        assert_eq!((keys, &answer["holds"]), (["at", "evidence", "holds"].iter().map(|it| (*it).to_owned()).collect::<Vec<_>>().iter().collect(), &"yes".into()), "{name}");
    }
    ends(namespace, "teardown --yes", 0);
    assert_eq!(kept(namespace), Value::Null);
}
