//! Question 2 without the guards: a practice set whose two servers have one claim, and no lock.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::join;
use tokio::time::Instant;

use super::pods::Pods;
use super::templates::system;
use crate::commands::shared::practice::{self, Made, Wish};
use crate::context::Ctx;
use crate::exchange::practice::{Practice, Storage, server_without_lock};
use crate::exchange::{names, psql};
use crate::kubernetes::Cluster;
use crate::lesson::unguarded::{Damage, Seen, Server, damage, rows};
use crate::observe::{Reading, Reason};
use crate::persistence::identity::PodSeen;
use crate::persistence::rows::Run;

/// As many servers as it takes.
const PODS: u8 = 2;

/// How long the two servers may take to be Ready, one after the other, on a volume that must be created first.
const START: Duration = Duration::from_secs(90);

/// How long it may take until rows are lost, from when both are Ready.
const LIMIT: Duration = Duration::from_mins(1);

/// Creates the table, with a row: so the first server has its page in memory before the second one writes to that.
const CREATE: &str = "SET statement_timeout = '10s';
CREATE TABLE practice (server text, number int, PRIMARY KEY (server, number));
INSERT INTO practice VALUES (:'server', 0);
";

/// Writes rows, each in a transaction of its own. psql shows a row's number once the server has acknowledged it. The checkpoint
/// writes the pages to the volume, as the server does by itself every five minutes.
const WRITE: &str = "SET statement_timeout = '10s';
SELECT format('INSERT INTO practice VALUES (%L, %s) RETURNING number', :'server', number)
  FROM generate_series(1, 20) AS number
\\gexec
CHECKPOINT;
";

const READ: &str = "SET statement_timeout = '10s';
SELECT server, number FROM practice;
";

/// As much of a log as has the last words of a server.
const LINES: u32 = 200;
const BYTES: u32 = 64 << 10;

/// Does it, and gives what was seen. Whatever was created is deleted. The exchange is left alone.
///
/// # Errors
/// `NoRoom` if there is none, before anything is created; or if it cannot be created.
pub async fn observe(ctx: &Ctx, run: &Run) -> anyhow::Result<Seen> {
    let wish =
        Wish { purpose: "one-claim", pods: PODS, in_order: true, pod: server_without_lock, storage: Storage::OneClaim };
    let practice = practice::set_of(ctx, run, wish).await?;
    practice::room(ctx, &practice).await?;
    let mut seen = Seen { set: practice.name(), claim: practice.claim_names().concat(), ..Seen::default() };
    let mut pods = Pods::watch(ctx, &practice).await?;
    ctx.printer.note(format!("statefulset/{} with one claim for all of its pods, and no lock", seen.set));
    let made = practice::create(ctx, &Practice { pods: 1, ..practice }).await?;
    let done = Box::pin(servers(ctx, &made, &mut pods, &mut seen)).await;
    seen.broke_off = done.err().map(|error| format!("{error:#}"));
    let deleted = made.delete(ctx).await;
    // A server that is away ends the experiment too: then it is deleted at the end of the run.
    if seen.broke_off.is_none() {
        deleted?;
    }
    Ok(seen)
}

/// Starts both servers, has them write, and has one of them read after both have ended.
async fn servers(ctx: &Ctx, made: &Made, pods: &mut Pods<'_>, seen: &mut Seen) -> anyhow::Result<()> {
    let both = both(ctx, made, pods, seen).await?;
    let limit = Instant::now() + LIMIT;
    let written = write(ctx, &both, pods, seen).await;
    // Their logs go with them.
    seen.damage = logged(ctx.cluster().await?, &both).await;
    written?;
    made.scale(ctx, 0).await?;
    pods.until_gone(limit).await?;
    ctx.printer.note(format!("  both servers have ended {}", pods.after()));
    made.scale(ctx, 1).await?;
    let alone = pods.until_ready(1, limit).await;
    seen.damage.extend(logged(ctx.cluster().await?, &both[..1]).await);
    for pod in alone? {
        read(ctx, &pod.name, seen).await?;
    }
    Ok(())
}

/// Starts the first server and, once it has a table, the second one on the same data.
async fn both(ctx: &Ctx, made: &Made, pods: &mut Pods<'_>, seen: &mut Seen) -> anyhow::Result<Vec<PodSeen>> {
    let deadline = Instant::now() + START;
    for first in pods.until_ready(1, deadline).await? {
        run(ctx, &first.name, CREATE).await?;
    }
    made.scale(ctx, PODS).await?;
    ctx.printer.note(format!("  statefulset/{} is scaled to {PODS} {}", seen.set, pods.after()));
    let both = pods.until_ready(PODS, deadline).await?;
    seen.both_ready_ms = Some(pods.elapsed_ms());
    Ok(both)
}

/// Has both servers write, and then read.
async fn write(ctx: &Ctx, both: &[PodSeen], pods: &Pods<'_>, seen: &mut Seen) -> anyhow::Result<()> {
    // The second one first: what the first one then writes has nothing of it.
    for pod in both.iter().rev() {
        let server = written(ctx, pod).await?;
        let acknowledged = server.acknowledged.len();
        ctx.printer.note(format!("  pod/{} acknowledged {acknowledged} rows {}", server.pod, pods.after()));
        seen.servers.insert(0, server);
    }
    for server in &mut seen.servers {
        server.sees = match run(ctx, &server.pod, READ).await {
            Ok(text) => rows(&text).map_or(Reading::Absent, Reading::Present),
            Err(error) => Reading::Unknown(Reason::Failed(format!("{error:#}"))),
        };
    }
    Ok(())
}

/// Reads the rows that are there after both servers have ended.
async fn read(ctx: &Ctx, pod: &str, seen: &mut Seen) -> anyhow::Result<()> {
    let read = run(ctx, pod, READ).await;
    if let Err(error) = &read {
        seen.damage.extend(damage(&format!("{error:#}")).map(|says| Damage { pod: pod.to_owned(), says }));
    }
    seen.after = rows(&read?).map_or(Reading::Absent, Reading::Present);
    Ok(())
}

/// Has a server write its rows.
async fn written(ctx: &Ctx, pod: &PodSeen) -> anyhow::Result<Server> {
    let system = system(ctx, &pod.name).await?;
    let ended = ctx.perform(&psql::with_values(&pod.name, &[("server", &pod.name)], WRITE)).await?;
    let acknowledged: BTreeSet<u32> = ended.stdout.lines().filter_map(|line| line.trim().parse().ok()).collect();
    Ok(Server {
        pod: pod.name.clone(),
        uid: pod.uid.clone(),
        node: pod.node.clone(),
        system,
        acknowledged,
        refused: (ended.code != 0).then(|| ended.stderr.trim().to_owned()),
        sees: Reading::NotAsked,
    })
}

/// Runs a script at a server. Gives what it answers.
async fn run(ctx: &Ctx, pod: &str, sql: &str) -> anyhow::Result<String> {
    let ended = ctx.perform(&psql::with_values(pod, &[("server", pod), ("VERBOSITY", "verbose")], sql)).await?;
    anyhow::ensure!(ended.code == 0, "pod/{pod}: {}", ended.stderr.trim());
    Ok(ended.stdout)
}

/// What the logs of these pods say of damage: of the servers that run, and of those before their last restart.
async fn logged(cluster: &Cluster, pods: &[PodSeen]) -> Vec<Damage> {
    let logs = join_all(pods.iter().map(|pod| async {
        let log = |previous| cluster.last_lines(&pod.name, names::POSTGRES, previous, LINES, BYTES);
        let (now, before) = join!(log(false), log(true));
        let says = [before, now].into_iter().flatten().find_map(|log| damage(&log));
        says.map(|says| Damage { pod: pod.name.clone(), says })
    }));
    logs.await.into_iter().flatten().collect()
}
