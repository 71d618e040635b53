//! Round 1 of reading, and how it is shown.

use super::namespace;
use crate::context::Ctx;
use crate::error::Error;
use crate::kubernetes::{Cluster, RequestError, act};
use crate::observe::{Snapshot, snapshot as round};

/// Round 1 of reading, also for a namespace that is not there yet, or not any more.
pub async fn snapshot_of_any(ctx: &Ctx) -> anyhow::Result<Snapshot> {
    let cluster = ctx.cluster().await?;
    show_reading(ctx, cluster);
    Ok(Snapshot::read(cluster).await?)
}

/// Round 1 of reading, for what acts on it.
pub async fn snapshot(ctx: &Ctx) -> anyhow::Result<Snapshot> {
    let cluster = ctx.cluster().await?;
    show_reading(ctx, cluster);
    Box::pin(in_namespace(cluster, Snapshot::read(cluster))).await
}

/// Round 1 of reading, for what only shows it.
pub async fn glance(ctx: &Ctx) -> anyhow::Result<Snapshot> {
    let cluster = ctx.cluster().await?;
    show_reading(ctx, cluster);
    Box::pin(in_namespace(cluster, Snapshot::glance(cluster))).await
}

/// What was read, unless it is of a namespace that is not there to stay: that is asked for where it can be seen in the objects.
async fn in_namespace(
    cluster: &Cluster,
    read: impl Future<Output = Result<Snapshot, RequestError>>,
) -> anyhow::Result<Snapshot> {
    let snapshot = read.await?;
    if snapshot.is_empty() || snapshot.is_ending() {
        namespace::check(cluster).await?;
    }
    Ok(snapshot)
}

fn show_reading(ctx: &Ctx, cluster: &Cluster) {
    for words in round::kubectl(cluster.namespace()) {
        ctx.show(|| act::command(cluster.place(), &words.split(' ').collect::<Vec<_>>()));
    }
}

/// Makes sure that there is an exchange: nothing is done with one that is not there.
///
/// # Errors
/// If there is none, with how to deploy it.
pub async fn is_deployed(ctx: &Ctx, snapshot: &Snapshot) -> anyhow::Result<()> {
    if !snapshot.is_empty() {
        return Ok(());
    }
    let says = format!("no exchange is deployed in namespace {}", ctx.cluster().await?.namespace());
    Err(Error::new(says, ctx.own_command("deploy --init-db").to("deploy it")).into())
}

/// Makes sure that the database is one server, for what works with one alone.
///
/// # Errors
/// If it is replicated: with what is refused, and how to have one server.
pub fn is_one_server(ctx: &Ctx, snapshot: &Snapshot, refused: &str) -> Result<(), Error> {
    if !snapshot.is_replicated() {
        return Ok(());
    }
    Err(Error::new(
        format!("{refused}: the database is replicated, and this works with one server only"),
        ctx.by_hand.own("deploy --init-db --create-namespace").to("deploy one server in another namespace (-n NAME)"),
    ))
}
