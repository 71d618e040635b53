//! The exchange's database at one moment: its pod, its claim, its server and its rows.

use std::time::Duration;

use anyhow::Context as _;
use tokio::join;
use tokio::time::{Instant, sleep};

use super::super::storage::claimed;
use crate::exchange::{names, psql};
use crate::kubernetes::Cluster;
use crate::kubernetes::act::Act;
use crate::kubernetes::exec::Ended;
use crate::observe::{Reading, Reason};
use crate::persistence::evidence::{Data, Database, Moment};
use crate::persistence::identity::{ASK, PodSeen};
use crate::persistence::recovery;
use crate::persistence::rows::{self, READ};

/// How long what is there again may take to be read.
pub const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(200);

/// As much of the server's log as tells how it started.
const LOG: u32 = 64 << 10;

/// All identities and all rows, with the pod as the watch has it.
pub async fn read(cluster: &Cluster, pod: &PodSeen) -> anyhow::Result<Moment> {
    let ask = psql::script(&pod.name, &describe());
    read_by(cluster, pod, async { Ok(ask.execute(cluster).await?) }).await
}

/// The server of a pod, and all rows.
pub async fn database(cluster: &Cluster, pod: &str) -> anyhow::Result<Database> {
    parse(&psql::script(pod, &describe()).execute(cluster).await?)
}

/// The same, with what the server is described by.
pub async fn read_by(
    cluster: &Cluster,
    pod: &PodSeen,
    described: impl Future<Output = anyhow::Result<Ended>>,
) -> anyhow::Result<Moment> {
    let (claims, described) = join!(claimed(cluster, pod.claim.iter().cloned()), described);
    Ok(Moment { pod: pod.clone(), claims, data: Data::Postgres(Box::new(parse(&described?)?)) })
}

/// The same once it is there again, for as long as that may take.
pub async fn read_patiently(cluster: &Cluster, pod: &PodSeen) -> Reading<Moment> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match read(cluster, pod).await {
            Ok(moment) => return Reading::Present(moment),
            Err(_) if Instant::now() < deadline => sleep(PAUSE).await,
            Err(error) => return Reading::Unknown(Reason::Failed(format!("{error:#}"))),
        }
    }
}

/// The lines of the server's log that say how it started.
pub async fn log(cluster: &Cluster, pod: &str) -> Reading<Vec<String>> {
    match cluster.log(pod, names::POSTGRES, LOG).await {
        Ok(log) => Reading::Present(recovery::telling(&log)),
        Err(error) => Reading::Unknown(error.into()),
    }
}

/// In place of rows, where there is no table.
const NO_TABLE: &str = "no table";

/// The SQL for the server on one line, and each row on one.
pub fn describe() -> String {
    format!(
        "{ASK}SELECT to_regclass('public.wallets') IS NOT NULL AS there \\gset\n\\if :there\n{READ}\\else\n\\echo {NO_TABLE}\n\\endif\n"
    )
}

fn parse(ended: &Ended) -> anyhow::Result<Database> {
    anyhow::ensure!(ended.code == 0, "psql ended with exit code {}: {}", ended.code, ended.stderr.trim());
    let mut lines = ended.stdout.lines().filter(|line| !line.is_empty()).peekable();
    let server = serde_json::from_str(lines.next().context("psql wrote nothing")?)?;
    let rows = match lines.peek() {
        Some(&NO_TABLE) => Reading::Absent,
        _ => Reading::Present(rows::parse(lines)?),
    };
    Ok(Database { server, rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVER: &str = r#"{"system":"7","timeline":1,"startedAt":"2026-11-24T02:00:00.5+00:00","start":"1.5","wal":"0/10","walBytes":16,"directory":"/d","inode":"2","device":"3","lock":"","version":"17.2","settings":{"fsync":"on"}}"#;
    const ROW: &str = r#"{"id" : "anna", "sum" : "x", "balance" : "1000.00", "updated" : "2026-11-24T02:00:00"}"#;

    fn parsed(lines: &[&str]) -> anyhow::Result<Database> {
        parse(&Ended { code: 0, stdout: lines.join("\n") + "\n", stderr: String::new() })
    }

    #[test]
    fn no_table_is_not_a_table_without_rows() {
        assert_eq!(parsed(&[SERVER, NO_TABLE]).unwrap().rows, Reading::Absent);
        assert_eq!(parsed(&[SERVER]).unwrap().rows, Reading::Present(vec![]));
        assert_eq!(parsed(&[SERVER, ROW]).unwrap().rows.present().unwrap()[0].id, "anna");
        assert!(parsed(&[]).is_err() && parsed(&[ROW]).is_err() && parsed(&[SERVER, "x"]).is_err());
    }
}
