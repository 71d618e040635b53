//! `init-db`: creates the table of the wallets.

use std::time::Duration;

use k8s_openapi::api::apps::v1::StatefulSet;
use tokio::time::Instant;

use super::shared::{announce, namespace, table, waiting};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::exchange::names;
use crate::flags::duration;

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin init-db
  kubectl kubecoin init-db --timeout 5m     # wait longer for the database to be ready";

/// What `init-db` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// How long to wait for the database to be ready
    #[arg(long, value_name = "TIME", default_value = "2m", value_parser = duration)]
    timeout: Duration,
}

/// Creates the table, and says what was there.
///
/// # Errors
/// If the database cannot be asked.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let deadline = Instant::now() + args.timeout;
    let done = waiting::within(deadline, async {
        announce(ctx).await?;
        is_deployed(ctx).await?;
        table::initialise(ctx, args.timeout, deadline).await
    });
    waiting::in_time(ctx, "the table was not created", args.timeout, done.await)
}

/// There is no point in waiting for a database that nobody has deployed.
async fn is_deployed(ctx: &Ctx) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    if cluster.get::<StatefulSet>(names::POSTGRES).await?.is_some() {
        return Ok(());
    }
    namespace::check(cluster).await?;
    let message = format!(
        "could not create the table: statefulset/{} does not exist in namespace {:?} ({})",
        names::POSTGRES,
        cluster.namespace(),
        cluster.place().cluster_in_words()
    );
    Err(Error::new(message, ctx.own_command("deploy").to("deploy the exchange first")).into())
}
