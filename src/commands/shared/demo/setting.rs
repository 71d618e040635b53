//! Reads what a run took place on, for its report.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::api::ListParams;
use tokio::join;

use crate::kubernetes::Cluster;
use crate::observe::{Reading, Reason};
use crate::persistence::evidence::Evidence;
use crate::persistence::identity::{ClaimSeen, PodSeen};
use crate::persistence::setting::{Class, Image, Machine, Setting};

/// The most pods whose images are named.
const MOST: u32 = 100;

/// What a run has seen of what it took place on.
#[derive(Default)]
pub struct Seen<'a> {
    /// The pods that were deleted, and those that came after.
    pub pods: Vec<&'a PodSeen>,
    /// Their claims, where they are known.
    pub claims: Vec<Option<&'a ClaimSeen>>,
    /// The pods whose images are told.
    pub selector: String,
}

impl<'a> Seen<'a> {
    /// What was recorded of pods, and the selector of those whose images are told.
    #[must_use]
    pub fn of(evidence: &'a Evidence, selector: &str) -> Self {
        let moments = evidence.turns.iter().flat_map(|turn| [Some(&turn.before), turn.after.present()]).flatten();
        let claims = moments.clone().flat_map(|moment| &moment.claims).map(|claimed| claimed.claim.present());
        Self {
            pods: moments.map(|moment| &moment.pod).collect(),
            claims: claims.collect(),
            selector: selector.to_owned(),
        }
    }
}

/// Reads all at once.
pub async fn read(cluster: &Cluster, seen: &Seen<'_>) -> Setting {
    let (server, nodes, class, images) =
        join!(cluster.version(), nodes(cluster, seen), class(cluster, seen), images(cluster, seen));
    Setting {
        plugin: env!("CARGO_PKG_VERSION").to_owned(),
        server: server.map(|version| Some(version.git_version)).into(),
        nodes,
        class,
        images,
    }
}

async fn nodes(cluster: &Cluster, seen: &Seen<'_>) -> BTreeMap<String, Reading<Machine>> {
    let names: BTreeSet<&String> = seen.pods.iter().filter_map(|pod| pod.node.as_ref()).collect();
    let read = names.into_iter().map(|name| async move {
        let node = Reading::from(cluster.get::<Node>(name).await);
        (name.clone(), node.map(|node| Machine::from(node)))
    });
    join_all(read).await.into_iter().collect()
}

/// The class that all claims have.
async fn class(cluster: &Cluster, seen: &Seen<'_>) -> Reading<Class> {
    let classes: BTreeSet<Option<&str>> = seen.claims.iter().flatten().map(|claim| claim.class.as_deref()).collect();
    match classes.into_iter().collect::<Vec<_>>().as_slice() {
        [] => Reading::NotAsked,
        [None] => Reading::Absent,
        [Some(name)] => Reading::from(cluster.get::<StorageClass>(name).await).map(|class| Class::from(class)),
        several => {
            let names: Vec<&str> = several.iter().map(|name| name.unwrap_or("none")).collect();
            Reading::Unknown(Reason::Failed(format!("the claims have several: {}", names.join(", "))))
        }
    }
}

async fn images(cluster: &Cluster, seen: &Seen<'_>) -> Reading<Vec<Image>> {
    let ours = ListParams::default().labels(&seen.selector).limit(MOST);
    let pods = Reading::from(cluster.list::<Pod>(&ours).await.map(Some));
    pods.map(|pods| pods.iter().flat_map(Image::of).collect())
}
