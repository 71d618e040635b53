//! Deletes the files of a volume, through a pod that mounts the claim as their owner.

use std::time::Duration;

use k8s_openapi::api::core::v1::{Node, PersistentVolume, Pod};
use kube::ResourceExt;
use kube::api::ListParams;
use tokio::time::Instant;

use crate::commands::shared::helper::{self, Goal};
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::helper::Helper;
use crate::exchange::marks;
use crate::exchange::names;
use crate::exchange::objects::POSTGRES_UID;
use crate::kubernetes::act::{Act, Exec};
use crate::kubernetes::gone::{self, Leaving};
use crate::kubernetes::{Cause, Cluster, Object, RequestError};
use crate::observe::{Member, Snapshot, readiness};

const PURPOSE: &str = "wipe";
const VOLUME: &str = "/volume";
/// How long it may take. Files are many here, not large.
const LASTS: Duration = Duration::from_mins(10);

/// `lost+found` is the file system's own, and root's.
const SCRIPT: &str = "\
cd /volume
find . -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf -- {} +
left=$(find . -mindepth 1 -maxdepth 1 ! -name lost+found)
[ -z \"$left\" ] || { echo \"left: $left\" >&2; exit 1; }";

/// The files of a member.
pub struct Files {
    /// The claim by which they are reached.
    pub claim: String,
    /// The user whose files they are.
    pub owner: i64,
    /// Where they are, in words.
    pub place: String,
    /// Their volume, if it has to get that claim again first.
    pub again: Option<PersistentVolume>,
}

/// Who owns the files, while the server still runs: what its pod says, or else the user of the official image.
///
/// # Errors
/// If the node that has the files is away.
pub async fn owner(cluster: &Cluster, pod: Option<&Pod>) -> anyhow::Result<i64> {
    let Some(pod) = pod.filter(|pod| pod.metadata.deletion_timestamp.is_none()) else {
        return Ok(POSTGRES_UID);
    };
    let ask = Exec {
        pod: pod.name_any(),
        container: names::POSTGRES,
        command: ["stat", "-c", "%u", names::DATA_PATH].map(str::to_owned).to_vec(),
        stdin: String::new(),
        limit: Duration::from_secs(20),
    };
    match ask.execute(cluster).await {
        // Root needs more than a helper pod may have.
        Ok(ended) => Ok(ended.stdout.trim().parse().ok().filter(|user| *user != 0).unwrap_or(POSTGRES_UID)),
        Err(error) if readiness::pod(pod) && is_away(&error) => {
            let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref()).unwrap_or_default();
            Err(away(node, &error.cause.to_string()).into())
        }
        Err(_) => Ok(POSTGRES_UID),
    }
}

fn is_away(error: &RequestError) -> bool {
    matches!(error.cause, Cause::Unavailable(_) | Cause::Unreachable(_) | Cause::TimedOut(_) | Cause::Garbled(_))
}

/// Fails if the node that has the files is known not to be ready.
///
/// # Errors
/// If so. Who may not read nodes learns it from the pod.
pub async fn node_is_there(cluster: &Cluster, snapshot: &Snapshot, member: &Member) -> anyhow::Result<()> {
    let runs_on = snapshot.pod_of(member).and_then(|pod| pod.spec.as_ref()?.node_name.clone());
    let node = match (runs_on, member.volume.present().and_then(marks::pinned_to)) {
        (Some(node), _) => cluster.get::<Node>(&node).await,
        (None, Some(hostname)) => {
            let pinned = ListParams::default().labels(&format!("{}={hostname}", names::HOSTNAME)).limit(1);
            cluster.list::<Node>(&pinned).await.map(|mut nodes| nodes.pop())
        }
        (None, None) => return Ok(()),
    };
    let Ok(Some(node)) = node else { return Ok(()) };
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    match conditions.iter().find(|condition| condition.type_ == "Ready") {
        Some(ready) if ready.status != "True" => {
            Err(away(&node.name_any(), ready.message.as_deref().unwrap_or_default()).into())
        }
        _ => Ok(()),
    }
}

/// The node that has the files does not answer.
#[derive(Debug, thiserror::Error)]
#[error("node {node:?} has the files but is not available, so nothing was deleted: {why}")]
pub struct NodeAway {
    /// The node's name.
    pub node: String,
    why: String,
}

fn away(node: &str, why: &str) -> NodeAway {
    NodeAway { node: node.to_owned(), why: why.to_owned() }
}

/// Deletes the files. The claim must be bound, and no other pod may use it.
///
/// # Errors
/// If they are not deleted, with the reason.
pub async fn wipe(ctx: &Ctx, image: &str, files: &Files, deadline: Instant) -> anyhow::Result<()> {
    earlier_is_gone(ctx, deadline).await?;
    let plain = Helper::new(PURPOSE, image, &["sh", "-ec", SCRIPT], LASTS);
    let helper = Helper { user: Some(files.owner), claim: Some((files.claim.clone(), VOLUME)), ..plain };
    let started = helper::start(ctx, &helper).await?;
    let pod = helper::until(ctx, &started.name, deadline, Goal::HasEnded).await?;
    if helper::phase(&pod) != "Succeeded" {
        let said = ctx.cluster().await?.logs(&started.name).await.unwrap_or_default();
        return Err(Error::new(
            format!("the files could not be deleted as user {}: {}", files.owner, said.trim()),
            (ctx.own_command("deploy").to("the claim and the volume still exist: see what is in them"))
                .and("or delete the files on the node"),
        )
        .into());
    }
    ctx.delete_temporary(started.ticket).await?;
    // As long as there is a pod that names the claim, the claim stays.
    wait_for(ctx, &[pod], deadline).await
}

/// A wipe that was killed may still be at it, and holds the claim.
pub async fn earlier_is_gone(ctx: &Ctx, deadline: Instant) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    let wipes = ListParams::default().labels(&format!("{}={PURPOSE}", names::HELPER));
    let earlier = cluster.list::<Pod>(&wipes).await?;
    for pod in &earlier {
        let object = Object::of(pod)?;
        ctx.perform(&crate::kubernetes::act::Delete { object, uid: pod.uid() }).await?;
    }
    wait_for(ctx, &earlier, deadline).await
}

async fn wait_for(ctx: &Ctx, pods: &[Pod], deadline: Instant) -> anyhow::Result<()> {
    let leaving: Vec<Leaving> = pods.iter().map(super::existing::leaving).collect::<anyhow::Result<_>>()?;
    match gone::wait(ctx.cluster().await?, &leaving, deadline).await.first() {
        None => Ok(()),
        Some((object, _)) => Err(Error::too_late(
            format!("{} does not terminate", object.reference()),
            ctx.by_hand.kubectl(["describe", &object.reference()]).to("see why"),
        )
        .into()),
    }
}
