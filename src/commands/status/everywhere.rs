//! `status -A`: every exchange of the cluster, each on a line.

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::StatefulSet;
use kube::ResourceExt;
use serde::Serialize;

use super::Args;
use super::report::age;
use crate::commands::shared::exchanges;
use crate::commands::shared::look::Look;
use crate::context::Ctx;
use crate::error::Outcome;
use crate::findings::{Finding, Health};
use crate::observe::{Reading, readiness};
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

/// Shows them.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let now = Timestamp::now();
    let all = Exchanges {
        items: exchanges::each(ctx, super::depth(args).into(), |set, _, look| Exchange::new(set, &look)).await?,
    };
    match args.output.text("StatusList", &all)? {
        Some(text) => ctx.printer.out_text(&text)?,
        None => ctx.printer.out_text(&table(&all, now))?,
    }
    Ok(Outcome::holds_if(all.items.iter().all(|exchange| exchange.health.holds())))
}

impl Exchange {
    fn new(set: &StatefulSet, look: &Look) -> Self {
        let database = &look.details.database;
        Self {
            namespace: set.namespace().unwrap_or_default(),
            health: look.health,
            finding: look.findings().into_iter().next(),
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
