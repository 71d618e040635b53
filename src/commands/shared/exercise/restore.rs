//! Everything as it was before an exercise: the fields, their owners, and nothing left that the exercise created.

use std::time::Duration;

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::ResourceExt;
use kube::api::{ApiResource, ListParams};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::live;
use crate::context::Ctx;
use crate::exchange::{names, volume};
use crate::kubernetes::act::{Act, Create, Delete, DeletePod};
use crate::kubernetes::{Cluster, Object, RequestError};
use crate::lesson::exercise::part::{ALL, Part};
use crate::lesson::exercise::path::merge_patch;
use crate::lesson::exercise::record::{Kept, Record, is_reserved};
use crate::observe::readiness;

/// The pause before something is read again.
const PAUSE: Duration = Duration::from_millis(250);

/// Restores all, and shows how kubectl does the same.
///
/// # Errors
/// If something cannot be restored; what was not reached is as it was left, and can be restored later.
pub async fn fields(ctx: &Ctx, record: &Record, deadline: Instant) -> anyhow::Result<()> {
    let restore = Restore { cluster: ctx.cluster().await?, record, show: &|command| ctx.show(|| command) };
    restore.all(deadline).await
}

/// Gives the fields back to those who owned them before: what was changed and changed back has another owner, with whom the
/// next `deploy` would conflict. Objects that are not as they were are left alone.
///
/// # Errors
/// If an owner cannot be changed.
pub async fn ownership(ctx: &Ctx, record: &Record) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    Restore { cluster, record, show: &|command| ctx.show(|| command) }.owners().await
}

/// Deletes what the exercise created.
///
/// # Errors
/// If it cannot be deleted.
pub async fn created(ctx: &Ctx) -> anyhow::Result<()> {
    Ok(delete_created(ctx.cluster().await?, &|command| ctx.show(|| command)).await?)
}

async fn delete_created(cluster: &Cluster, show: &dyn Fn(String)) -> Result<(), RequestError> {
    let selector = ListParams::default().labels(names::EXERCISE_LABEL);
    for name in cluster.names_of::<Secret>(&selector).await? {
        let resource = ApiResource::erase::<Secret>(&());
        let namespace = Some(cluster.namespace().to_owned());
        let delete = Delete { object: Object { resource, name, namespace, body: Value::Null }, uid: None };
        show(delete.kubectl(cluster.place()));
        delete.execute(cluster).await?;
    }
    Ok(())
}

/// All without a word: for a start that is stopped half-way.
///
/// # Errors
/// As above.
pub async fn silently(cluster: &Cluster, record: &Record, deadline: Instant) -> anyhow::Result<()> {
    let restore = Restore { cluster, record, show: &drop };
    restore.all(deadline).await?;
    restore.owners().await?;
    Ok(delete_created(cluster, &drop).await?)
}

struct Restore<'a> {
    cluster: &'a Cluster,
    record: &'a Record,
    show: &'a dyn Fn(String),
}

impl Restore<'_> {
    async fn perform<A: Act>(&self, act: &A) -> Result<A::Done, RequestError> {
        (self.show)(act.kubectl(self.cluster.place()));
        act.execute(self.cluster).await
    }

    async fn all(&self, deadline: Instant) -> anyhow::Result<()> {
        for part in ALL {
            self.part(part).await?;
        }
        self.claim_and_volume().await?;
        self.stuck_pod(deadline).await
    }

    /// Gives an object the fields that it had. One that was deleted, or created again, is left to `deploy`.
    async fn part(&self, part: Part) -> anyhow::Result<()> {
        let is_restored = live::patch(self.cluster, part, self.show, |now| {
            let same = self.same(part, now);
            Ok(same.and_then(|(kept, now)| merge_patch(&part.fields(now), &kept.fields)))
        });
        let reference = part.reference(self.cluster.namespace());
        anyhow::ensure!(is_restored.await?, "{reference} is changed again and again by somebody else");
        Ok(())
    }

    /// An object as it was and as it is, if it is still the same.
    fn same<'a>(&self, part: Part, now: Option<&'a Value>) -> Option<(&Kept, &'a Value)> {
        let (kept, now) = (self.record.before.get(part.key())?, now?);
        let is_same = part.may_be_replaced() || now["metadata"]["uid"] == kept.uid.as_str();
        is_same.then_some((kept, now))
    }

    /// Creates the claim again if it is gone, and offers it its volume if that waits for an earlier one.
    async fn claim_and_volume(&self) -> anyhow::Result<()> {
        if let (Some(kept), Some(None)) =
            (self.record.before.get(Part::Claim.key()), live::one(self.cluster, Part::Claim).await?)
        {
            self.perform(&create_claim(self.cluster, kept)).await?;
        }
        let claim = live::one(self.cluster, Part::Claim).await?.flatten();
        let volume = live::one(self.cluster, Part::Volume).await?.flatten();
        let (Some(claim), Some((_, volume))) = (claim, self.same(Part::Volume, volume.as_ref())) else { return Ok(()) };
        if is_reserved(volume, &claim) {
            self.perform(&volume::forget_claim(&serde_json::from_value(volume.clone())?)?).await?;
        }
        Ok(())
    }

    /// Deletes a pod of the set that never became ready with what the set had meanwhile: the set waits for it for ever.
    async fn stuck_pod(&self, deadline: Instant) -> anyhow::Result<()> {
        while Instant::now() < deadline {
            let Some(set) = self.cluster.get::<StatefulSet>(names::POSTGRES).await? else { return Ok(()) };
            if !readiness::is_observed(&set) {
                sleep(PAUSE).await;
                continue;
            }
            let Some(pod) = self.cluster.get::<Pod>(names::POSTGRES_POD).await? else { return Ok(()) };
            let revision = set.status.and_then(|status| status.update_revision);
            let is_of_now = pod.labels().get("controller-revision-hash") == revision.as_ref();
            if !is_of_now && !readiness::pod(&pod) && pod.metadata.deletion_timestamp.is_none() {
                let uid = pod.uid().unwrap_or_default();
                self.perform(&DeletePod { name: pod.name_any(), uid, grace: None }).await?;
            }
            return Ok(());
        }
        Ok(())
    }

    async fn owners(&self) -> anyhow::Result<()> {
        for part in ALL.into_iter().filter(|part| part.is_applied()) {
            // What is changed all the time has owners of its own.
            live::patch(self.cluster, part, self.show, |now| Ok(self.owned_as_before(part, now))).await?;
        }
        Ok(())
    }

    /// The patch by which an object that is as it was has its owners back, if it has others.
    fn owned_as_before(&self, part: Part, now: Option<&Value>) -> Option<Value> {
        let (kept, now) = self.same(part, now)?;
        let managed = managed(&kept.managed, &now["metadata"]["managedFields"]);
        let has_others = managed != now["metadata"]["managedFields"];
        let is_due = has_others && self.record.is_as_before(part, now);
        is_due.then(|| json!({ "metadata": { "managedFields": managed } }))
    }
}

/// The owners that there were, with those that there are of the status, which is not kept.
fn managed(before: &Value, now: &Value) -> Value {
    let is_of_status = |entry: &&Value| entry.get("subresource").is_some();
    let before = before.as_array().into_iter().flatten().filter(|entry| !is_of_status(entry));
    let now = now.as_array().into_iter().flatten().filter(is_of_status);
    before.chain(now).cloned().collect()
}

/// The claim as it was, to be created again.
pub fn create_claim(cluster: &Cluster, kept: &Kept) -> Create {
    let mut body = kept.fields.clone();
    let object = Part::Claim.object(cluster.namespace(), Value::Null);
    body["apiVersion"] = object.resource.api_version.clone().into();
    body["kind"] = object.resource.kind.clone().into();
    body["metadata"]["name"] = object.name.clone().into();
    body["metadata"]["namespace"] = cluster.namespace().into();
    Create { object: Object { body, ..object }, hidden: None, dry_run: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owners_of_the_status_stay_as_they_are() {
        let entry = |manager: &str, at: &str| json!({ "manager": manager, "time": at });
        let status = |at: &str| json!({ "manager": "controller", "subresource": "status", "time": at });
        let before = json!([entry("deploy", "1"), status("1")]);
        let now = json!([entry("deploy", "2"), entry("edit", "2"), status("2")]);
        assert_eq!(managed(&before, &now), json!([entry("deploy", "1"), status("2")]));
    }
}
