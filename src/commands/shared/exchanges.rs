//! Every exchange of the cluster, for a teacher.

use futures_util::stream::{self, StreamExt};
use k8s_openapi::api::apps::v1::StatefulSet;
use kube::ResourceExt;
use kube::api::ListParams;

use super::look::{Look, Scope};
use crate::context::Ctx;
use crate::exchange::names;
use crate::kubernetes::{Cluster, act};
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

/// Looks at these, several at a time. Gives what `of` makes of each, in the same order.
pub async fn look_at<'a, T>(
    cluster: &Cluster,
    sets: impl IntoIterator<Item = &'a StatefulSet>,
    scope: Scope<'_>,
    of: impl Fn(&StatefulSet, &Cluster, Look) -> T,
) -> Vec<T> {
    let of = &of;
    let looked = stream::iter(sets).map(|set| async move {
        let cluster = cluster.in_namespace(&set.namespace().unwrap_or_default());
        let look = at(set, &cluster, scope).await;
        of(set, &cluster, look)
    });
    looked.buffered(AT_ONCE).collect().await
}

/// What cannot be read of it is the same as what the list has, and nothing else.
async fn at(set: &StatefulSet, cluster: &Cluster, scope: Scope<'_>) -> Look {
    let listed = || Snapshot { statefulset: Reading::Present(set.clone()), ..Snapshot::default() };
    let snapshot = Box::pin(Snapshot::glance(cluster)).await.unwrap_or_else(|_| listed());
    Box::pin(Look::again_if_needed(cluster, snapshot, scope)).await
}
