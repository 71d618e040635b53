//! What must be so before anything is changed: else it could do harm, or would prove nothing.

use std::time::Duration;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use tokio::time::{Instant, sleep};
use tokio::try_join;

use super::{members, whole_node};
use crate::commands::shared::primary::primary;
use crate::commands::shared::{self, next_pod};
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::{names, objects, wallets};
use crate::findings;
use crate::observe::database::Database;
use crate::observe::{Reading, Reason, Snapshot, readiness};
use crate::persistence::How;
use crate::persistence::ending::{self, Ending};
use crate::persistence::evidence::SetSeen;
use crate::persistence::identity::PodSeen;
use crate::text::Hint;

/// How long the set's controller may take to see a change of the set.
const SEEN: Duration = Duration::from_secs(5);

/// The pause before the set is read again.
const PAUSE: Duration = Duration::from_millis(100);

/// What the run starts from.
pub struct Ready {
    pub set: SetSeen,
    /// The pod of the database; of a replicated one, that of the member that takes writes.
    pub pod: PodSeen,
    /// Whether the database is replicated.
    pub is_replicated: bool,
    /// The pod of the backend that asks by the name; none if none is ready.
    pub backend: Option<String>,
    /// How many rows the table has.
    pub rows: u64,
    /// Whether the next pod is made of another template than the one that runs.
    pub changes_template: bool,
}

/// Reads it, and refuses where it must.
pub async fn check(ctx: &Ctx, how: How) -> anyhow::Result<Ready> {
    // What is wrong with the objects is the better answer, and need not wait for a database that gives none.
    let (ready, asked) = try_join!(Box::pin(objects(ctx, how)), async { Ok(database(ctx).await) })?;
    let database = match asked {
        // By now a member takes writes: that has been waited for.
        Err(_) if ready.is_replicated => database(ctx).await?,
        asked => asked?,
    };
    Ok(Ready { rows: rows(ctx, &database)?, ..ready })
}

/// All but the rows. Before anything is done to the pod, a watch reads it again: what the server's cache has is enough here.
async fn objects(ctx: &Ctx, how: How) -> anyhow::Result<Ready> {
    let snapshot = seen(ctx).await?;
    let set = match &snapshot.statefulset {
        Reading::Present(set) => set,
        Reading::Unknown(reason) => return Err(unread(ctx, "statefulset/postgres", reason).into()),
        _ => return Err(refused("statefulset/postgres does not exist", ctx.own_command("deploy --init-db"))),
    };
    let is_replicated = snapshot.is_replicated();
    let replicas = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    if replicas != 1 && !is_replicated {
        let hint = ctx.by_hand.kubectl("scale statefulset/postgres --replicas=1");
        return Err(refused(&format!("statefulset/postgres has {replicas} replicas on one claim, instead of 1"), hint));
    }
    let pod = ready_pod(ctx, &snapshot)?;
    comes_back(ctx, &snapshot, set, pod).await?;
    let backend = match how {
        How::Node => whole_node::check(ctx, &snapshot, pod).await?,
        _ => snapshot.pods_of(names::BACKEND).find(|pod| readiness::pod(pod)).map(ResourceExt::name_any),
    };
    let revision = set.status.as_ref().and_then(|status| status.update_revision.as_ref());
    let runs = pod.labels().get("controller-revision-hash");
    let changes_template = matches!((revision, runs), (Some(revision), Some(runs)) if revision != runs);
    let set = SetSeen { name: set.name_any(), uid: set.uid().unwrap_or_default() };
    Ok(Ready { set, pod: PodSeen::from(pod), is_replicated, backend, rows: 0, changes_template })
}

/// The objects, once the controller has seen what the set is to be by now: before that, its revisions are those of an older
/// template. Not longer than for a while: where nobody sees it, other checks say so.
async fn seen(ctx: &Ctx) -> anyhow::Result<Snapshot> {
    let mut snapshot = shared::glance(ctx).await?;
    if snapshot.is_replicated() && snapshot.statefulset.present().is_some() {
        return members::settled(ctx, snapshot).await;
    }
    let deadline = Instant::now() + SEEN;
    while !snapshot.statefulset.present().is_none_or(readiness::is_observed) && Instant::now() < deadline {
        sleep(PAUSE).await;
        snapshot = Snapshot::glance(ctx.cluster().await?).await?;
    }
    Ok(snapshot)
}

/// Nothing is deleted that does not come back: not the storage with the pod, nor the pod because its next one is refused.
async fn comes_back(ctx: &Ctx, snapshot: &Snapshot, set: &StatefulSet, pod: &Pod) -> anyhow::Result<()> {
    for member in &snapshot.members {
        if let Some(Ending { says, keep }) = ending::of(&member.claim_name, &member.claim, &member.volume) {
            return Err(refused(&says, findings::rescue(&ctx.by_hand, &member.pod, keep.as_deref())));
        }
    }
    if set.metadata.deletion_timestamp.is_some() {
        let hint = ctx.by_hand.kubectl("get statefulset/postgres -o yaml").to("see which finalizers block it");
        return Err(refused("statefulset/postgres is Terminating: it will not create another pod", hint));
    }
    let cluster = ctx.cluster().await?;
    let Some(next) = objects::pod_of_set(set) else { return Ok(()) };
    let refusal = match next_pod::not_in_place_of(cluster, pod, &next).await? {
        None => next_pod::image_is_gone(ctx, pod, &next).await?,
        refusal => refusal,
    };
    match refusal {
        Some(why) => {
            let look = ctx.by_hand.kubectl_of_cluster(["describe", "namespace", cluster.namespace()]);
            let hint = look.to("the data is safe as long as the pod runs; see what the namespace requires of pods");
            Err(refused(&format!("the next pod/{} could not be created: {why}", pod.name_any()), hint))
        }
        None => Ok(()),
    }
}

fn ready_pod<'a>(ctx: &Ctx, snapshot: &'a Snapshot) -> anyhow::Result<&'a Pod> {
    if let Reading::Unknown(reason) = &snapshot.pods {
        return Err(unread(ctx, "the pods", reason).into());
    }
    match snapshot.primary() {
        Some(pod) if readiness::pod(pod) => Ok(pod),
        Some(pod) => {
            let why = format!("pod/{} is not ready", pod.name_any());
            Err(refused(&why, ctx.own_command("status --wait")))
        }
        None => Err(refused("pod/postgres-0 does not exist", ctx.own_command("status"))),
    }
}

async fn database(ctx: &Ctx) -> anyhow::Result<Database> {
    let primary = primary(ctx).await?.pod;
    let ended = ctx.perform(&Database::ask(&primary)).await?;
    Database::parse(&ended)
        .map_err(|error| refused(&format!("the database does not answer: {error}"), ctx.own_command("status")))
}

/// How many rows the lesson's table has.
fn rows(ctx: &Ctx, database: &Database) -> anyhow::Result<u64> {
    if database.locked {
        return Err(refused("someone else has locked the table wallets", ctx.own_command("status")));
    }
    let Some(columns) = &database.columns else {
        return Err(refused("the table wallets does not exist", ctx.own_command("init-db")));
    };
    if let Some(difference) = wallets::differences(columns).first() {
        let hint = "rename it, and create the lesson's table: ALTER TABLE wallets RENAME TO wallets_old";
        return Err(refused(&format!("the table wallets differs from the lesson's: {difference}"), hint));
    }
    Ok(database.rows.unwrap_or(0))
}

fn refused(why: &str, hint: impl Into<Hint>) -> anyhow::Error {
    Error::new(format!("not started: {why}"), hint).into()
}

fn unread(ctx: &Ctx, what: &str, reason: &Reason) -> Error {
    let (Reason::Forbidden(why) | Reason::Failed(why)) = reason;
    Error::new(format!("not started: {what} could not be read: {why}"), ctx.own_command("status"))
}
