//! `status -A`: every exchange of the cluster, each on a line.

use futures_util::future::join_all;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::StatefulSet;
use kube::ResourceExt;
use kube::api::ListParams;
use serde::Serialize;

use super::Args;
use super::report::age;
use crate::context::Ctx;
use crate::error::Outcome;
use crate::exchange::names;
use crate::kubernetes::{Cluster, act};
use crate::observe::database::Database;
use crate::observe::{Reading, readiness};
use crate::output::{Column, Table};
use crate::persistence::proof::Proof;
use crate::text::duration;

const COLUMNS: [Column; 6] = [
    Column::always("NAMESPACE"),
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

/// Shows them.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let cluster = ctx.cluster().await?;
    let selector = format!("{},{}={}", names::selector(), names::APP, names::POSTGRES);
    ctx.show(|| act::command(cluster.place(), &["get", "statefulsets", "-A", "-l", &selector]));
    let sets = cluster.list_everywhere::<StatefulSet>(&ListParams::default().labels(&selector).limit(MOST)).await?;
    let items = join_all(sets.iter().map(|set| Exchange::read(set, cluster, args.no_db))).await;
    let all = Exchanges { items };
    match args.output.text("StatusList", &all)? {
        Some(text) => ctx.printer.out_text(&text)?,
        None => ctx.printer.out_text(&table(&all, Timestamp::now()))?,
    }
    Ok(Outcome::holds_if(all.items.iter().all(Exchange::is_healthy)))
}

impl Exchange {
    async fn read(set: &StatefulSet, cluster: &Cluster, no_db: bool) -> Self {
        let namespace = set.namespace().unwrap_or_default();
        let complete = readiness::statefulset(set);
        let database = if complete && !no_db {
            Database::read(&cluster.in_namespace(&namespace), names::POSTGRES_POD).await
        } else {
            Reading::NotAsked
        };
        Self {
            namespace,
            ready: set.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0),
            desired: set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
            complete,
            table: database.map(|database| database.columns.is_some()),
            wallets: database.present().and_then(|database| database.rows),
            last_proof: Proof::of(set.annotations()),
            created_at: set.metadata.creation_timestamp.as_ref().map(|time| time.0),
        }
    }

    /// What is unknown for want of permission, or was not asked, makes nothing unhealthy.
    fn is_healthy(&self) -> bool {
        use crate::observe::Reason::Forbidden;
        self.complete
            && matches!(self.table, Reading::Present(true) | Reading::NotAsked | Reading::Unknown(Forbidden(_)))
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
            format!("{}/{}", exchange.ready, exchange.desired),
            has_table.to_owned(),
            exchange.wallets.map(|wallets| wallets.to_string()).unwrap_or_default(),
            exchange.last_proof.map(|proof| proof.words(now)).unwrap_or_default(),
            age(exchange.created_at, now).map(duration).unwrap_or_default(),
        ]);
    }
    table.text()
}
