//! The processes of a container of the test cluster, found on this machine and not through the API server, which may be away.

use std::fs::{self, File};
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::testbed::wait::{self, Deadline};

/// How long the kernel may take to halt processes.
const HALT: Duration = Duration::from_secs(10);

/// A container by its id at the runtime.
#[derive(Clone, Debug)]
pub struct Container {
    id: String,
}

/// A process of a container.
#[derive(Debug)]
pub struct Process {
    /// Its id, as this machine sees it.
    pub pid: i32,
    /// Its command line, with spaces between the words.
    pub command: String,
    /// Whether it was stopped.
    halted: bool,
}

impl Container {
    /// By the id that a pod's status has: `containerd://…`.
    pub fn new(id: &str) -> Result<Self> {
        let (_, id) = id.split_once("://").with_context(|| format!("{id:?} is no container's id"))?;
        ensure!(!id.is_empty(), "a container without an id");
        Ok(Self { id: id.to_owned() })
    }

    /// Its processes, in the order of their ids. One that ends meanwhile is left out.
    pub fn processes(&self) -> Result<Vec<Process>> {
        let mut all = Vec::new();
        for entry in fs::read_dir("/proc").context("cannot read /proc")? {
            let folder = entry?.path();
            let pid = folder.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok());
            if let Some(pid) = pid
                && let Some(process) = self.process(&folder, pid)
            {
                all.push(process);
            }
        }
        all.sort_by_key(|process| process.pid);
        Ok(all)
    }

    fn process(&self, folder: &Path, pid: i32) -> Option<Process> {
        let cgroup = fs::read_to_string(folder.join("cgroup")).ok()?;
        if !is_in(&cgroup, &self.id) {
            return None;
        }
        let command = fs::read(folder.join("cmdline")).ok()?;
        let command = String::from_utf8_lossy(&command).replace('\0', " ").trim().to_owned();
        let status = fs::read_to_string(folder.join("status")).ok()?;
        // One that has ended, and that its parent has not asked about yet, is no process any more.
        let state = status.lines().find_map(|line| line.strip_prefix("State:")).unwrap_or_default().trim();
        (!state.starts_with('Z')).then(|| Process { pid, command, halted: state.starts_with('T') })
    }

    /// Its first process: one that is there as long as the container is.
    fn first(&self) -> Result<i32> {
        let first = self.processes()?.into_iter().next();
        first.map(|process| process.pid).with_context(|| format!("container {} has no process", self.id))
    }

    /// A program in its file system and its network, with its environment, and no other part of it: it outlives the container's
    /// processes, and a signal to these does not reach it.
    pub fn program(&self, words: &[&str]) -> Result<Command> {
        let pid = self.first()?;
        let environment = fs::read(format!("/proc/{pid}/environ")).context("cannot read a container's environment")?;
        let mut command = Command::new("nsenter");
        command.arg(format!("--target={pid}")).args(["--mount", "--net", "--"]).args(words);
        command.env_clear();
        for variable in String::from_utf8_lossy(&environment).split('\0') {
            if let Some((name, value)) = variable.split_once('=') {
                command.env(name, value);
            }
        }
        Ok(command)
    }

    /// Its network, for as long as what this gives is held.
    pub fn network(&self) -> Result<Network> {
        let path = format!("/proc/{}/ns/net", self.first()?);
        Ok(Network(File::open(&path).with_context(|| format!("cannot open {path}"))?))
    }

    /// Halts all its processes, until they are let go on.
    pub fn freeze(&self) -> Result<Frozen> {
        self.freeze_those(|_| true)
    }

    /// Halts all but the PostgreSQL server.
    pub fn freeze_all_but_server(&self) -> Result<Frozen> {
        self.freeze_those(|process| !process.is_of_server())
    }

    fn freeze_those(&self, wanted: impl Fn(&Process) -> bool) -> Result<Frozen> {
        let frozen = Frozen(self.clone());
        wait::until(Deadline::after(HALT), || {
            let all = self.processes()?;
            let running = all.iter().filter(|process| wanted(process) && !process.halted).map(|process| process.pid);
            let running: Vec<i32> = running.collect();
            for pid in &running {
                signal(*pid, Signal::STOP);
            }
            Ok(if running.is_empty() { Ok(()) } else { Err(format!("processes {running:?} go on")) })
        })?;
        Ok(frozen)
    }

    /// Kills the PostgreSQL server in it: the process of which all others of the server are children.
    pub fn kill_server(&self) -> Result<()> {
        let all = self.processes()?;
        let server = all.iter().find(|process| is_server(&process.command)).context("there is no PostgreSQL server")?;
        signal(server.pid, Signal::KILL);
        Ok(())
    }
}

/// A container whose processes do not run. They go on when this is dropped.
pub struct Frozen(Container);

impl Frozen {
    /// Lets the PostgreSQL server go on, and nothing else.
    pub fn server_goes_on(&self) -> Result<()> {
        for process in self.0.processes()?.iter().filter(|process| process.is_of_server()) {
            signal(process.pid, Signal::CONT);
        }
        Ok(())
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        for process in self.0.processes().unwrap_or_default() {
            signal(process.pid, Signal::CONT);
        }
    }
}

impl Process {
    /// Whether it is the PostgreSQL server or one of its children.
    fn is_of_server(&self) -> bool {
        is_server(&self.command) || self.command.starts_with("postgres:")
    }
}

/// A network that lives as long as this does, though all its processes end.
pub struct Network(File);

impl Network {
    /// A program of this machine in this network.
    pub fn program(&self, words: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd())).arg("--").args(words);
        command
    }
}

/// One that has ended meanwhile needs no signal.
fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = kill_process(pid, signal);
    }
}

/// Whether a process is in a container's cgroup, by its `/proc/PID/cgroup`: the group's last name is the container's id.
fn is_in(cgroup: &str, id: &str) -> bool {
    cgroup.lines().any(|line| line.rsplit('/').next() == Some(id))
}

/// Whether a command line is a server's. Those of its children begin with `postgres:`.
fn is_server(command: &str) -> bool {
    let program = command.split(' ').next().unwrap_or_default();
    program.rsplit('/').next() == Some("postgres")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_container_is_known_by_the_last_name_of_a_cgroup() -> Result<()> {
        let pod = "/kubecoin/node-1/kubepods/burstable/podaa6c2b58";
        assert!(is_in(&format!("8:pids:{pod}/22944495\n0::{pod}/22944495\n"), "22944495"));
        assert!(!is_in(&format!("0::{pod}/22944495/inner\n"), "22944495"));
        assert!(!is_in(&format!("0::{pod}/22944495\n"), "2294449"));
        assert_eq!(Container::new("containerd://22944495")?.id, "22944495");
        assert!(Container::new("").is_err() && Container::new("containerd://").is_err());
        Ok(())
    }

    #[test]
    fn a_server_is_told_from_its_children_and_from_patroni() {
        assert!(is_server("/usr/lib/postgresql/17/bin/postgres -D /var/lib/postgresql/data/pgdata --port=5432"));
        assert!(is_server("postgres"));
        for other in ["postgres: postgres: checkpointer", "/usr/bin/python3 /usr/bin/patroni /tmp/patroni", ""] {
            assert!(!is_server(other), "{other}");
        }
    }
}
