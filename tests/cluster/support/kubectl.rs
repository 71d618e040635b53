//! kubectl, as a person types it.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::wait::WaitStatus;
use serde_json::Value;

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub succeeded: bool,
    pub stdout: String,
    pub stderr: String,
}

/// Runs kubectl with these words, split at spaces.
pub fn run(words: &str) -> Ended {
    command(&words.split_whitespace().collect::<Vec<_>>(), "")
}

/// Runs kubectl with these words and this stdin.
pub fn command(words: &[&str], stdin: &str) -> Ended {
    let mut child = Command::new("kubectl")
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("kubectl starts");
    // A command that ends without reading its stdin is judged by how it ends.
    let _ = child.stdin.take().expect("piped").write_all(stdin.as_bytes());
    let output = child.wait_with_output().expect("kubectl ends");
    Ended {
        succeeded: output.status.success(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs kubectl, which must succeed, and gives its stdout.
pub fn ok(words: &str) -> String {
    let ended = run(words);
    assert!(ended.succeeded, "kubectl {words}\n{}{}", ended.stdout, ended.stderr);
    ended.stdout
}

/// `kubectl apply -f -` of this text.
pub fn apply(yaml: &str) {
    let ended = command(&["apply", "-f", "-"], yaml);
    assert!(ended.succeeded, "kubectl apply\n{}\n{yaml}", ended.stderr);
}

/// An object, or nothing if it is not there.
pub fn get(object: &str) -> Option<Value> {
    let text = ok(&format!("get {object} --ignore-not-found --output json"));
    (!text.is_empty()).then(|| serde_json::from_str(&text).expect("JSON of an object"))
}

/// A field of an object by its JSON pointer, as text; empty if it is not there.
pub fn field(object: &str, pointer: &str) -> String {
    match get(object).as_ref().and_then(|object| object.pointer(pointer)) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

/// A line as typed in a terminal: with a PTY, and ended after a deadline at the latest. Gives whether it succeeded, and all
/// that the terminal showed.
pub fn in_terminal(line: &str, deadline: Duration) -> (bool, String) {
    let mut shell = Command::new("sh");
    shell.args(["-c", line]);
    let limit = deadline.as_millis().try_into().expect("a short time");
    let mut terminal =
        rexpect::session::spawn_command(shell, Some(limit)).unwrap_or_else(|error| panic!("{line}: {error}"));
    let shown = terminal.exp_eof().unwrap_or_else(|error| panic!("{line}: {error}"));
    let status = terminal.process().wait().unwrap_or_else(|error| panic!("{line}: {error}"));
    (matches!(status, WaitStatus::Exited(_, 0)), shown)
}

/// SQL in a pod, as one line a row with `|` between columns.
pub fn sql(pod: &str, statement: &str) -> Ended {
    let psql =
        ["exec", "--stdin", pod, "--", "psql", "-X", "-U", "postgres", "-d", "kubecoin", "-v", "ON_ERROR_STOP=1"];
    command(&[&psql[..], &["-A", "-t", "-f", "-"]].concat(), statement)
}
