//! The cluster's kubectl.

use std::io::Write as _;
use std::process::Stdio;

use super::testbed::{self, Ended};

/// Runs `testbed kubectl` with these words, split at spaces.
pub fn run(words: &str) -> Ended {
    testbed::run(&format!("kubectl {words}"))
}

/// Runs it, which must succeed, and gives its stdout.
pub fn ok(words: &str) -> String {
    testbed::ok(&format!("kubectl {words}")).stdout
}

/// `kubectl apply` of this text.
pub fn apply(yaml: &str) {
    let mut apply = testbed::command(&["kubectl", "apply", "--filename", "-"]);
    let mut child = apply.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("xtask starts");
    child.stdin.take().expect("piped").write_all(yaml.as_bytes()).expect("it reads");
    assert!(child.wait().expect("it ends").success(), "kubectl apply of\n{yaml}");
}
