//! Question 2: the exchange's set with two replicas, only where something keeps a second server away from the claim.

mod ready;
mod scale;
mod templates;

use std::time::Duration;

use tokio::join;
use tokio::time::Instant;

use crate::commands::shared::demo::exchange::load::{self, Task};
use crate::commands::shared::demo::exchange::rows::{Marked, removal};
use crate::context::Ctx;
use crate::exchange::{names, psql};
use crate::kubernetes::Cluster;
use crate::lesson::replicas::Seen;
use crate::observe::{Reading, Reason};
use crate::persistence::identity::PodSeen;
use crate::persistence::load::FIRST;
use crate::persistence::rows::{READ_MARKED, Row, Run, parse};

/// By when the pods with a claim each must be Ready: they are not worth a longer wait.
const LIMIT: Duration = Duration::from_secs(42);

/// The pause after each row: a few tell that none is lost.
const PAUSE: Duration = Duration::from_millis(100);

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
    Box::pin(marked.write(ctx, "")).await?;
    let (pod, mark) = (ready.backend.as_str(), marked.mark.as_str());
    let task = Task { pod, mark, first: FIRST, pause: PAUSE, limit: WRITING, otherwise: None };
    let writer = load::start(ctx, &task).await?;
    ctx.printer.note(format!("pod/{pod} writes rows to {} meanwhile", names::POSTGRES_SERVICE));
    let second = Box::pin(scale::follow(ctx, &ready.set)).await?;
    let cluster = ctx.cluster().await?;
    let load = writer.stop_at_once(cluster).await;
    let (rows, after) = join!(rows(ctx, run), pod_now(cluster));
    // If that fails, it is tried again at the end of the run.
    drop(ctx.perform(&removal(run)).await);
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

/// The marked rows that are in the first pod.
async fn rows(ctx: &Ctx, run: &Run) -> Reading<Vec<Row>> {
    let failed = |why: String| Reading::Unknown(Reason::Failed(why));
    match ctx.perform(&psql::with_values(names::POSTGRES_POD, &[("mark", &run.mark())], READ_MARKED)).await {
        Ok(ended) if ended.code == 0 => {
            parse(ended.stdout.lines()).map_or_else(|error| failed(format!("{error:#}")), Reading::Present)
        }
        Ok(ended) => failed(ended.stderr.trim().to_owned()),
        Err(error) => failed(format!("{error:#}")),
    }
}

async fn pod_now(cluster: &Cluster) -> Reading<PodSeen> {
    Reading::from(cluster.get(names::POSTGRES_POD).await).map(|pod| PodSeen::from(pod))
}
