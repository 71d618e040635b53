//! A writer inside the cluster: rows committed one by one through the headless name, before, during and after.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::{Instant, sleep};

use crate::commands::shared::lasting;
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::names;
use crate::kubernetes::act::command;
use crate::kubernetes::exec::{self, Ended, Program};
use crate::kubernetes::{Cause, Cluster, RequestError};
use crate::observe::{Reading, Reason};
use crate::persistence::load::Load;

/// The writer. Its arguments: `start`, `stop`, `drop` or `forget`, what its rows' ids begin with, the number of the first row, for how
/// many seconds it writes or waits, and how many it pauses after each row. The password stays in the container's environment.
const PROGRAM: &str = include_str!("load.py");

/// How long the first row, and the last ones, may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a writer that is stopped at once may take.
const LAST: Duration = Duration::from_secs(3);
/// How much longer a program may take than it waits.
const SPARE: Duration = Duration::from_secs(3);
/// The pause before something that failed for now is tried again.
const AGAIN: Duration = Duration::from_millis(200);
/// The pause after each row, for as many rows as tell how long the server was away.
pub const PAUSE: Duration = Duration::from_millis(5);

/// What a writer is to do.
pub struct Task<'a> {
    /// The pod that it writes from.
    pub pod: &'a str,
    /// What its rows' ids begin with.
    pub mark: &'a str,
    /// The number of its first row.
    pub first: u32,
    /// The pause after each row.
    pub pause: Duration,
    /// How long it writes at most.
    pub limit: Duration,
    /// What the user can do without it.
    pub otherwise: Option<&'static str>,
}

/// A writer that writes.
pub struct Writer {
    pod: String,
    mark: String,
    ended: Rc<Cell<bool>>,
}

/// Starts it, and waits for the first row that is acknowledged. It ends by itself after the limit, and is stopped on every
/// way out.
pub async fn start(ctx: &Ctx, task: &Task<'_>) -> anyhow::Result<Writer> {
    let Task { pod, mark, otherwise, .. } = *task;
    let cluster = ctx.cluster().await?.clone();
    let asked = task.words();
    ctx.show(|| {
        let exec = ["exec", "-i", pod, "--"].into_iter().chain(asked.iter().map(String::as_str));
        command(cluster.place(), &exec.collect::<Vec<_>>()) + " <load.py"
    });
    let ended = Rc::new(Cell::new(false));
    let started = {
        let (cluster, pod) = (cluster.clone(), pod.to_owned());
        async move { run(&cluster, &pod, &asked, PATIENCE).await }
    };
    let stop = {
        let (cluster, pod, words) = (cluster.clone(), pod.to_owned(), words("forget", mark, LAST));
        let ended = Rc::clone(&ended);
        move || {
            let (cluster, pod, words, ended) = (cluster.clone(), pod.clone(), words.clone(), ended.get());
            async move { if ended { Ok(()) } else { Ok(forget(&cluster, &pod, &words).await?) } }
        }
    };
    let file = format!("/tmp/{mark}load.drop");
    let by_hand = command(cluster.place(), &["exec", pod, "-c", names::BACKEND, "--", "touch", &file]);
    let begun = lasting::make(ctx, by_hand, started, stop).await??;
    if begun.code != 0 {
        ended.set(true);
        let why = begun.stderr.trim().lines().last().unwrap_or("it printed nothing");
        let read = ctx.by_hand.kubectl("logs deployment/backend").to("read the backend's log");
        let hint = match otherwise {
            Some(otherwise) => read.and(format!("or {otherwise}")),
            None => read,
        };
        return Err(Error::new(format!("the writer in pod/{pod} cannot write: {why}"), hint).into());
    }
    Ok(Writer { pod: pod.to_owned(), mark: mark.to_owned(), ended })
}

impl Writer {
    /// Stops it once the new server has acknowledged some rows too, and gives what it has done.
    pub async fn stop(&self, cluster: &Cluster) -> Reading<Load> {
        self.end(cluster, "stop").await
    }

    /// Stops it at once, and gives what it has done.
    pub async fn stop_at_once(&self, cluster: &Cluster) -> Reading<Load> {
        self.end(cluster, "drop").await
    }

    async fn end(&self, cluster: &Cluster, mode: &str) -> Reading<Load> {
        let (asked, done) = (words(mode, &self.mark, PATIENCE), words("forget", &self.mark, LAST));
        let deadline = Instant::now() + PATIENCE;
        loop {
            match run(cluster, &self.pod, &asked, PATIENCE).await {
                Ok(ended) => {
                    // If that fails, it is tried again at the end of the run.
                    self.ended.set(forget(cluster, &self.pod, &done).await.is_ok());
                    return read(&self.pod, &ended);
                }
                Err(error) if Instant::now() < deadline && !error.cause.is_refusal() => sleep(AGAIN).await,
                Err(error) => return Reading::Unknown(error.into()),
            }
        }
    }
}

impl Task<'_> {
    /// The words with which it begins.
    fn words(&self) -> Vec<String> {
        let (first, limit, pause) = (self.first, self.limit.as_secs(), self.pause.as_secs_f64());
        let numbers = [first.to_string(), limit.to_string(), pause.to_string()];
        ["python3", "-", "start", self.mark].map(str::to_owned).into_iter().chain(numbers).collect()
    }
}

/// The words with which it ends.
fn words(mode: &str, mark: &str, limit: Duration) -> Vec<String> {
    ["python3", "-", mode, mark, "0", &limit.as_secs().to_string(), "0"].map(str::to_owned).into()
}

async fn run(cluster: &Cluster, pod: &str, words: &[String], waits: Duration) -> Result<Ended, RequestError> {
    let program = Program { pod, container: names::BACKEND, command: words };
    exec::run(cluster, program, PROGRAM, waits + SPARE).await
}

/// Stops it at once, if it has not ended, and removes what it has left. That is tried again for as long as the cleanup's time
/// allows.
async fn forget(cluster: &Cluster, pod: &str, words: &[String]) -> Result<(), RequestError> {
    let deadline = Instant::now() + LAST;
    loop {
        match run(cluster, pod, words, LAST).await {
            // It goes with its pod.
            Ok(_) | Err(RequestError { cause: Cause::NotFound(_), .. }) => return Ok(()),
            Err(error) if Instant::now() < deadline && !error.cause.is_refusal() => sleep(AGAIN).await,
            Err(error) => return Err(error),
        }
    }
}

fn read(pod: &str, ended: &Ended) -> Reading<Load> {
    let load = serde_json::from_str::<Load>(ended.stdout.trim()).context("it printed something unexpected");
    match load {
        Ok(load) => Reading::Present(Load { from: pod.to_owned(), ..load }),
        Err(error) => {
            let last = ended.stderr.trim().lines().last().map_or_else(|| error.to_string(), str::to_owned);
            Reading::Unknown(Reason::Failed(format!("the writer in pod/{pod}: {last}")))
        }
    }
}
