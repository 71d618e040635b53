//! The exercise that runs in a namespace: what every command may have to know of it.

pub mod kept;
pub mod live;
pub mod restore;
pub mod symptoms;

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::ResourceExt;
use kube::api::ListParams;

use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::names;
use crate::kubernetes::act::command;
use crate::lesson::exercise::record;
use crate::observe::Reading;
use crate::text::Hint;

/// The number of the exercise that runs; absent if none does. Only the labels of its record are read.
///
/// # Errors
/// If there is no cluster to ask.
pub async fn running(ctx: &Ctx) -> anyhow::Result<Reading<u8>> {
    let cluster = ctx.cluster().await?;
    ctx.show(|| {
        command(cluster.place(), &["get", "configmap", names::EXERCISE, "--show-labels", "--ignore-not-found"])
    });
    Ok(match Reading::from(cluster.metadata::<ConfigMap>(names::EXERCISE).await) {
        Reading::Present(there) => record::running(there.labels()).map_or(Reading::Absent, Reading::Present),
        other => other.map(|_| 0),
    })
}

/// Those of every namespace in which an exercise runs, in one request: the numbers by the namespaces. None where that may not
/// be read.
///
/// # Errors
/// If there is no cluster to ask.
pub async fn everywhere(ctx: &Ctx) -> anyhow::Result<BTreeMap<String, u8>> {
    let cluster = ctx.cluster().await?;
    let field = format!("metadata.name={}", names::EXERCISE);
    ctx.show(|| command(cluster.place(), &["get", "configmaps", "-A", "--field-selector", &field, "--show-labels"]));
    let listed = cluster.list_metadata_everywhere::<ConfigMap>(&ListParams::default().fields(&field)).await;
    let all = listed.unwrap_or_default().into_iter();
    Ok(all.filter_map(|there| Some((there.namespace()?, record::running(there.labels())?))).collect())
}

/// The number of the exercise whose cause is not to be told; none if none runs, if that may not be read, or if the user wants to
/// be told.
///
/// # Errors
/// If there is no cluster to ask.
pub async fn untold(ctx: &Ctx, spoil: bool) -> anyhow::Result<Option<u8>> {
    if spoil { Ok(None) } else { Ok(running(ctx).await?.present().copied()) }
}

/// What helps who was not told a cause by a command: to be told, or to end the exercise if nothing is the matter any more.
pub fn what_helps(ctx: &Ctx, command: &str, holds: bool) -> Hint {
    if holds {
        return ctx.own_command("exercise check").to("if you have corrected the fault, end the exercise");
    }
    ctx.own_command([command, "--spoil"]).to("show the causes")
}

/// Makes sure that no exercise runs: it would be mistaken for a fault of the exchange, or undone by half.
///
/// # Errors
/// If one runs, with the ways out; if there is no cluster to ask.
pub async fn none_runs(ctx: &Ctx, what: &str) -> anyhow::Result<()> {
    match running(ctx).await? {
        Reading::Present(number) => {
            let says = format!("{what}: exercise {number} runs in namespace {}", ctx.cluster().await?.namespace());
            let hint = ctx.own_command("exercise check").to("if you have corrected the fault, end it");
            Err(Error::new(says, hint.and(ctx.own_command("exercise undo").to("or undo the fault"))).into())
        }
        _ => Ok(()),
    }
}
