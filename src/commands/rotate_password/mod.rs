//! `rotate-password`: makes PostgreSQL and the backend agree on a password, the Secret's or a new one.

mod room;

use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Secret;
use kube::ResourceExt;
use serde_json::json;
use tokio::time::Instant;

use super::shared::primary::primary;
use super::shared::waiting::{self, Waited};
use super::shared::{announce, credentials, exercise, snapshot};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::exchange::{marks, names, objects};
use crate::flags::duration;
use crate::kubernetes::act::{Create, Delete, StrategicPatch};
use crate::kubernetes::{Cluster, Object};
use crate::observe::database::Credentials;
use crate::observe::{Reading, Reason, Snapshot, readiness};

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin rotate-password          # set the Secret's password in PostgreSQL again
  kubectl kubecoin rotate-password --new    # set a new password, in a new Secret

PostgreSQL keeps the password of its first start on the volume: a changed Secret locks the exchange out. If it is interrupted, run it again to finish.";

/// What `rotate-password` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Set a new password, and restart the backend with it
    #[arg(long)]
    new: bool,

    /// How long to wait for the database and the backend
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    timeout: Duration,
}

/// Repairs or rotates.
///
/// # Errors
/// If there is no exchange, or a step cannot be done.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let deadline = Instant::now() + args.timeout;
    let done = waiting::within(deadline, rotate(args, ctx, deadline));
    waiting::in_time(ctx, "password rotation did not finish", args.timeout, done.await)
}

/// Each step leaves something from which the next run goes on: a Secret that is newer than the one in use is a rotation
/// that was interrupted.
async fn rotate(args: &Args, ctx: &Ctx, deadline: Instant) -> anyhow::Result<Outcome> {
    announce(ctx).await?;
    exercise::none_runs(ctx, "the password was not changed").await?;
    let cluster = ctx.cluster().await?;
    let snapshot = snapshot(ctx).await?;
    let (backend, used) = used(&snapshot, cluster)?;
    if let Waited::TimedOut(last) = waiting::until(ctx, deadline, waiting::postgres_ready, false).await? {
        waiting::say_timed_out(ctx, "the database was not ready", args.timeout, &last);
        return Ok(Outcome::DoesNotHold);
    }
    let pending = pending(cluster, used).await?;
    if pending.is_some() || args.new {
        room::check(cluster, backend).await?;
    }
    let secret = match pending {
        Some(pending) => {
            ctx.printer.note(format!("finishing the rotation to secret/{pending}, which was interrupted"));
            pending
        }
        None if args.new => create(ctx, snapshot.is_replicated()).await?,
        None => used.to_owned(),
    };
    agree(ctx, cluster, &secret).await?;
    if secret != used {
        point_backend(ctx, cluster, &secret).await?;
    }
    if let Waited::TimedOut(last) = waiting::until(ctx, deadline, backend_ready, false).await? {
        waiting::say_timed_out(ctx, "the backend was not ready", args.timeout, &last);
        return Ok(Outcome::DoesNotHold);
    }
    sweep(ctx, cluster, &secret).await?;
    Ok(Outcome::Holds)
}

/// The backend, and the Secret that it uses.
fn used<'a>(snapshot: &'a Snapshot, cluster: &Cluster) -> Result<(&'a Deployment, &'a str), Error> {
    let there = snapshot.deployments.get(names::BACKEND).and_then(Reading::present);
    match (there, snapshot.backend_secret()) {
        (Some(backend), _) if !marks::is_ours(&backend.metadata) => Err(Error::new(
            format!(
                "deployment.apps/{} belongs to someone else: it does not have the label {}",
                names::BACKEND,
                names::selector()
            ),
            cluster
                .place()
                .by_hand
                .kubectl(["get", &format!("deployment/{}", names::BACKEND), "--show-labels"])
                .to("see who owns it"),
        )),
        (Some(backend), Some(secret)) => Ok((backend, secret)),
        _ => Err(Error::new(
            format!("there is no backend that takes its password from a Secret ({})", cluster.place().in_words()),
            cluster.place().by_hand.own("deploy").to("deploy the exchange"),
        )),
    }
}

/// The Secret of a rotation that did not come to its end: made for the backend, newer than what it uses.
async fn pending(cluster: &Cluster, used: &str) -> anyhow::Result<Option<String>> {
    let rotated = credentials::rotated(cluster).await?;
    let made = |secret: &Secret| secret.metadata.creation_timestamp.as_ref().map(|time| time.0);
    let since = match rotated.iter().find(|secret| secret.name_any() == used) {
        Some(secret) => made(secret),
        None => cluster.get::<Secret>(used).await?.as_ref().and_then(made),
    };
    let newest = rotated.last().filter(|newest| newest.name_any() != used && made(newest) > since);
    Ok(newest.map(ResourceExt::name_any))
}

async fn create(ctx: &Ctx, replicated: bool) -> anyhow::Result<String> {
    let cluster = ctx.cluster().await?;
    let object = Object::of(&objects::rotated_secret(cluster.namespace(), replicated)?)?;
    let (name, reference) = (object.name.clone(), object.reference());
    let hidden = Some(("/stringData", "$(openssl rand -hex 24)"));
    ctx.perform(&Create { object, hidden, dry_run: false }).await?;
    ctx.printer.out(format!("{reference} created"))?;
    Ok(name)
}

/// Makes PostgreSQL take the Secret's password, unless it does.
async fn agree(ctx: &Ctx, cluster: &Cluster, secret: &str) -> anyhow::Result<()> {
    let server = primary(ctx).await?.pod;
    match Credentials::of_secret(cluster, &server, secret).await {
        Reading::Present(Credentials::Accepted) => {
            ctx.printer.out(format!("PostgreSQL has the password of secret/{secret}"))
        }
        Reading::Unknown(Reason::Forbidden(words)) => Err(Error::new(
            format!("could not compare PostgreSQL's password with secret/{secret}: {words}"),
            ctx.by_hand.check_permissions(),
        )
        .into()),
        _ => {
            credentials::take(ctx, &server, secret).await?;
            ctx.printer.out(format!("PostgreSQL now has the password of secret/{secret} (ALTER ROLE)"))
        }
    }
}

/// Points the backend, and it alone, at a Secret. Another Secret for the set would restart the database.
async fn point_backend(ctx: &Ctx, cluster: &Cluster, secret: &str) -> anyhow::Result<()> {
    let from = |key: &str| json!({ "secretKeyRef": { "name": secret, "key": key } });
    let env = json!([
        { "name": names::BACKEND_USER, "valueFrom": from(names::SECRET_USERNAME) },
        { "name": names::BACKEND_PASSWORD, "valueFrom": from(names::SECRET_PASSWORD) },
    ]);
    let containers = json!([{ "name": names::BACKEND, "env": env }]);
    let object = Object::named::<Deployment>(
        names::BACKEND,
        cluster.namespace(),
        json!({ "spec": { "template": { "spec": { "containers": containers } } } }),
    );
    let reference = object.reference();
    ctx.perform(&StrategicPatch { object }).await?;
    ctx.printer.out(format!("{reference} uses secret/{secret}"))
}

fn backend_ready(snapshot: &Snapshot) -> bool {
    snapshot.deployments.get(names::BACKEND).and_then(Reading::present).is_some_and(readiness::deployment)
}

/// Deletes the Secrets of earlier rotations. The first one stays: the database's pod cannot start without it.
async fn sweep(ctx: &Ctx, cluster: &Cluster, used: &str) -> anyhow::Result<()> {
    for secret in credentials::rotated(cluster).await?.iter().filter(|secret| secret.name_any() != used) {
        let object = Object::of(secret)?;
        let reference = object.reference();
        ctx.perform(&Delete { object, uid: secret.uid() }).await?;
        ctx.printer.out(format!("{reference} deleted"))?;
    }
    Ok(())
}
