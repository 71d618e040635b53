//! `psql`: psql in the pod of the database, with this program's own stdin, stdout and terminal.

mod plan;

use std::cell::Cell;
use std::convert::Infallible;
use std::fs::File;
use std::future::pending;
use std::io::{self, stderr, stdin, stdout};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;

use super::shared::primary::{Primary, primary};
use super::shared::{namespace, waiting};
use crate::cleanup::Ticket;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::exchange::{names, psql};
use crate::findings::Finding;
use crate::kubernetes::act::Act;
use crate::kubernetes::exec::{Mode, PIECES, Program, Session, Size, Streams};
use crate::kubernetes::{Cause, Cluster};
use crate::output::streams::{self, Input};
use crate::output::terminal::{self, Raw};
use crate::output::written;
use plan::Plan;

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin psql                                    # type SQL; end with quit
  kubectl kubecoin psql -c 'SELECT * FROM wallets'
  kubectl kubecoin psql -f changes.sql                     # a file on this machine
  pg_dump mine | kubectl kubecoin psql -- -v ON_ERROR_STOP=1
  kubectl kubecoin psql -c 'COPY wallets TO STDOUT' > wallets.txt
  kubectl kubecoin psql -c 'COPY wallets FROM STDIN' < wallets.txt
  kubectl kubecoin psql --member postgres-1                # with deploy --ha: a member that copies

With -c, only SQL that names stdin reads it, so it is safe in a shell loop.
The exit code is psql's: 0 success, 1 a fatal error of psql, 2 a lost connection to the server, 3 an error in a script with ON_ERROR_STOP. It is also 2 if psql could not run, or if the connection to the cluster was lost.";

/// What `psql` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// SQL or psql command to run; can be repeated
    #[arg(short, long, value_name = "SQL", conflicts_with = "file")]
    command: Vec<String>,

    /// File on this machine to run; - for stdin
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// With a replicated database: the member to ask, instead of the one that takes writes
    #[arg(long, value_name = "POD")]
    member: Option<String>,

    /// More arguments for psql, passed on unchanged
    #[arg(last = true, value_name = "ARGS")]
    psql: Vec<String>,
}

/// Runs psql, and gives its exit code.
///
/// # Errors
/// If it cannot be run, or the connection is lost before it has ended.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let file = plan::file(args).map(open).transpose()?;
    let server = server(args, ctx).await?;
    let plan = Plan::new(args, &server, terminal::is_interactive());
    let cluster = ctx.cluster().await?;
    ctx.show(|| plan.kubectl(cluster.place()));
    match connect(ctx, &plan, file).await {
        Ok(NO_SERVER) => {
            say_reasons(ctx).await;
            Ok(Outcome::Exit(u8::try_from(NO_SERVER)?))
        }
        Ok(code) => Ok(Outcome::Exit(u8::try_from(code).unwrap_or(1))),
        Err(error) => Err(explain(ctx, error).await),
    }
}

/// The server that is asked.
async fn server(args: &Args, ctx: &Ctx) -> anyhow::Result<Primary> {
    let primary = primary(ctx).await?;
    Ok(match &args.member {
        Some(member) => Primary { pod: member.trim_start_matches("pod/").to_owned(), ..primary },
        None => primary,
    })
}

/// Runs psql until it ends. If this run ends before, psql goes with it: the pod's node would keep it, with its locks.
async fn connect(ctx: &Ctx, plan: &Plan, file: Option<File>) -> anyhow::Result<i32> {
    let cluster = ctx.cluster().await?;
    let mark = format!("kubectl-kubecoin-{:08x}", rand::random::<u32>());
    let command = plan.program(&mark);
    let program = Program { pod: &plan.pod, container: names::POSTGRES, command: &command };
    let connected = Rc::new(Cell::new(false));
    let ticket = end_with_this_run(ctx, cluster, psql::end(&plan.pod, &mark), Rc::clone(&connected));
    let session = Session::start(cluster, program, plan.mode).await.inspect_err(|_| ctx.cleanup.forget(ticket))?;
    connected.set(true);
    if plan.mode != Mode::Output {
        ctx.read_stdin();
    }
    let code = carry(session, plan.mode, file).await;
    match code.as_ref().map_err(Cause::of) {
        Ok(_) | Err(Some(Cause::NotRun(_))) => ctx.cleanup.forget(ticket),
        Err(Some(Cause::Lost(_))) => {
            ctx.cleanup.allow(PATIENCE);
            ctx.printer.note("the connection was lost; stopping psql in the pod");
        }
        Err(_) => {}
    }
    code
}

/// How long is tried to end a psql of which it is not known that it was begun.
const BRIEFLY: Duration = Duration::from_secs(2);

/// How much longer is tried to end a psql whose server was lost: one that starts again takes its time.
const PATIENCE: Duration = Duration::from_secs(30);

/// Has psql ended when this run ends, unless it is forgotten before.
fn end_with_this_run(ctx: &Ctx, cluster: &Cluster, end: impl Act + 'static, connected: Rc<Cell<bool>>) -> Ticket {
    let (cluster, end) = (cluster.clone(), Rc::new(end));
    ctx.cleanup.push(end.kubectl(cluster.place()), move || {
        let (cluster, end, connected) = (cluster.clone(), Rc::clone(&end), connected.get());
        async move {
            if !connected {
                let _ = timeout(BRIEFLY, end.execute(&cluster)).await;
                return Ok(());
            }
            match end.execute(&cluster).await {
                // With its pod it has gone as well.
                Err(error) if matches!(error.cause, Cause::NotFound(_) | Cause::NotRun(_)) => Ok(()),
                done => Ok(done.map(drop)?),
            }
        }
    })
}

/// psql's exit code when the connection to the server failed or was lost.
const NO_SERVER: i32 = 2;

fn open(path: &Path) -> Result<File, Error> {
    let opened = File::open(path)
        .and_then(|file| if file.metadata()?.is_dir() { Err(io::ErrorKind::IsADirectory.into()) } else { Ok(file) });
    opened.map_err(|error| {
        Error::new(
            format!("could not read {}: {error}", path.display()),
            "-f needs a file on this machine, or - for stdin",
        )
    })
}

/// Connects psql with the terminal or the pipes of this program until it ends.
async fn carry(session: Session, mode: Mode, file: Option<File>) -> anyhow::Result<i32> {
    let from = match file {
        Some(file) => file,
        None => streams::standard(&stdin())?,
    };
    // What psql does not read stays in stdin: it belongs to somebody else.
    let input = if mode == Mode::Output { Input::default() } else { streams::read(from, PIECES) };
    let (to_stdout, mut stdout_written) = streams::write(streams::standard(&stdout())?, PIECES);
    let (to_stderr, stderr_written) = streams::write(streams::standard(&stderr())?, PIECES);
    let Input { pieces, failure } = input;
    let (sizes, size) = watch::channel(size());
    let size = (mode == Mode::Terminal).then_some(size);
    let raw = (mode == Mode::Terminal).then(Raw::enter).transpose()?;
    let streams = Streams { stdin: pieces, stdout: to_stdout, stderr: to_stderr, size };
    // On a task of its own it goes on until psql is ended, if this run is stopped: an input that broke off would be taken
    // for a whole one, and the half of a statement be done.
    let mut session = tokio::spawn(session.join(streams));
    let code = tokio::select! { biased;
        code = &mut session => code??,
        Ok(error) = failure => {
            return Err(Error::new(format!("could not read psql's input: {error}"), "psql received only a part of it").into());
        }
        // psql need not go on for nobody.
        Ok(ended @ Err(_)) = &mut stdout_written => return written(ended).map(|()| 0),
        never = resized(&sizes) => match never {},
    };
    // All that psql wrote comes before what this program says.
    written(stdout_written.await.unwrap_or(Ok(())))?;
    let _ = stderr_written.await;
    drop(raw);
    Ok(code)
}

fn size() -> Size {
    let (width, height) = terminal::size().unwrap_or((80, 24));
    Size { width, height }
}

/// Tells every new size of the terminal.
async fn resized(sizes: &watch::Sender<Size>) -> Infallible {
    if let Ok(mut changes) = signal(SignalKind::window_change()) {
        while changes.recv().await.is_some() {
            sizes.send_replace(size());
        }
    }
    // Without the signal the last size stays.
    pending().await
}

/// The error, with what is known of the pod if it is the pod that did not take psql.
async fn explain(ctx: &Ctx, error: anyhow::Error) -> anyhow::Error {
    match Cause::of(&error) {
        Some(Cause::Lost(_)) => Error::new(
            format!("{error:#}"),
            ctx.own_command("psql").to("the last command may or may not have been executed; check the tables"),
        )
        .into(),
        Some(Cause::NotFound(_) | Cause::NotRun(_) | Cause::Unavailable(_)) => {
            if let Ok(cluster) = ctx.cluster().await
                && let Err(why) = namespace::check(cluster).await
            {
                return why.into();
            }
            let reasons = waiting::reasons(ctx, names::POSTGRES).await.unwrap_or_default();
            match reasons.first() {
                Some(Finding { hint, .. }) => {
                    let lines = reasons.iter().map(|finding| format!("\n  {} {}", finding.object, finding.says));
                    Error::new(format!("{error:#}{}", lines.collect::<String>()), hint).into()
                }
                None => error,
            }
        }
        _ => error,
    }
}

/// psql has said that it found no server. Says why, as far as the cluster knows.
async fn say_reasons(ctx: &Ctx) {
    let reasons = waiting::reasons(ctx, names::POSTGRES).await.unwrap_or_default();
    for finding in &reasons {
        ctx.printer.note(waiting::line(finding));
    }
    if let Some(finding) = reasons.first() {
        ctx.printer.hint(&finding.hint);
    }
}
