//! Every exchange of the cluster, for a teacher.

use futures_util::stream::{self, StreamExt, TryStreamExt};
use k8s_openapi::api::apps::v1::StatefulSet;
use kube::ResourceExt;
use kube::api::ListParams;

use super::look::{Look, Scope};
use crate::context::Ctx;
use crate::exchange::names;
use crate::kubernetes::{Cluster, RequestError, act};
use crate::observe::{Reading, Snapshot};

/// The most exchanges that are shown of one cluster: a large class.
const MOST: u32 = 500;

/// How many are looked at at once: each takes some fifteen requests.
const AT_ONCE: usize = 8;

/// The set of every exchange, in the order of the namespaces.
///
/// # Errors
/// If the sets of the cluster cannot be listed.
pub async fn sets(ctx: &Ctx) -> anyhow::Result<Vec<StatefulSet>> {
    let cluster = ctx.cluster().await?;
    let selector = format!("{},{}={}", names::selector(), names::APP, names::POSTGRES);
    ctx.show(|| act::command(cluster.place(), &["get", "statefulsets", "-A", "-l", &selector]));
    Ok(cluster.list_everywhere::<StatefulSet>(&ListParams::default().labels(&selector).limit(MOST)).await?)
}

/// Looks at these, several at a time. Gives what `of` makes of each, in the same order. What cannot be read of one is the same
/// as what the list has, and nothing else.
pub async fn look_at<'a, T>(
    cluster: &Cluster,
    sets: impl IntoIterator<Item = &'a StatefulSet>,
    scope: Scope<'_>,
    of: impl Fn(&StatefulSet, &Cluster, Look) -> T,
) -> Vec<T> {
    let of = &of;
    let looked = stream::iter(sets).map(|set| async move {
        let cluster = in_its_namespace(cluster, set);
        let snapshot = glance(&cluster, set).await.unwrap_or_else(|_| as_listed(set));
        of(set, &cluster, Box::pin(Look::again_if_needed(&cluster, snapshot, scope)).await)
    });
    looked.buffered(AT_ONCE).collect().await
}

/// The same for as long as the server is there.
///
/// # Errors
/// If it is away.
pub async fn look_while_there<'a, T>(
    cluster: &Cluster,
    sets: impl IntoIterator<Item = &'a StatefulSet>,
    scope: Scope<'_>,
    of: impl Fn(&StatefulSet, Look) -> T,
) -> Result<Vec<T>, RequestError> {
    let of = &of;
    let looked = stream::iter(sets).map(|set| async move {
        let cluster = in_its_namespace(cluster, set);
        let snapshot = glance(&cluster, set).await?;
        Ok(of(set, Box::pin(Look::again_if_needed(&cluster, snapshot, scope)).await))
    });
    looked.buffered(AT_ONCE).try_collect().await
}

fn in_its_namespace(cluster: &Cluster, set: &StatefulSet) -> Cluster {
    cluster.in_namespace(&set.namespace().unwrap_or_default())
}

/// Round 1 of reading, or what the list has where nothing can be read. An error if the server is away.
async fn glance(cluster: &Cluster, set: &StatefulSet) -> Result<Snapshot, RequestError> {
    match Box::pin(Snapshot::glance(cluster)).await {
        Err(error) if error.cause.is_away() => Err(error),
        read => Ok(read.unwrap_or_else(|_| as_listed(set))),
    }
}

/// What the list has of an exchange.
fn as_listed(set: &StatefulSet) -> Snapshot {
    Snapshot { statefulset: Reading::Present(set.clone()), ..Snapshot::default() }
}
