//! Any StatefulSet that a user names, as the exchange's own is no other.

use k8s_openapi::api::apps::v1::StatefulSet;
use kube::ResourceExt;

use super::namespace;
use crate::context::Ctx;
use crate::dns::names::is_name;
use crate::error::Error;
use crate::exchange::names;
use crate::kubernetes::{Cluster, act};
use crate::observe::{Reading, Snapshot, target};

/// The kinds that kubectl takes for one.
const KINDS: [&str; 4] = ["statefulset", "statefulsets", "statefulset.apps", "sts"];

/// The name of a set that is given as kubectl takes it.
///
/// # Errors
/// If it is not given so.
pub fn set_name(text: &str) -> Result<String, String> {
    match text.split_once('/') {
        Some((kind, name)) if KINDS.contains(&kind) && is_name(name) => Ok(name.to_owned()),
        _ => Err("give it as kubectl does: statefulset/redis".to_owned()),
    }
}

/// Whether it is the exchange's own, for which there are more checks.
#[must_use]
pub fn is_the_exchanges(set: &StatefulSet) -> bool {
    let (label, exchange) = names::PART_OF;
    set.name_any() == names::POSTGRES && set.labels().get(label).is_some_and(|of| of == exchange)
}

/// Round 1 of reading it.
///
/// # Errors
/// If it is not there, may not be read, or is the exchange's own.
pub async fn glance(ctx: &Ctx, name: &str) -> anyhow::Result<Snapshot> {
    let cluster = ctx.cluster().await?;
    for words in target::kubectl(name) {
        ctx.show(|| act::command(cluster.place(), &words.split(' ').collect::<Vec<_>>()));
    }
    let snapshot = Box::pin(target::read(cluster, name)).await?;
    match &snapshot.statefulset {
        Reading::Present(set) if is_the_exchanges(set) => {
            let says = format!("statefulset/{name} is the exchange's own, for which there are more checks");
            Err(Error::new(says, ctx.own_command("doctor").to("omit --target")).into())
        }
        Reading::Present(_) => Ok(snapshot),
        Reading::Absent => Err(absent(cluster, name).await?.into()),
        Reading::Unknown(_) | Reading::NotAsked => {
            let says = format!("you may not read statefulset/{name} ({})", cluster.place().in_words());
            let can_i = ctx.by_hand.kubectl(["auth", "can-i", "get", &format!("statefulset/{name}")]);
            Err(Error::new(says, can_i.to("check your permissions")).into())
        }
    }
}

/// That it is not there: nor, perhaps, its namespace.
async fn absent(cluster: &Cluster, name: &str) -> Result<Error, Error> {
    namespace::check(cluster).await?;
    let says = format!("statefulset/{name} does not exist in namespace {}", cluster.namespace());
    Ok(Error::new(says, cluster.place().by_hand.kubectl("get statefulsets").to("see which there are")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_named_as_kubectl_does() {
        for text in ["statefulset/redis", "sts/redis", "statefulsets/redis", "statefulset.apps/redis"] {
            assert_eq!(set_name(text), Ok("redis".to_owned()), "{text}");
        }
        for text in ["redis", "deployment/redis", "statefulset/", "statefulset/a b", "sts/-x", "/redis", ""] {
            assert!(set_name(text).is_err(), "{text}");
        }
    }
}
