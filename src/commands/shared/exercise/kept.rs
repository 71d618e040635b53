//! The record of the exercise that runs: a `ConfigMap` of the namespace.

use k8s_openapi::api::core::v1::ConfigMap;
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::names;
use crate::kubernetes::act::{Act, Create, Delete, Patch};
use crate::kubernetes::{Cluster, Object};
use crate::lesson::exercise::record::Record;
use crate::program;

/// Reads it; none if no exercise runs.
///
/// # Errors
/// If the server does not say, or it is no such record.
pub async fn read(ctx: &Ctx) -> anyhow::Result<Option<Record>> {
    let cluster = ctx.cluster().await?;
    let Some(kept) = cluster.get::<ConfigMap>(names::EXERCISE).await? else { return Ok(None) };
    match Record::of(&kept) {
        Some(record) => Ok(Some(record)),
        None => Err(Error::new(
            format!("configmap/{} is not the record of an exercise that this version can read", names::EXERCISE),
            ctx.by_hand
                .kubectl(["delete", "configmap", names::EXERCISE])
                .to("delete it")
                .and(ctx.own_command("deploy --force-conflicts").to("restore what deploy applies")),
        )
        .into()),
    }
}

/// The record of the exercise that runs.
///
/// # Errors
/// If none runs, with how to start one.
pub async fn of_running(ctx: &Ctx) -> anyhow::Result<Record> {
    if let Some(record) = read(ctx).await? {
        return Ok(record);
    }
    let says = format!("no exercise runs in namespace {}", ctx.cluster().await?.namespace());
    Err(Error::new(says, ctx.own_command("exercise start").to("start one")).into())
}

/// The same of one whose fault is there to be found.
///
/// # Errors
/// As above; if its start was stopped before the fault was seen, with how to undo it.
pub async fn of_started(ctx: &Ctx) -> anyhow::Result<Record> {
    let record = of_running(ctx).await?;
    if record.made {
        return Ok(record);
    }
    let says = format!("exercise {} has not started: its start was stopped, or still goes on", record.number);
    Err(Error::new(says, ctx.own_command("exercise undo").to("undo what was done of it")).into())
}

/// Its creation, before the fault is made. It is not shown: nothing of it is for eyes.
///
/// # Errors
/// If it has no form in JSON, which is a mistake of this program.
pub fn creation(cluster: &Cluster, record: &Record) -> anyhow::Result<Create> {
    let (label, value) = names::PART_OF;
    let labels = json!({ (label): value, "app.kubernetes.io/managed-by": program::NAME,
                         (names::EXERCISE_LABEL): record.number.to_string() });
    let body = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": names::EXERCISE, "namespace": cluster.namespace(), "labels": labels },
        "data": record.data()?,
    });
    Ok(Create { object: object(cluster, body), hidden: None, dry_run: false })
}

/// Keeps what has changed of it.
///
/// # Errors
/// If it cannot be changed.
pub async fn update(ctx: &Ctx, record: &Record) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    let (key, text) = record.entry()?;
    let patch = Patch { object: object(cluster, json!({ "data": { (key): text } })) };
    Ok(patch.execute(cluster).await.map(drop)?)
}

/// Deletes it: the exercise is over.
///
/// # Errors
/// If it cannot be deleted.
pub async fn delete(ctx: &Ctx) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    ctx.perform(&Delete { object: object(cluster, Value::Null), uid: None }).await.map(drop)
}

/// The same without a word.
///
/// # Errors
/// As above.
pub async fn delete_silently(cluster: &Cluster) -> anyhow::Result<()> {
    Ok((Delete { object: object(cluster, Value::Null), uid: None }).execute(cluster).await.map(drop)?)
}

fn object(cluster: &Cluster, body: Value) -> Object {
    Object::named::<ConfigMap>(names::EXERCISE, cluster.namespace(), body)
}
