//! The plugin, as a person types it.

use std::env;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Lines, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How a command of the plugin ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// The plugin's file.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_kubectl-kubecoin");

/// The plugin in a namespace, with these words, split at spaces.
pub fn command(namespace: &str, words: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(words.split_whitespace()).args(["-n", namespace]).stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub fn run(namespace: &str, words: &str) -> Ran {
    command(namespace, words).output().expect("the plugin starts").into()
}

/// Runs it, which must end with this exit code. Its error is shown first: of a long failure some logs keep only the beginning.
pub fn ends(namespace: &str, words: &str, code: i32) -> Ran {
    let ran = run(namespace, words);
    let error = ran.stderr.rfind("error: ").map_or("no error", |begin| &ran.stderr[begin..]);
    assert!(
        ran.code == code,
        "`{words}` ended with {}, not {code}: {error}\n--- all of it\n{}{}",
        ran.code,
        ran.stderr,
        ran.stdout
    );
    ran
}

/// Starts it, with its output to be read.
pub fn start(namespace: &str, words: &str) -> Child {
    command(namespace, words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the plugin starts")
}

/// A run in the background, and what it says, as it says it.
pub struct Going {
    child: Child,
    /// Its stdout.
    pub out: Said,
    /// Its stderr.
    pub err: Said,
}

/// One of the two streams of a run.
pub struct Said {
    lines: Lines<BufReader<Box<dyn Read>>>,
    text: String,
}

impl Going {
    pub fn begin(namespace: &str, words: &str) -> Self {
        let mut child = start(namespace, words);
        let (out, err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        Self { child, out: Said::by(out), err: Said::by(err) }
    }

    /// Until a line of stdout with these words.
    pub fn until(&mut self, words: &str) {
        self.out.until(words);
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().expect("a process id")), signal).expect("it runs");
    }

    pub fn end(mut self) -> Ran {
        let (stdout, stderr) = (self.out.rest(), self.err.rest());
        let code = self.child.wait().expect("it ends").code().unwrap_or(-1);
        Ran { code, stdout, stderr }
    }
}

impl Said {
    fn by(stream: impl Read + 'static) -> Self {
        let stream: Box<dyn Read> = Box::new(stream);
        Self { lines: BufReader::new(stream).lines(), text: String::new() }
    }

    /// Until a line with these words.
    pub fn until(&mut self, words: &str) {
        while !self.text.contains(words) {
            let line = self.lines.next().unwrap_or_else(|| panic!("no {words:?} in\n{}", self.text));
            self.text += &(line.expect("text") + "\n");
        }
    }

    fn rest(mut self) -> String {
        let rest: String = self.lines.by_ref().map(|line| line.expect("text") + "\n").collect();
        self.text + &rest
    }
}

/// PATH with a folder before all others.
pub fn path_with(folder: &Path) -> OsString {
    let before = env::var_os("PATH").unwrap_or_default();
    env::join_paths([folder.to_owned()].into_iter().chain(env::split_paths(&before))).expect("a path")
}

/// PATH on which kubectl finds the plugin.
pub fn path() -> OsString {
    path_with(Path::new(PROGRAM).parent().expect("a folder"))
}

/// `kubectl kubecoin`, found on PATH as kubectl finds its plugins.
pub fn through_kubectl(namespace: &str, words: &str) -> Ran {
    Command::new("kubectl")
        .arg("kubecoin")
        .args(words.split_whitespace())
        .args(["-n", namespace])
        .env("PATH", path())
        .output()
        .expect("kubectl starts")
        .into()
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Runs a command that shows what it does, and stops it by a signal when it shows its n-th change of the cluster: those
/// before are made. Gives the exit code of a run that ended before; none of one that was stopped.
pub fn stopped_at(act: usize, namespace: &str, words: &str, signal: Signal) -> Option<i32> {
    let mut child = start(namespace, &format!("{words} --show-commands"));
    let shown = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
    let mut lines = shown.filter(|line| is_change(line)).skip(act - 1);
    if lines.next().is_none() {
        return child.wait().expect("it ends").code();
    }
    kill(Pid::from_raw(child.id().try_into().expect("a process id")), signal).expect("it runs");
    lines.for_each(drop);
    let code = child.wait().expect("it ends").code();
    // The signal may come after the last moment of a run that had nothing left to do.
    assert!(signal == Signal::SIGKILL || matches!(code, Some(130 | 0)), "{words}: {code:?}");
    None
}

/// Whether a line that a command shows is a change of the cluster, or the beginning of a wait.
pub fn is_change(line: &str) -> bool {
    const CHANGES: [&str; 8] =
        [" create ", " apply ", " patch ", " delete ", " exec ", "$ p=", " --watch", " wait pod/"];
    line.starts_with("$ ") && CHANGES.iter().any(|word| line.contains(word))
}
