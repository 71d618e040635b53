//! The marked rows in the table: written, and deleted on every way out.

use std::mem;
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::{Instant, sleep};

use crate::commands::shared;
use crate::commands::shared::lasting;
use crate::commands::shared::primary::primary_of;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::exchange::psql;
use crate::kubernetes::Cluster;
use crate::kubernetes::act::{Act, Exec};
use crate::kubernetes::exec::Ended;
use crate::output::Printer;
use crate::persistence::rows::{CLEAN, Run, SWEEP, WRITE};

/// How long it waits for a database that is away to take its rows out.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(200);
/// How long nothing is said of that.
const QUIET: Duration = Duration::from_secs(1);

/// The marked rows of a run.
pub struct Marked<'a> {
    pub run: &'a Run,
    /// What their ids begin with.
    pub mark: String,
    /// How many there are.
    pub count: u32,
    /// Whether they are to stay.
    pub are_kept: bool,
    /// Whether the run is known to be alone. It then takes those of runs away first that were killed; else they may be those
    /// of a run in progress.
    pub is_alone: bool,
}

impl<'a> Marked<'a> {
    /// As they are to be.
    pub fn new(run: &'a Run, count: u32, are_kept: bool) -> Self {
        let mark = if are_kept { run.kept_mark() } else { run.mark() };
        Self { run, mark, count, are_kept, is_alone: false }
    }

    /// Writes them, and then runs more SQL in the same psql, whose words it gives: to start a program in a container takes
    /// longer than all that it does.
    pub async fn write(&self, ctx: &Ctx, pod: &str, then: &str) -> anyhow::Result<Ended> {
        let cluster = ctx.cluster().await?;
        let sweep = if self.is_alone { SWEEP } else { "" };
        let values = [("mark", self.mark.as_str()), ("rows", &self.count.to_string())];
        let script = psql::with_values(pod, &values, &[sweep, WRITE, then].concat());
        ctx.show(|| script.kubectl(cluster.place()));
        let work = {
            let cluster = cluster.clone();
            async move { Ok::<_, anyhow::Error>(script.execute(&cluster).await?) }
        };
        let mut ended = if self.are_kept {
            work.await?
        } else {
            ctx.cleanup.allow(PATIENCE);
            let by_hand = ctx.own_command(["persistence-demo", "--clean", self.run.as_str()]).line();
            let (cluster, run, printer) = (cluster.clone(), self.run.clone(), ctx.printer);
            lasting::make(ctx, by_hand, work, move || {
                let (cluster, run) = (cluster.clone(), run.clone());
                async move {
                    let removed = remove_patiently(&cluster, &run, printer).await;
                    let left = || {
                        format!("the marked rows of run {} are still there; the next run deletes them", run.as_str())
                    };
                    removed.map(drop).with_context(left)
                }
            })
            .await??
        };
        if ended.code != 0 {
            return Err(failed(ctx.cluster().await?, pod, "write the marked rows and read the table", &ended.stderr));
        }
        if self.is_alone
            && let Some((swept, rest)) = ended.stdout.split_once('\n')
        {
            if swept != "0" {
                ctx.printer.note(format!("{swept} marked rows of an earlier run that was killed were deleted"));
            }
            ended.stdout = rest.to_owned();
        }
        Ok(ended)
    }
}

/// Removes what an earlier run has left.
pub async fn clean(ctx: &Ctx, run: &Run) -> anyhow::Result<Outcome> {
    shared::announce(ctx).await?;
    let cluster = ctx.cluster().await?;
    let pod = primary_of(cluster).await?.pod;
    ctx.show(|| removal(&pod, run).kubectl(cluster.place()));
    let removed = remove(cluster, &pod, run).await?;
    ctx.printer.out(format!("{removed} rows of run {} deleted", run.as_str()))?;
    Ok(Outcome::Holds)
}

/// The act that takes a run's rows away, in the pod of the server that takes writes.
pub fn removal(pod: &str, run: &Run) -> Exec {
    psql::with_values(pod, &[("mark", &run.mark()), ("kept", &run.kept_mark())], CLEAN)
}

async fn remove(cluster: &Cluster, pod: &str, run: &Run) -> anyhow::Result<u64> {
    let ended = removal(pod, run).execute(cluster).await?;
    if ended.code != 0 {
        return Err(failed(cluster, pod, "delete the marked rows", &ended.stderr));
    }
    Ok(ended.stdout.trim().parse()?)
}

async fn remove_patiently(cluster: &Cluster, run: &Run, printer: Printer) -> anyhow::Result<u64> {
    let start = Instant::now();
    let mut told = false;
    loop {
        // Each time anew: another member may have become the one that takes writes.
        let removed = async { remove(cluster, &primary_of(cluster).await?.pod, run).await };
        match removed.await {
            Err(_) if start.elapsed() < PATIENCE => {}
            removed => return removed,
        }
        if start.elapsed() > QUIET && !mem::replace(&mut told, true) {
            let limit = PATIENCE.as_secs();
            printer.note(format!(
                "waiting up to {limit} s for the database, to delete the marked rows; Ctrl-C leaves them there"
            ));
        }
        sleep(PAUSE).await;
    }
}

fn failed(cluster: &Cluster, pod: &str, what: &str, said: &str) -> anyhow::Error {
    let by_hand = &cluster.place().by_hand;
    Error::new(
        format!("could not {what}: {}", said.trim()),
        by_hand.kubectl(["logs", pod]).to("read the database's log").and(by_hand.own("status")),
    )
    .into()
}
