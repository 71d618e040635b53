//! How far the questions of the lesson are answered: read from a `ConfigMap` of the namespace, and kept there.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt;
use kube::api::ListParams;
use serde_json::{Value, json};

use crate::context::Ctx;
use crate::exchange::names;
use crate::kubernetes::act::{Create, Patch, command};
use crate::kubernetes::{Cause, Cluster, Object};
use crate::lesson::results::{Answer, Results, key, key_of_exercise};
use crate::observe::{Reading, Reason};
use crate::program;

/// Reads them. Nobody has answered anything where there is no `ConfigMap`.
pub async fn read(ctx: &Ctx) -> anyhow::Result<Reading<Results>> {
    let cluster = ctx.cluster().await?;
    ctx.show(|| command(cluster.place(), &["get", "configmap", names::LESSON, "-o", "yaml"]));
    Ok(match Reading::from(cluster.get::<ConfigMap>(names::LESSON).await) {
        Reading::Absent => Reading::Present(Results::default()),
        kept => kept.map(|kept| Results::from(kept)),
    })
}

/// Those of every namespace in which somebody has tried a question, in one request.
///
/// # Errors
/// If there is no cluster to ask.
pub async fn everywhere(ctx: &Ctx) -> anyhow::Result<Reading<BTreeMap<String, Results>>> {
    let cluster = ctx.cluster().await?;
    let field = format!("metadata.name={}", names::LESSON);
    ctx.show(|| command(cluster.place(), &["get", "configmaps", "-A", "--field-selector", &field, "-o", "yaml"]));
    let listed = cluster.list_everywhere::<ConfigMap>(&ListParams::default().fields(&field)).await;
    let by_namespace = |kept: &Vec<ConfigMap>| {
        kept.iter().map(|kept| (kept.namespace().unwrap_or_default(), Results::from(kept))).collect()
    };
    Ok(Reading::from(listed.map(Some)).map(by_namespace))
}

/// That it is unknown which questions are answered, and why; none if it is known.
#[must_use]
pub fn unknown<T>(kept: &Reading<T>) -> Option<String> {
    match kept {
        Reading::Unknown(Reason::Forbidden(why) | Reason::Failed(why)) => {
            Some(format!("it is unknown which questions are answered: {why}"))
        }
        _ => None,
    }
}

/// Keeps what came of a question. That it cannot be kept changes nothing of it.
pub async fn keep(ctx: &Ctx, number: u8, answer: &Answer) {
    keep_as(ctx, &key(number), answer).await;
}

/// Keeps that an exercise is solved. That it cannot be kept changes nothing of it.
pub async fn keep_exercise(ctx: &Ctx, number: u8, answer: &Answer) {
    keep_as(ctx, &key_of_exercise(number), answer).await;
}

async fn keep_as(ctx: &Ctx, key: &str, answer: &Answer) {
    if let Err(error) = write(ctx, key, answer).await {
        ctx.printer.warning(&format!("the result could not be saved in configmap/{}: {error:#}", names::LESSON));
    }
}

async fn write(ctx: &Ctx, key: &str, answer: &Answer) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    let data = json!({ (key): serde_json::to_string(answer)? });
    // It is there but for the first time.
    match ctx.perform(&Patch { object: object(cluster, json!({ "data": data })) }).await {
        Err(error) if matches!(Cause::of(&error), Some(Cause::NotFound(_))) => {}
        patched => return patched.map(drop),
    }
    let (label, value) = names::PART_OF;
    let labels = json!({ (label): value, "app.kubernetes.io/managed-by": program::NAME });
    let body = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": names::LESSON, "namespace": cluster.namespace(), "labels": labels },
        "data": data,
    });
    ctx.perform(&Create { object: object(cluster, body), hidden: None, dry_run: false }).await.map(drop)
}

fn object(cluster: &Cluster, body: Value) -> Object {
    Object::named::<ConfigMap>(names::LESSON, cluster.namespace(), body)
}
