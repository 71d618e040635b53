//! `psql` in a terminal, and what it must not leave behind.

use std::process::Command;
use std::time::Duration;

use nix::unistd::Pid;
use rexpect::session::{PtySession, spawn_command};

use super::deployed::sql;
use super::kubectl;
use super::wait::until;

const SOON: Duration = Duration::from_mins(1);

/// What a run of `psql` has left behind: programs in the pod, and connections to the server.
pub fn left_behind(namespace: &str) -> Result<(), String> {
    let count = "grep -lsz '^PGAPPNAME=kubectl-kubecoin-' /proc/[0-9]*/environ | wc -l";
    let ended = kubectl::command(&["exec", "postgres-0", "-n", namespace, "--", "sh", "-c", count], "");
    let connections = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'kubectl-kubecoin-%';";
    match (ended.stdout.trim(), sql(namespace, connections).as_str()) {
        ("0", "0") => Ok(()),
        (programs, connections) => Err(format!("{programs} programs, {connections} connections")),
    }
}

/// What was ended goes: a server's backend ends some time after it was told to.
pub fn has_gone(namespace: &str) {
    until("psql has gone", SOON, || left_behind(namespace));
}

/// A terminal in which `psql` runs, and then a line says `code` and another one how the terminal is.
pub struct Terminal {
    pub session: PtySession,
    pub device: String,
    before: String,
    pub pid: Pid,
}

impl Terminal {
    pub fn open(namespace: &str) -> Self {
        let plugin = env!("CARGO_BIN_EXE_kubectl-kubecoin");
        let line = format!(
            "tty; stty rows 33 cols 99; stty -g; sh -c 'echo $$; exec {plugin} psql -n {namespace}'; \
             echo code $?; echo after $(stty -g)"
        );
        let mut shell = Command::new("sh");
        shell.args(["-c", &line]).env("TERM", "xterm");
        let mut session = spawn_command(shell, Some(60_000)).unwrap();
        let [device, before, pid] = [(); 3].map(|()| session.read_line().unwrap());
        session.exp_string("kubecoin=# ").unwrap();
        Self { session, device, before, pid: Pid::from_raw(pid.parse().unwrap()) }
    }

    pub fn types(&mut self, line: &str) {
        self.session.send(&format!("{line}\r")).unwrap();
        self.session.flush().unwrap();
    }

    pub fn shows(&mut self, text: &str) -> String {
        self.session.exp_string(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
    }

    /// The session ends with this exit code and leaves the terminal as it was. Gives what was shown.
    pub fn ends(mut self, code: i32) -> String {
        let shown = self.shows(&format!("code {code}\r\n"));
        self.shows(&format!("after {}\r\n", self.before));
        shown
    }
}
