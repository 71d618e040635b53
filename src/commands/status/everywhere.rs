//! `status -A`: every exchange of the cluster, each on a line.

use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::StatefulSet;
use kube::ResourceExt;
use kube::api::ListParams;
use serde::Serialize;

use super::Args;
use super::report::age;
use crate::commands::shared::look::Look;
use crate::context::Ctx;
use crate::error::Outcome;
use crate::exchange::names;
use crate::findings::{Depth, Finding, Health};
use crate::kubernetes::{Cluster, act};
use crate::observe::{Reading, Snapshot, readiness};
use crate::output::{Column, Table};
use crate::persistence::proof::Proof;
use crate::text::duration;

const COLUMNS: [Column; 7] = [
    Column::always("NAMESPACE"),
    Column::always("HEALTH"),
    Column::always("READY"),
    Column::always("TABLE"),
    Column::always("WALLETS"),
    Column::always("LAST-PROOF"),
    Column::always("AGE"),
];

/// All exchanges of a cluster.
#[derive(Debug, Serialize)]
struct Exchanges {
    items: Vec<Exchange>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Exchange {
    namespace: String,
    /// How it is, in one word.
    health: Health,
    /// The first thing that is the matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    finding: Option<Finding>,
    ready: i32,
    desired: i32,
    complete: bool,
    /// Whether it has its table.
    table: Reading<bool>,
    /// How many wallets it has, if it was asked.
    wallets: Option<u64>,
    /// The last verdict of `persistence-demo`, if there is one.
    last_proof: Option<Proof>,
    created_at: Option<Timestamp>,
}

/// The most exchanges that are shown of one cluster: a large class.
const MOST: u32 = 500;

/// How many are looked at at once: each takes some fifteen requests.
const AT_ONCE: usize = 8;

/// Shows them.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let cluster = ctx.cluster().await?;
    let selector = format!("{},{}={}", names::selector(), names::APP, names::POSTGRES);
    ctx.show(|| act::command(cluster.place(), &["get", "statefulsets", "-A", "-l", &selector]));
    let sets = cluster.list_everywhere::<StatefulSet>(&ListParams::default().labels(&selector).limit(MOST)).await?;
    let read = stream::iter(&sets).map(|set| Exchange::read(set, cluster, super::depth(args))).buffered(AT_ONCE);
    let all = Exchanges { items: read.collect().await };
    match args.output.text("StatusList", &all)? {
        Some(text) => ctx.printer.out_text(&text)?,
        None => ctx.printer.out_text(&table(&all, Timestamp::now()))?,
    }
    Ok(Outcome::holds_if(all.items.iter().all(|exchange| exchange.health.holds())))
}

impl Exchange {
    async fn read(set: &StatefulSet, cluster: &Cluster, depth: Depth) -> Self {
        let namespace = set.namespace().unwrap_or_default();
        let cluster = cluster.in_namespace(&namespace);
        // What cannot be read of it is the same as what the list has, and nothing else.
        let listed = || Snapshot { statefulset: Reading::Present(set.clone()), ..Snapshot::default() };
        let snapshot = Box::pin(Snapshot::glance(&cluster)).await.unwrap_or_else(|_| listed());
        let look = Box::pin(Look::again_if_needed(&cluster, snapshot, depth)).await;
        let database = &look.details.database;
        Self {
            namespace,
            health: look.health,
            finding: look.findings.first().cloned(),
            ready: set.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0),
            desired: set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
            complete: readiness::statefulset(set),
            table: database.map(|database| database.locked || database.columns.is_some()),
            wallets: database.present().and_then(|database| database.rows),
            last_proof: Proof::of(set.annotations()),
            created_at: set.metadata.creation_timestamp.as_ref().map(|time| time.0),
        }
    }
}

fn table(all: &Exchanges, now: Timestamp) -> String {
    let mut table = Table::new(&COLUMNS, false);
    for exchange in &all.items {
        let has_table = match exchange.table {
            Reading::Present(true) => "yes",
            Reading::Present(false) => "no",
            Reading::Unknown(_) => "unknown",
            Reading::Absent | Reading::NotAsked => "",
        };
        table.row([
            exchange.namespace.clone(),
            exchange.health.word().to_owned(),
            format!("{}/{}", exchange.ready, exchange.desired),
            has_table.to_owned(),
            exchange.wallets.map(|wallets| wallets.to_string()).unwrap_or_default(),
            exchange.last_proof.map(|proof| proof.words(now)).unwrap_or_default(),
            age(exchange.created_at, now).map(duration).unwrap_or_default(),
        ]);
    }
    table.text()
}
