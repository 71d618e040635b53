//! Reads what a run took place on, for its report.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::ListParams;
use tokio::join;

use crate::exchange::names;
use crate::kubernetes::Cluster;
use crate::observe::Reading;
use crate::persistence::evidence::{Cycle, Moment};
use crate::persistence::setting::{Class, Image, Machine, Setting};

/// The most pods whose images are named.
const MOST: u32 = 100;

/// Reads all at once.
pub async fn read(cluster: &Cluster, cycles: &[Cycle]) -> Setting {
    let (server, nodes, class, images) =
        join!(cluster.version(), nodes(cluster, cycles), class(cluster, cycles), images(cluster));
    Setting {
        plugin: env!("CARGO_PKG_VERSION").to_owned(),
        server: server.map(|version| Some(version.git_version)).into(),
        nodes,
        class,
        images,
    }
}

/// Both ends of each replacement.
fn moments(cycles: &[Cycle]) -> impl Iterator<Item = &Moment> {
    cycles.iter().flat_map(|cycle| [Some(&cycle.before), cycle.after.present()]).flatten()
}

async fn nodes(cluster: &Cluster, cycles: &[Cycle]) -> BTreeMap<String, Reading<Machine>> {
    let names: BTreeSet<&String> = moments(cycles).filter_map(|moment| moment.identity.pod.node.as_ref()).collect();
    let read = names.into_iter().map(|name| async move {
        let node = Reading::from(cluster.get::<Node>(name).await);
        (name.clone(), node.map(|node| Machine::from(node)))
    });
    join_all(read).await.into_iter().collect()
}

/// The class that the claim had last.
async fn class(cluster: &Cluster, cycles: &[Cycle]) -> Reading<Class> {
    let Some(claim) = moments(cycles).filter_map(|moment| moment.identity.claim.present()).last() else {
        return Reading::NotAsked;
    };
    match &claim.class {
        Some(name) => Reading::from(cluster.get::<StorageClass>(name).await).map(|class| Class::from(class)),
        None => Reading::Absent,
    }
}

async fn images(cluster: &Cluster) -> Reading<Vec<Image>> {
    let ours = ListParams::default().labels(&names::selector()).limit(MOST);
    let pods = Reading::from(cluster.list::<Pod>(&ours).await.map(Some));
    pods.map(|pods| pods.iter().flat_map(Image::of).collect())
}
