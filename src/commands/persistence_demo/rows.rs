//! The marked rows in the table: written, and taken away on every way out.

use std::time::Duration;

use anyhow::Context as _;
use tokio::time::{Instant, sleep};

use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::exchange::psql;
use crate::kubernetes::Cluster;
use crate::kubernetes::act::{Act, Exec};
use crate::persistence::rows::{CLEAN, Run, SWEEP, WRITE};

/// How long it waits for a database that is away to take its rows out.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(200);

/// Writes the marked rows, after those of runs that were killed are gone. Gives what their ids begin with.
pub async fn write(ctx: &Ctx, run: &Run, count: u32, keep: bool) -> anyhow::Result<String> {
    let cluster = ctx.cluster().await?;
    let mark = if keep { run.kept_mark() } else { run.mark() };
    let script = psql::with_values(&[("mark", &mark), ("rows", &count.to_string())], &[SWEEP, WRITE].concat());
    ctx.show(|| script.kubectl(cluster.place()));
    let work = {
        let cluster = cluster.clone();
        async move { Ok::<_, anyhow::Error>(script.execute(&cluster).await?) }
    };
    let ended = if keep {
        work.await?
    } else {
        ctx.cleanup.allow(PATIENCE);
        let (cluster, run, own) = (cluster.clone(), run.clone(), ctx.own_command(&clean_words(run)));
        let by_hand = own.clone();
        super::lasting::make(ctx, by_hand, work, move || {
            let (cluster, run, own) = (cluster.clone(), run.clone(), own.clone());
            async move {
                let removed = remove_patiently(&cluster, &run).await;
                removed
                    .map(drop)
                    .with_context(|| format!("the marked rows of run {} are still there; {own}", run.as_str()))
            }
        })
        .await??
    };
    if ended.code != 0 {
        return Err(failed("write the marked rows", &ended.stderr));
    }
    let swept: u64 = ended.stdout.trim().parse().unwrap_or(0);
    if swept > 0 {
        ctx.printer.note(format!("{swept} marked rows of an earlier run that was killed were removed"));
    }
    Ok(mark)
}

fn clean_words(run: &Run) -> String {
    format!("persistence-demo --clean {}", run.as_str())
}

/// Removes what an earlier run has left.
pub async fn clean(ctx: &Ctx, run: &Run) -> anyhow::Result<Outcome> {
    super::super::announce(ctx).await?;
    let cluster = ctx.cluster().await?;
    ctx.show(|| removal(run).kubectl(cluster.place()));
    let removed = remove(cluster, run).await?;
    ctx.printer.out(format!("{removed} rows of run {} removed", run.as_str()))?;
    Ok(Outcome::Holds)
}

/// The act that takes a run's rows away.
pub fn removal(run: &Run) -> Exec {
    psql::with_values(&[("mark", &run.mark()), ("kept", &run.kept_mark())], CLEAN)
}

async fn remove(cluster: &Cluster, run: &Run) -> anyhow::Result<u64> {
    let ended = removal(run).execute(cluster).await?;
    if ended.code != 0 {
        return Err(failed("remove the marked rows", &ended.stderr));
    }
    Ok(ended.stdout.trim().parse()?)
}

async fn remove_patiently(cluster: &Cluster, run: &Run) -> anyhow::Result<u64> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match remove(cluster, run).await {
            // With the table, its rows are gone.
            Err(error) if error.to_string().contains("does not exist") => return Ok(0),
            Err(_) if Instant::now() < deadline => sleep(PAUSE).await,
            removed => return removed,
        }
    }
}

fn failed(what: &str, said: &str) -> anyhow::Error {
    Error::new(
        format!("could not {what}: {}", said.trim()),
        "see what the database says: kubectl kubecoin status, kubectl logs postgres-0",
    )
    .into()
}
