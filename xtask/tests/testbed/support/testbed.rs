//! The testbed's commands, as a person types them.

use std::env;
use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixStream;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use rustix::net::sockopt::socket_peercred;
use rustix::process::{Pid, Signal, kill_process};

use super::wait;

/// Chooses among the clusters of this machine, by number.
pub const CHOICE: &str = "KUBECOIN_TESTBED";

/// The folder of everything that a cluster keeps on disk.
fn folder() -> String {
    let number = env::var(CHOICE).ok().filter(|number| number != "1").map(|number| format!("-{number}"));
    format!("/var/lib/kubecoin-testbed{}", number.unwrap_or_default())
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit code; nothing if a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// `cargo xtask testbed` with these words.
pub fn command(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg("testbed").args(words).stdin(Stdio::null());
    command
}

/// Runs it to its end, with these words, split at spaces.
pub fn run(words: &str) -> Ended {
    command(&words.split_whitespace().collect::<Vec<_>>()).output().expect("xtask starts").into()
}

/// Runs it, which must succeed.
pub fn ok(words: &str) -> Ended {
    let ended = run(words);
    assert_eq!(ended.code, Some(0), "testbed {words}\n{}{}", ended.stdout, ended.stderr);
    ended
}

/// Starts `up` and kills it as soon as it says this.
pub fn up_killed_at(words: &str) {
    let mut up = command(&["up"]).stderr(Stdio::piped()).spawn().expect("xtask starts");
    let mut said = String::new();
    let mut stderr = BufReader::new(up.stderr.take().expect("piped"));
    while !said.contains(words) {
        let read = stderr.read_line(&mut said).expect("text");
        assert!(read > 0, "`up` ended before it said {words:?}:\n{said}");
    }
    up.kill().expect("it runs");
    assert_eq!(up.wait().expect("it ends").code(), None, "`up` was too fast to be killed at {words:?}");
}

/// Waits until `status` says that all components are ready.
pub fn all_ready() {
    wait::until("all components are ready", Duration::from_mins(1), || {
        let status = run("status");
        if status.code == Some(0) { Ok(()) } else { Err(status.stdout) }
    });
}

/// The process of the supervisor: the one that listens on its socket.
pub fn supervisor() -> Pid {
    let stream = UnixStream::connect(format!("{}/supervisor.sock", folder())).expect("a supervisor");
    socket_peercred(&stream).expect("a peer").pid
}

/// SIGKILLs the supervisor, and waits until it is noticed to be gone.
pub fn kill_supervisor() {
    kill_process(supervisor(), Signal::KILL).expect("it runs");
    wait::until("the supervisor is gone", Duration::from_mins(1), || {
        let status = run("status").stdout;
        if status.contains("no cluster is up") { Ok(()) } else { Err(status) }
    });
}

/// The cluster that a test has for itself: none before, and none after it.
pub struct Cluster(());

impl Cluster {
    /// No cluster yet.
    pub fn none() -> Self {
        ok("down");
        Self(())
    }

    /// A new cluster with these options of `up`.
    pub fn up(options: &str) -> Self {
        let cluster = Self::none();
        ok(&format!("up {options}"));
        cluster
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if thread::panicking() {
            show();
        }
        let down = run("down");
        if !thread::panicking() {
            assert_eq!(down.code, Some(0), "{}", down.stderr);
        }
    }
}

/// A cluster beside the one that a test has; gone with this.
pub struct Another(&'static str);

impl Another {
    /// A new cluster of this number.
    pub fn up(number: &'static str) -> Self {
        let another = Self(number);
        another.ok("up");
        another
    }

    /// `testbed` on it with these words, split at spaces.
    pub fn command(&self, words: &str) -> Command {
        let mut command = command(&words.split_whitespace().collect::<Vec<_>>());
        command.env(CHOICE, self.0);
        command
    }

    /// Runs it, which must succeed.
    pub fn ok(&self, words: &str) -> Ended {
        let ended: Ended = self.command(words).output().expect("xtask starts").into();
        assert_eq!(ended.code, Some(0), "testbed {words} of cluster {}\n{}{}", self.0, ended.stdout, ended.stderr);
        ended
    }
}

impl Drop for Another {
    fn drop(&mut self) {
        let down = self.command("down").output();
        if !thread::panicking() {
            assert!(down.expect("xtask starts").status.success(), "cluster {} does not go", self.0);
        }
    }
}

fn show() {
    eprintln!("--- status\n{}", run("status").stdout);
    eprintln!("--- pods\n{}", run("kubectl get pods --all-namespaces --output wide --request-timeout 5s").stdout);
    eprintln!("--- events\n{}", run("kubectl get events --all-namespaces --request-timeout 5s").stdout);
    let tail = Command::new("sh").args(["-c", &format!("tail --lines 8 {}/logs/*.log", folder())]).output();
    eprintln!("--- logs\n{}", tail.map(|tail| String::from_utf8_lossy(&tail.stdout).into_owned()).unwrap_or_default());
}
