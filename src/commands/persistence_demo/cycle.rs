//! One replacement: everything before, the replacement, everything after.

use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::ResourceExt;
use tokio::join;
use tokio::time::{Instant, sleep};

use super::Args;
use super::follow::{self, Watched};
use super::load::{self, Writer};
use super::preflight::Ready;
use super::rows::Marked;
use super::view;
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::{names, psql};
use crate::kubernetes::Cluster;
use crate::kubernetes::act::{Act, Exec, command};
use crate::kubernetes::exec::Ended;
use crate::observe::{Reading, Reason};
use crate::persistence::evidence::{Cycle, Moment};
use crate::persistence::identity::{ASK, ClaimSeen, Identity, PodSeen, Server};
use crate::persistence::recovery;
use crate::persistence::rows::{self, READ, Row};
use crate::persistence::timeline::Kind;

/// How long what is there again may take to be read.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(200);

/// As much of the server's log as tells how it started.
const LOG: u32 = 64 << 10;

/// Runs one of them, by its number; the first one writes the marked rows. `first` is the number of the first row under load.
pub async fn run(
    args: &Args,
    ctx: &Ctx,
    marked: &Marked<'_>,
    ready: &Ready,
    (number, first): (u32, u32),
) -> anyhow::Result<Cycle> {
    let cluster = ctx.cluster().await?;
    let (watched, pod) = Watched::begin(ctx, names::POSTGRES_POD, Instant::now() + PATIENCE).await?;
    if !pod.ready {
        return Err(Error::new("not started: pod/postgres-0 is not ready", ctx.own_command("status --wait")).into());
    }
    let before = if number == 1 {
        moment_by(cluster, &pod, marked.write(ctx, args, &describe())).await?
    } else {
        ctx.show(|| psql::script(&describe()).kubectl(cluster.place()));
        moment(cluster, &pod).await?
    };
    view::heading(ctx, args, marked, number)?;
    let writer = writer(args, ctx, ready, &marked.mark, first).await?;
    let asked_at = Timestamp::now();
    let deadline = Instant::now() + args.timeout;
    let of = (&pod, &before.identity.server);
    let followed = follow::through(ctx, watched, args.how, of, ready.backend.as_deref(), deadline).await?;
    let load = match &writer {
        Some(writer) => writer.stop(cluster).await,
        None => Reading::NotAsked,
    };
    let answered = followed.timeline.event(Kind::Answered).is_some();
    let (after, log) = match &followed.timeline.last {
        Some(pod) if answered => {
            ctx.show(|| command(cluster.place(), &["logs", names::POSTGRES_POD]));
            join!(patiently(cluster, pod), log(cluster))
        }
        _ => (Reading::Absent, Reading::NotAsked),
    };
    Ok(Cycle {
        run: marked.run.clone(),
        how: args.how,
        asked_at,
        marked: args.rows,
        before,
        after,
        timeline: followed.timeline,
        log,
        name: followed.name,
        name_error: followed.name_error,
        load,
        max_gap_ms: args.max_gap.map(|gap| gap.as_millis().try_into().unwrap_or(u64::MAX)),
    })
}

/// Starts the writer, if there is to be one.
async fn writer(args: &Args, ctx: &Ctx, ready: &Ready, mark: &str, first: u32) -> anyhow::Result<Option<Writer>> {
    if !args.under_load {
        return Ok(None);
    }
    let Some(backend) = &ready.backend else {
        let hint = ctx.own_command("status");
        return Err(Error::new("nothing was deleted: there is no backend pod to write from", hint).into());
    };
    Ok(Some(load::start(ctx, backend, mark, first, args.timeout + PATIENCE * 2).await?))
}

/// All identities and all rows, with the pod as the watch has it.
pub async fn moment(cluster: &Cluster, pod: &PodSeen) -> anyhow::Result<Moment> {
    let ask = Exec { pod: pod.name.clone(), ..psql::script(&describe()) };
    moment_by(cluster, pod, async { Ok(ask.execute(cluster).await?) }).await
}

/// The same, with what the server is described by.
async fn moment_by(
    cluster: &Cluster,
    pod: &PodSeen,
    described: impl Future<Output = anyhow::Result<Ended>>,
) -> anyhow::Result<Moment> {
    let ((claim, volume), described) = join!(storage(cluster, pod.claim.as_deref()), described);
    let (server, rows) = parse(&described?)?;
    Ok(Moment { identity: Identity { pod: pod.clone(), claim, volume, server }, rows })
}

/// The same once it is there again, for as long as that may take.
pub async fn patiently(cluster: &Cluster, pod: &PodSeen) -> Reading<Moment> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match moment(cluster, pod).await {
            Ok(moment) => return Reading::Present(moment),
            Err(_) if Instant::now() < deadline => sleep(PAUSE).await,
            Err(error) => return Reading::Unknown(Reason::Failed(format!("{error:#}"))),
        }
    }
}

/// A claim, and the UID of its volume.
pub async fn storage(cluster: &Cluster, claim: Option<&str>) -> (Reading<ClaimSeen>, Reading<String>) {
    let Some(name) = claim else { return (Reading::Absent, Reading::NotAsked) };
    let claim = Reading::from(cluster.get::<PersistentVolumeClaim>(name).await).map(|claim| ClaimSeen::from(claim));
    let volume = claim.present().and_then(|claim| claim.volume.as_deref());
    let Some(volume) = volume else { return (claim, Reading::NotAsked) };
    let volume = Reading::from(cluster.get::<PersistentVolume>(volume).await);
    let uid = volume.map(|volume| volume.uid().unwrap_or_default());
    (claim, uid)
}

async fn log(cluster: &Cluster) -> Reading<Vec<String>> {
    match cluster.log(names::POSTGRES_POD, names::POSTGRES, LOG).await {
        Ok(log) => Reading::Present(recovery::telling(&log)),
        Err(error) => Reading::Unknown(error.into()),
    }
}

/// In place of rows, where there is no table.
const NO_TABLE: &str = "no table";

/// The SQL for the server on one line, and each row on one.
fn describe() -> String {
    format!(
        "{ASK}SELECT to_regclass('public.wallets') IS NOT NULL AS there \\gset\n\\if :there\n{READ}\\else\n\\echo {NO_TABLE}\n\\endif\n"
    )
}

fn parse(ended: &Ended) -> anyhow::Result<(Server, Reading<Vec<Row>>)> {
    anyhow::ensure!(ended.code == 0, "psql ended with exit code {}: {}", ended.code, ended.stderr.trim());
    let mut lines = ended.stdout.lines().filter(|line| !line.is_empty()).peekable();
    let server = serde_json::from_str(lines.next().context("psql wrote nothing")?)?;
    let rows = match lines.peek() {
        Some(&NO_TABLE) => Reading::Absent,
        _ => Reading::Present(rows::parse(lines)?),
    };
    Ok((server, rows))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = r#"{"system":"7","timeline":1,"startedAt":"2026-11-24T02:00:00.5+00:00","start":"1.5","wal":"0/10","walBytes":16,"directory":"/d","inode":"2","device":"3","lock":"","version":"17.2","settings":{"fsync":"on"}}"#;
    const ROW: &str = r#"{"id" : "anna", "sum" : "x", "balance" : "1000.00", "updated" : "2026-11-24T02:00:00"}"#;

    fn parsed(lines: &[&str]) -> anyhow::Result<(Server, Reading<Vec<Row>>)> {
        parse(&Ended { code: 0, stdout: lines.join("\n") + "\n", stderr: String::new() })
    }

    #[test]
    fn no_table_is_not_a_table_without_rows() {
        assert_eq!(parsed(&[SERVER, NO_TABLE]).unwrap().1, Reading::Absent);
        assert_eq!(parsed(&[SERVER]).unwrap().1, Reading::Present(vec![]));
        assert_eq!(parsed(&[SERVER, ROW]).unwrap().1.present().unwrap()[0].id, "anna");
        assert!(parsed(&[]).is_err() && parsed(&[ROW]).is_err() && parsed(&[SERVER, "x"]).is_err());
    }
}
