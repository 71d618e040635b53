//! The supervisor: the first process in a PID namespace of its own, and so the parent of all that runs in the cluster. It
//! starts what it is told to, notes how it ends, and never starts anything again by itself. With it goes everything: its
//! processes, their mounts and their networks.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, kill_process, setsid, wait};
use serde::{Deserialize, Serialize};

use super::components::Program;
use super::layout::{self, Plan};
use super::network::{self, Place};
use super::{cgroups, node};
use crate::paths;

/// How long a caller may take to send a request or to take its answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long the supervisor may take to answer: it has one caller at a time, and a machine that is brought up is busy.
const ANSWERS: Duration = Duration::from_mins(1);

/// What can be asked of the supervisor; one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Start it; an error if it runs.
    Start(Program),
    /// Send a signal, by its number, to what runs under a name.
    Signal(String, i32),
    /// Only tell how everything is.
    Status,
}

/// How everything is once a request is done, by name, or why the request was not done; one line of JSON.
pub type Answer = Result<BTreeMap<String, Process>, String>;

/// Something that was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Its id in the supervisor's PID namespace.
    pub pid: i32,
    /// How it is.
    pub state: State,
    /// Its resident memory in KiB, and 0 once it has ended.
    pub resident: u64,
}

/// How a process is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// It runs.
    Running,
    /// It was stopped with SIGSTOP.
    Paused,
    /// It has ended, as said here.
    Ended(String),
}

impl Display for State {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running => formatter.pad("running"),
            Self::Paused => formatter.pad("paused"),
            Self::Ended(how) => formatter.pad(how),
        }
    }
}

/// Becomes the supervisor: enters the cluster's cgroup and, as another program, namespaces of its own.
pub fn launch() -> Result<()> {
    // Away from the terminal of whoever brought the cluster up.
    setsid().context("cannot leave the session")?;
    cgroups::join()?;
    let mut unshare = Command::new("unshare");
    unshare.args(["--kill-child", "--fork", "--pid", "--mount", "--mount-proc", "--propagation", "private"]);
    // Standard input held the lock until here.
    unshare.stdin(Stdio::null());
    unshare.arg(paths::program()?).args(["testbed", "supervise", "--inside"]);
    Err(unshare.exec()).context("cannot start unshare")
}

/// Makes the networks and the file systems of the plan, and then does as it is asked, for ever.
pub fn run() -> Result<()> {
    let plan = Plan::read()?;
    // Hides this machine's: what `ip netns` keeps there is then seen by nobody else, and gone with the supervisor.
    mount("tmpfs", "/run", "tmpfs", MountFlags::NOSUID, None).context("cannot mount a /run")?;
    node::in_memory(&layout::state("etcd"))?;
    network::create(&plan)?;
    let _held = plan.node_numbers().map(node::create).collect::<Result<Vec<_>>>()?;
    // From here on, not before: whoever can connect finds all of the above.
    let listener = UnixListener::bind(layout::socket()).context("cannot listen: is another supervisor there?")?;
    let supervisor = Supervisor::default();
    thread::scope(|scope| {
        let reaper = scope.spawn(|| supervisor.reap());
        for stream in listener.incoming() {
            // A caller that is gone or talks nonsense is its own problem.
            if let Err(error) = stream.map_err(Into::into).and_then(|stream| supervisor.serve(&stream)) {
                crate::process::say(&format!("a request failed: {error:#}"));
            }
            reaper.thread().unpark();
        }
    });
    bail!("the socket was closed")
}

#[derive(Default)]
struct Supervisor {
    processes: Mutex<BTreeMap<String, Started>>,
}

struct Started {
    pid: Pid,
    ended: Option<String>,
}

impl Supervisor {
    fn serve(&self, stream: &UnixStream) -> Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        let answer: Answer = serde_json::from_str(&line)
            .map_err(Into::into)
            .and_then(|request| self.act(request))
            .map_err(|error| format!("{error:#}"));
        let mut line = serde_json::to_vec(&answer)?;
        line.push(b'\n');
        Ok((&*stream).write_all(&line)?)
    }

    fn act(&self, request: Request) -> Result<BTreeMap<String, Process>> {
        let mut processes = self.locked();
        match request {
            Request::Start(program) => {
                if processes.get(&program.name).is_some_and(|started| started.ended.is_none()) {
                    bail!("{} runs already", program.name);
                }
                // While the lock is held: the reaper sees the end only after the beginning is noted.
                let pid = spawn(&program)?;
                processes.insert(program.name, Started { pid, ended: None });
            }
            Request::Signal(name, number) => {
                let signal = Signal::from_named_raw(number).with_context(|| format!("no signal {number}"))?;
                match processes.get(&name) {
                    Some(Started { pid, ended: None }) => {
                        kill_process(*pid, signal).with_context(|| format!("cannot signal {name}"))?;
                    }
                    _ => bail!("{name} does not run"),
                }
            }
            Request::Status => {}
        }
        Ok(processes.iter().map(|(name, started)| (name.clone(), started.look())).collect())
    }

    /// Takes note of every process that ends, also of those whose own parent did before them.
    fn reap(&self) {
        loop {
            match wait(WaitOptions::empty()) {
                Ok(Some((pid, status))) => self.note(pid, status),
                // No child yet: woken by the next request.
                Err(Errno::CHILD) => thread::park(),
                Ok(None) | Err(_) => {}
            }
        }
    }

    fn note(&self, pid: Pid, status: WaitStatus) {
        if let Some(started) = self.locked().values_mut().find(|started| started.pid == pid && started.ended.is_none())
        {
            started.ended = Some(match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => format!("exit code {code}"),
                (_, Some(signal)) => format!("killed by signal {signal}"),
                _ => "ended".to_owned(),
            });
        }
    }

    fn locked(&self) -> MutexGuard<'_, BTreeMap<String, Started>> {
        self.processes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Started {
    fn look(&self) -> Process {
        let pid = self.pid.as_raw_nonzero().get();
        if let Some(how) = &self.ended {
            return Process { pid, state: State::Ended(how.clone()), resident: 0 };
        }
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let (paused, resident) = parse_status(&status);
        Process { pid, state: if paused { State::Paused } else { State::Running }, resident }
    }
}

/// Whether a process is stopped, and its resident memory in KiB, out of its `/proc/PID/status` (proc(5)).
pub fn parse_status(status: &str) -> (bool, u64) {
    let value = |name| status.lines().find_map(|line: &str| line.strip_prefix(name)).unwrap_or_default().trim();
    let resident = value("VmRSS:").trim_end_matches(" kB").parse().unwrap_or(0);
    (value("State:").starts_with('T'), resident)
}

fn spawn(program: &Program) -> Result<Pid> {
    let path = layout::log(&program.name);
    let log = fs::File::options()
        .create(true)
        .append(true)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    let mut command = Command::new("nsenter");
    command.arg(format!("--net={}", program.place.network().display()));
    if let Place::Node(node) = program.place {
        command.arg(format!("--mount={}", node::mounts(node).display()));
    }
    command.arg("--").arg(&program.path).args(&program.arguments).envs(&program.environment);
    let child = command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .with_context(|| format!("cannot start {}", program.name))?;
    i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or_else(|| anyhow!("no process id"))
}

/// Asks the supervisor of this machine's cluster; nothing if there is none.
pub fn ask(request: &Request) -> Result<Option<BTreeMap<String, Process>>> {
    let Ok(stream) = UnixStream::connect(layout::socket()) else { return Ok(None) };
    stream.set_read_timeout(Some(ANSWERS))?;
    stream.set_write_timeout(Some(ANSWERS))?;
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    if (&stream).write_all(&line).is_err_and(|error| error.kind() == ErrorKind::BrokenPipe) {
        return Ok(None);
    }
    let mut answer = String::new();
    match BufReader::new(&stream).read_line(&mut answer) {
        // It died meanwhile.
        Ok(0) => return Ok(None),
        Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(None),
        read => read.context("the supervisor does not answer")?,
    };
    let answer: Answer = serde_json::from_str(&answer)
        .context("the supervisor is of another version\nhint: cargo xtask testbed down, then up")?;
    answer.map(Some).map_err(|error| anyhow!(error))
}

/// Where this machine finds what is at a path where the supervisor, given by its process id, is.
pub fn path(pid: i32, path: &Path) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/root{}", path.display()))
}

/// The supervisor's process id as this machine sees it.
pub fn pid() -> Result<Option<i32>> {
    let Ok(stream) = UnixStream::connect(layout::socket()) else { return Ok(None) };
    let credentials = rustix::net::sockopt::socket_peercred(&stream).context("cannot tell the supervisor's process")?;
    Ok(Some(credentials.pid.as_raw_nonzero().get()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_by_what_proc_says() {
        assert_eq!(parse_status("Name:\tetcd\nState:\tS (sleeping)\nVmRSS:\t   57344 kB\n"), (false, 57344));
        assert_eq!(parse_status("State:\tT (stopped)\nVmRSS:\t 4 kB\n"), (true, 4));
        assert_eq!(parse_status(""), (false, 0));
    }
}
