//! Question 2: the exchange's set with two replicas, only where something keeps a second server away from the claim.

mod pods;
mod ready;
mod scale;
mod templates;
pub mod unguarded;

use std::time::Duration;

use tokio::join;
use tokio::time::{Instant, sleep};

use crate::commands::shared::demo::exchange::load::{self, Task};
use crate::commands::shared::demo::exchange::rows::{Marked, removal};
use crate::context::Ctx;
use crate::exchange::{names, psql};
use crate::kubernetes::Cluster;
use crate::kubernetes::act::{Act, Exec};
use crate::lesson::replicas::Seen;
use crate::observe::{Reading, Reason};
use crate::persistence::identity::PodSeen;
use crate::persistence::load::FIRST;
use crate::persistence::rows::{READ_MARKED, Row, Run, parse};

/// By when the pods with a claim each must be Ready: they are not worth a longer wait.
const LIMIT: Duration = Duration::from_secs(42);

/// The pause after each row: a few tell that none is lost.
const PAUSE: Duration = Duration::from_millis(100);

/// How long the rows may take to be read.
const PATIENCE: Duration = Duration::from_secs(30);

/// The pause before that is tried again.
const AGAIN: Duration = Duration::from_millis(200);

/// How long the writer may write, should nothing stop it.
const WRITING: Duration = Duration::from_secs(90);

/// Does it, and gives what was seen.
///
/// # Errors
/// `NoRoom` if there is no room for a second pod; or if the exchange is not as it should be, or nothing keeps a second server
/// away.
pub async fn observe(ctx: &Ctx, run: &Run, is_alone: bool) -> anyhow::Result<Seen> {
    let deadline = Instant::now() + LIMIT;
    let ready = Box::pin(ready::check(ctx, is_alone)).await?;
    // The writer ends once the marked rows of its run are gone, so there must be one.
    let marked = Marked { is_alone, ..Marked::new(run, 1, false) };
    Box::pin(marked.write(ctx, names::POSTGRES_POD, "")).await?;
    let (pod, mark) = (ready.backend.as_str(), marked.mark.as_str());
    let task = Task { pod, mark, first: FIRST, pause: PAUSE, limit: WRITING, otherwise: None };
    let writer = load::start(ctx, &task).await?;
    ctx.printer.note(format!("pod/{pod} writes rows to {} meanwhile", names::POSTGRES_SERVICE));
    let second = Box::pin(scale::follow(ctx, &ready.set)).await?;
    let cluster = ctx.cluster().await?;
    let load = writer.stop_at_once(cluster).await;
    let read = psql::with_values(names::POSTGRES_POD, &[("mark", &run.mark())], READ_MARKED);
    ctx.show(|| read.kubectl(cluster.place()));
    let (rows, after) = join!(rows(cluster, &read), pod_now(cluster));
    // If that fails, it is tried again at the end of the run.
    drop(ctx.perform(&removal(names::POSTGRES_POD, run)).await);
    Ok(Seen {
        run: run.clone(),
        claim: ready.claim,
        before: ready.pod,
        after,
        second,
        load,
        rows,
        templates: templates::observe(ctx, run, deadline).await,
    })
}

/// The marked rows that are in the first pod. The way to it may be away for a moment: a kubelet that starts again knows no pods
/// yet, and says so.
async fn rows(cluster: &Cluster, read: &Exec) -> Reading<Vec<Row>> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let why = match read.execute(cluster).await {
            Ok(ended) if ended.code == 0 => {
                let rows = parse(ended.stdout.lines());
                return rows.map_or_else(|error| failed(format!("{error:#}")), Reading::Present);
            }
            Ok(ended) => ended.stderr.trim().to_owned(),
            Err(error) if error.cause.is_refusal() && !error.cause.is_not_found() => return failed(error.to_string()),
            Err(error) => error.to_string(),
        };
        if Instant::now() >= deadline {
            return failed(why);
        }
        sleep(AGAIN).await;
    }
}

fn failed(why: String) -> Reading<Vec<Row>> {
    Reading::Unknown(Reason::Failed(why))
}

async fn pod_now(cluster: &Cluster) -> Reading<PodSeen> {
    Reading::from(cluster.get(names::POSTGRES_POD).await).map(|pod| PodSeen::from(pod))
}
