//! `--how node`: a node that a command of the user's stops, and another one starts again, whichever way the run ends. No right in
//! a cluster allows that, but who uses kind or minikube, or a cloud's program, often can.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, Command};
use tokio::time::{Instant, timeout};

use super::watched::ms;
use crate::cleanup::{Remedy, Ticket};
use crate::commands::shared::lasting;
use crate::context::Ctx;
use crate::error::Error;
use crate::persistence::How;
use crate::persistence::evidence::NodeAsked;
use crate::text::{self, one_line};

/// The variable by which a command knows the node.
const VARIABLE: &str = "KUBECOIN_NODE";

/// How long what a command has left behind may keep its output open.
const AFTER_ITS_END: Duration = Duration::from_millis(500);

/// As much of its output as is kept to say why a command failed.
const KEPT: usize = 4 << 10;

/// As many lines of that as are shown.
const LINES: usize = 5;

/// How long all else may take on the way out, beside both commands.
const SPARE: Duration = Duration::from_mins(1);

/// The commands that `--how node` needs.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "A whole node (--how node)")]
#[group(skip)]
pub struct Args {
    /// Command that stops the node of the server, with all its pods
    ///
    /// It runs on this machine with `sh -c`, and may take as long as --timeout says. `$KUBECOIN_NODE` is the name of the node. It
    /// cannot ask anything. Reports show the command: take passwords from the environment.
    #[arg(long, value_name = "CMD")]
    stop_node: Option<String>,

    /// Command that starts the node again
    ///
    /// It runs like --stop-node: with several members, once another one answers as the primary; with one server, at once. It also
    /// runs if anything fails, and after Ctrl-C.
    #[arg(long, value_name = "CMD")]
    start_node: Option<String>,
}

/// Refuses commands without the way that they are for, and the reverse.
pub fn check(args: &super::Args, ctx: &Ctx) -> Result<(), Error> {
    let Args { stop_node, start_node } = &args.node;
    let why = match (args.how, stop_node, start_node) {
        (How::Node, Some(_), Some(_)) => return Ok(()),
        (How::Node, ..) => "--how node needs two commands of yours: one stops the node, and one starts it again",
        (_, None, None) => return Ok(()),
        _ => "--stop-node and --start-node are for --how node",
    };
    let docker = |verb: &str| format!("docker {verb} \"${VARIABLE}\"");
    let (stop, start) = (docker("stop"), docker("start"));
    let example = ["persistence-demo", "--how", "node", "--stop-node", &stop, "--start-node", &start];
    Err(Error::new(format!("not started: {why}"), ctx.own_command(example).to("with kind")))
}

/// What stops a node and starts it again.
#[derive(Clone, Debug)]
pub struct Commands {
    asked: NodeAsked,
    /// How long each may take.
    limit: Duration,
}

impl Commands {
    /// Those that were given; none unless a node is to be stopped.
    pub fn of(args: &super::Args) -> Option<Self> {
        let (stop, start) = (args.node.stop_node.clone()?, args.node.start_node.clone()?);
        (args.how == How::Node).then_some(Self { asked: NodeAsked { stop, start }, limit: args.timeout })
    }

    /// As evidence has them.
    pub fn asked(&self) -> NodeAsked {
        self.asked.clone()
    }

    /// Stops a node. It is started again by the ticket that this gives; or at the end of the run, whichever way that ends.
    ///
    /// # Errors
    /// If the command fails. What it has done until then is not known, so the node is started at the end all the same.
    pub async fn stop(&self, ctx: &Ctx, node: &str) -> anyhow::Result<Ticket> {
        let [stop, start] = [("--stop-node", &self.asked.stop), ("--start-node", &self.asked.start)]
            .map(|(flag, text)| Task { flag, text: text.clone(), node: node.to_owned(), limit: self.limit });
        ctx.show(|| stop.by_hand().line());
        ctx.cleanup.allow(self.limit.saturating_mul(2).saturating_add(SPARE));
        let left = format!("node/{node} may still be stopped");
        let remedy = Remedy::of(start.by_hand().line(), left, format!("start node/{node} yourself"));
        // Whoever is interrupted while the node starts leaves that going on, and the end waits for it.
        let is_started = Arc::new(tokio::sync::Mutex::new(false));
        let undo = move || {
            let (start, is_started) = (start.clone(), Arc::clone(&is_started));
            async move { tokio::spawn(once(start, is_started)).await? }
        };
        let (ticket, stopped) = lasting::ticketed(ctx, remedy, async move { stop.run().await }, undo).await?;
        stopped?;
        Ok(ticket)
    }
}

/// Starts a node that was stopped. Gives how many milliseconds that took.
///
/// # Errors
/// If the command fails. It is tried again at the end of the run.
pub async fn start(ctx: &Ctx, ticket: Ticket) -> anyhow::Result<u64> {
    let began = Instant::now();
    ctx.delete_temporary(ticket).await?;
    Ok(ms(began.elapsed()))
}

async fn once(task: Task, is_done: Arc<tokio::sync::Mutex<bool>>) -> anyhow::Result<()> {
    let mut is_done = is_done.lock().await;
    if !*is_done {
        task.run().await?;
        *is_done = true;
    }
    Ok(())
}

/// A command of the user's, for a node.
#[derive(Clone, Debug)]
struct Task {
    /// The flag that it was given by.
    flag: &'static str,
    text: String,
    node: String,
    limit: Duration,
}

impl Task {
    /// The same for a shell.
    fn by_hand(&self) -> text::Command {
        text::Command::new(["env", &format!("{VARIABLE}={}", self.node), "sh", "-c", &self.text])
    }

    /// Runs it to its end. Ctrl-C is for this program alone: a node that is half stopped helps nobody.
    async fn run(&self) -> anyhow::Result<()> {
        let (mut child, output) =
            self.begin().map_err(|error| self.failed(&format!("sh cannot be run: {error}"), ""))?;
        let said = Mutex::default();
        let reading = keep(output, &said);
        tokio::pin!(reading);
        let mut is_read = false;
        let ended = timeout(self.limit, async {
            loop {
                tokio::select! {
                    status = child.wait() => break status,
                    () = &mut reading, if !is_read => is_read = true,
                }
            }
        });
        let ended = ended.await;
        if ended.is_err() {
            end(&child);
        }
        if !is_read {
            let _ = timeout(AFTER_ITS_END, &mut reading).await;
        }
        let said = last_lines(&said.lock().unwrap_or_else(PoisonError::into_inner));
        match ended {
            Ok(Ok(status)) if status.success() => Ok(()),
            Ok(Ok(status)) => Err(self.failed(&how_it_ended(status), &said).into()),
            Ok(Err(error)) => Err(self.failed(&format!("it cannot be waited for: {error}"), &said).into()),
            Err(_) => Err(self.failed(&format!("it was ended after {:?}", self.limit), &said).into()),
        }
    }

    /// Both its streams are one, so that lines stay in their order.
    fn begin(&self) -> io::Result<(Child, Receiver)> {
        let (output, stdout) = io::pipe()?;
        let output = Receiver::from_owned_fd(output.into())?;
        let mut command = Command::new("sh");
        command.args(["-c", &self.text]).env(VARIABLE, &self.node).process_group(0);
        command.stdin(Stdio::null()).stderr(stdout.try_clone()?).stdout(stdout);
        Ok((command.spawn()?, output))
    }

    fn failed(&self, why: &str, said: &str) -> Error {
        let Self { flag, node, .. } = self;
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        Error::new(format!("{flag} failed for node/{node}: {why}{said}"), self.by_hand().to("try it by hand"))
    }
}

/// Keeps the end of what a program writes.
async fn keep(mut output: Receiver, said: &Mutex<Vec<u8>>) {
    let mut piece = [0; 1 << 10];
    while let Ok(read) = output.read(&mut piece).await {
        if read == 0 {
            return;
        }
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend_from_slice(&piece[..read]);
        let too_much = said.len().saturating_sub(KEPT);
        said.drain(..too_much);
    }
}

/// Ends a program with all that it has started.
fn end(child: &Child) {
    let group = child.id().and_then(|id| Pid::from_raw(id.try_into().ok()?));
    if let Some(group) = group {
        // If it has ended by itself meanwhile, there is nothing to end.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// The last lines of what was written, on one line.
fn last_lines(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    one_line(&lines[lines.len().saturating_sub(LINES)..].join("; "))
}

fn how_it_ended(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use clap::Parser;

    use super::*;
    use crate::flags::Global;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        global: Global,
    }

    fn ctx() -> Ctx {
        Ctx::new(Typed::parse_from(["kubectl-kubecoin"]).global, Vec::new())
    }

    /// Commands of which the second one writes a line into a file, each time that it has run to its end.
    fn commands(stop: &str, file: &Path) -> Commands {
        let start = format!("sleep 0.3; echo $KUBECOIN_NODE >>{}", file.display());
        Commands { asked: NodeAsked { stop: stop.to_owned(), start }, limit: Duration::from_secs(30) }
    }

    fn task(text: &str, limit: Duration) -> Task {
        Task { flag: "--stop-node", text: text.to_owned(), node: "node-3".to_owned(), limit }
    }

    async fn failure(text: &str, limit: Duration) -> String {
        format!("{:#}", task(text, limit).run().await.unwrap_err())
    }

    #[tokio::test]
    async fn a_command_knows_its_node_and_a_failure_is_told_with_its_last_lines() {
        let long = Duration::from_secs(30);
        task(r#"test "$KUBECOIN_NODE" = node-3"#, long).run().await.unwrap();
        let why = failure("for n in 1 2 3 4 5 6; do echo line $n; done; echo no such node >&2; exit 3", long).await;
        assert!(why.starts_with("--stop-node failed for node/node-3: exit code 3: "), "{why}");
        assert!(why.contains("line 6") && why.contains("no such node") && !why.contains("line 1"), "{why}");
        assert_eq!(failure("kill -9 $$", long).await, "--stop-node failed for node/node-3: signal 9");
    }

    #[tokio::test]
    async fn a_command_that_takes_too_long_is_ended_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid").display().to_string();
        let why = failure(&format!("sleep 300 & echo $! >{file}; echo wait; wait"), Duration::from_secs(2)).await;
        assert!(why.ends_with("it was ended after 2s: wait"), "{why}");
        let sleep = fs::read_to_string(file).unwrap();
        let stat = || fs::read_to_string(format!("/proc/{}/stat", sleep.trim())).unwrap_or_default();
        let has_ended = |stat: &str| stat.is_empty() || stat.contains(") Z ") || stat.contains(") X ");
        let began = Instant::now();
        while !has_ended(&stat()) {
            assert!(began.elapsed() < Duration::from_secs(30), "{}", stat());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test]
    async fn what_a_command_leaves_running_is_not_waited_for() {
        let began = Instant::now();
        task("sleep 60 & :", Duration::from_mins(1)).run().await.unwrap();
        assert!(began.elapsed() < Duration::from_secs(30));
    }

    #[tokio::test]
    async fn a_node_is_started_once_however_the_run_ends() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("started");
        for (stop, is_interrupted) in [("exit 1", false), (":", false), (":", true)] {
            let _ = fs::remove_file(&file);
            let ctx = ctx();
            let work = async {
                let ticket = commands(stop, &file).stop(&ctx, "node-3").await?;
                let starting = start(&ctx, ticket);
                if is_interrupted {
                    // What is dropped here while it runs is waited for at the end.
                    timeout(Duration::from_millis(50), starting).await?
                } else {
                    starting.await
                }
            };
            let outcome = ctx.cleanup.around(work, ctx.printer).await;
            assert_eq!(outcome.is_ok(), stop == ":" && !is_interrupted, "{stop}");
            assert_eq!(fs::read_to_string(&file).unwrap(), "node-3\n", "{stop}");
        }
    }

    #[test]
    fn a_person_can_run_the_same() {
        let line = task(r#"docker stop "$KUBECOIN_NODE""#, Duration::ZERO).by_hand().line();
        assert_eq!(line, r#"env 'KUBECOIN_NODE=node-3' sh -c 'docker stop "$KUBECOIN_NODE"'"#);
    }
}
