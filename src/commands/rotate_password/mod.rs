//! `rotate-password`: makes PostgreSQL and what connects to it agree on the passwords, the Secrets' or new ones.

mod members;
mod room;

use std::time::Duration;

use jiff::Timestamp;
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

PostgreSQL keeps the password of its first start on the volume: a changed Secret locks the exchange out. If it is interrupted, run it again to finish.

Of a replicated database, it also sets the passwords that the members use among themselves. With --new, the members restart one after another, the primary last: another member takes its place, and writes fail for one or two seconds.";

/// What `rotate-password` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Set new passwords, and restart with them the backend and the members of a replicated database
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
    let pending = pending(cluster, &used).await?;
    let changes = pending.is_some() || args.new;
    if changes {
        room::check(cluster, backend).await?;
    }
    if used.members.is_some() && (changes || members::is_unfinished(&snapshot)) {
        members::permitted(ctx, cluster).await?;
    }
    let secrets = match pending {
        Some(rotation) => {
            let secret = names::rotated(names::SECRET, &rotation);
            ctx.printer.note(format!("finishing the rotation to secret/{secret}, which was interrupted"));
            create(ctx, &used, &rotation).await?
        }
        None if args.new => {
            if used.members.is_some() {
                members::work(ctx, deadline).await?;
            }
            create(ctx, &used, &objects::new_rotation()).await?
        }
        None => used.clone(),
    };
    agree(ctx, cluster, &secrets.backend).await?;
    if secrets.backend != used.backend {
        point_backend(ctx, cluster, &secrets.backend).await?;
    }
    if let Waited::TimedOut(last) = waiting::until(ctx, deadline, backend_ready, false).await? {
        waiting::say_timed_out(ctx, "the backend was not ready", args.timeout, &last);
        return Ok(Outcome::DoesNotHold);
    }
    if let Some(secret) = &secrets.members {
        members::rotate(ctx, secret, deadline).await?;
    }
    sweep(ctx, cluster, &secrets).await?;
    Ok(Outcome::Holds)
}

/// The Secrets of which passwords are taken.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Secrets {
    backend: String,
    /// None with one server.
    members: Option<String>,
}

impl Secrets {
    /// Each with the name of the one in whose place it may have come.
    fn kinds(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let members = self.members.as_deref().map(|name| (names::MEMBERS_SECRET, name));
        [(names::SECRET, self.backend.as_str())].into_iter().chain(members)
    }
}

/// The backend, and the Secrets that are used.
fn used<'a>(snapshot: &'a Snapshot, cluster: &Cluster) -> Result<(&'a Deployment, Secrets), Error> {
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
        (Some(backend), Some(secret)) => {
            let members = snapshot.members_secret().map(str::to_owned);
            Ok((backend, Secrets { backend: secret.to_owned(), members }))
        }
        _ => Err(Error::new(
            format!("there is no backend that takes its password from a Secret ({})", cluster.place().in_words()),
            cluster.place().by_hand.own("deploy").to("deploy the exchange"),
        )),
    }
}

/// The rotation that did not come to its end: a Secret of it is newer than what is used in its place.
async fn pending(cluster: &Cluster, used: &Secrets) -> anyhow::Result<Option<String>> {
    let rotated = credentials::rotated(cluster).await?;
    let mut kinds = Vec::new();
    for (first, name) in used.kinds() {
        let since = match rotated.iter().find(|secret| secret.name_any() == name) {
            Some(secret) => made(secret),
            None => cluster.get::<Secret>(name).await?.as_ref().and_then(made),
        };
        kinds.push((first, since));
    }
    Ok(newest(&rotated, &kinds))
}

/// The rotation of the newest of these Secrets that is newer than what is used in its place: since when that is there. What is used
/// is no newer than itself.
fn newest(rotated: &[Secret], kinds: &[(&str, Option<Timestamp>)]) -> Option<String> {
    rotated.iter().rev().find_map(|secret| {
        let name = secret.name_any();
        let of = kinds.iter().find_map(|(first, since)| Some((names::rotation_of(&name, first)?, since)));
        of.filter(|(_, since)| made(secret) > **since).map(|(rotation, _)| rotation.to_owned())
    })
}

fn made(secret: &Secret) -> Option<Timestamp> {
    secret.metadata.creation_timestamp.as_ref().map(|time| time.0)
}

/// Creates the Secrets of a rotation that are not there yet. Those of both kinds have the same ending, so that the next run knows
/// which belong together.
async fn create(ctx: &Ctx, used: &Secrets, rotation: &str) -> anyhow::Result<Secrets> {
    let cluster = ctx.cluster().await?;
    for secret in objects::rotated_secrets(cluster.namespace(), used.members.is_some(), rotation)? {
        let object = Object::of(&secret)?;
        if cluster.get::<Secret>(&object.name).await?.is_some() {
            continue;
        }
        let reference = object.reference();
        let hidden = Some(("/stringData", "$(openssl rand -hex 24)"));
        ctx.perform(&Create { object, hidden, dry_run: false }).await?;
        ctx.printer.out(format!("{reference} created"))?;
    }
    let members = used.members.as_ref().map(|_| names::rotated(names::MEMBERS_SECRET, rotation));
    Ok(Secrets { backend: names::rotated(names::SECRET, rotation), members })
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

/// Deletes the Secrets of earlier rotations, and the first one of the members, which nothing needs any more. The exchange's first one
/// stays: the database's pods cannot start without it.
async fn sweep(ctx: &Ctx, cluster: &Cluster, used: &Secrets) -> anyhow::Result<()> {
    let mut all = credentials::rotated(cluster).await?;
    if used.members.as_deref().is_some_and(|name| name != names::MEMBERS_SECRET) {
        let first = cluster.get::<Secret>(names::MEMBERS_SECRET).await?;
        all.extend(first.filter(|secret| marks::is_ours(&secret.metadata)));
    }
    let is_used = |secret: &Secret| used.kinds().any(|(_, name)| name == secret.name_any());
    for secret in all.iter().filter(|secret| !is_used(secret)) {
        let object = Object::of(secret)?;
        let reference = object.reference();
        ctx.perform(&Delete { object, uid: secret.uid() }).await?;
        ctx.printer.out(format!("{reference} deleted"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str, made: i64) -> Secret {
        let made = Timestamp::from_second(made).unwrap();
        serde_json::from_value(json!({ "metadata": { "name": name, "creationTimestamp": made } })).unwrap()
    }

    #[test]
    fn a_rotation_is_pending_as_long_as_one_of_its_secrets_is_not_used() {
        let at = |second: i64| Some(Timestamp::from_second(second).unwrap());
        let both = |backend, members| [(names::SECRET, at(backend)), (names::MEMBERS_SECRET, at(members))];
        let all = [
            secret("postgres-credentials-a", 10),
            secret("postgres-members-a", 11),
            secret("postgres-credentials-b", 20),
            secret("postgres-members-b", 21),
        ];
        let pending = |rotated: &[Secret], kinds: &[(&str, Option<Timestamp>)]| newest(rotated, kinds);
        assert_eq!(pending(&all, &both(10, 11)).as_deref(), Some("b"));
        assert_eq!(pending(&all, &both(20, 11)).as_deref(), Some("b"), "the members are to follow");
        assert_eq!(pending(&all, &both(20, 21)), None);
        assert_eq!(pending(&all[..3], &both(10, 11)).as_deref(), Some("b"), "the second Secret is to be made");
        assert_eq!(pending(&all[..2], &both(10, 1)).as_deref(), Some("a"));
        assert_eq!(pending(&[], &both(1, 1)), None);
        // One server, beside whose Secrets are none of members.
        assert_eq!(pending(&all, &both(10, 11)[..1]).as_deref(), Some("b"));
        assert_eq!(pending(&all, &both(20, 11)[..1]), None);
    }
}
