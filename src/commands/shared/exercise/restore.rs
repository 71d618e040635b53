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
use crate::kubernetes::act::{Act, Create, Delete, DeletePod, Patch};
use crate::kubernetes::{Cause, Cluster, Object, RequestError};
use crate::lesson::exercise::part::{ALL, Part};
use crate::lesson::exercise::path::merge_patch;
use crate::lesson::exercise::record::{Kept, Record};
use crate::observe::readiness;

/// The pause before something is read again.
const PAUSE: Duration = Duration::from_millis(250);

/// How often a patch is tried again that somebody else was faster than.
const TRIES: usize = 10;

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
    Ok(Restore { cluster, record, show: &|command| ctx.show(|| command) }.owners().await?)
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
        for _ in 0..TRIES {
            let Some((kept, now)) = self.same(part).await? else { return Ok(()) };
            let Some(mut body) = merge_patch(&part.fields(&now), &kept.fields) else { return Ok(()) };
            body["metadata"]["resourceVersion"] = now["metadata"]["resourceVersion"].clone();
            match self.perform(&Patch { object: part.object(self.cluster.namespace(), body) }).await {
                // Somebody else was faster, or it is gone by now.
                Err(error) if matches!(error.cause, Cause::Conflict { .. } | Cause::NotFound(_)) => {}
                patched => return Ok(patched.map(drop)?),
            }
        }
        anyhow::bail!("{} is changed again and again by somebody else", part.reference(self.cluster.namespace()))
    }

    /// An object as it was and as it is, if it is still the same.
    async fn same(&self, part: Part) -> Result<Option<(&Kept, Value)>, RequestError> {
        let Some(kept) = self.record.before.get(part.key()) else { return Ok(None) };
        let Some(now) = live::one(self.cluster, part).await?.flatten() else { return Ok(None) };
        let is_same = part.may_be_replaced() || now["metadata"]["uid"] == kept.uid.as_str();
        Ok(is_same.then_some((kept, now)))
    }

    /// Creates the claim again if it is gone, and offers it its volume if that waits for an earlier one.
    async fn claim_and_volume(&self) -> anyhow::Result<()> {
        if let (Some(kept), Some(None)) =
            (self.record.before.get(Part::Claim.key()), live::one(self.cluster, Part::Claim).await?)
        {
            self.perform(&create_claim(self.cluster, kept)).await?;
        }
        let claim = live::one(self.cluster, Part::Claim).await?.flatten();
        let volume = self.same(Part::Volume).await?;
        let (Some(claim), Some((_, volume))) = (claim, volume) else { return Ok(()) };
        let bound_to = &volume["spec"]["claimRef"]["uid"];
        if !bound_to.is_null() && *bound_to != claim["metadata"]["uid"] {
            self.perform(&volume::forget_claim(&serde_json::from_value(volume)?)?).await?;
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

    async fn owners(&self) -> Result<(), RequestError> {
        for part in ALL.into_iter().filter(|part| part.is_applied()) {
            self.owners_of(part).await?;
        }
        Ok(())
    }

    async fn owners_of(&self, part: Part) -> Result<(), RequestError> {
        for _ in 0..TRIES {
            let Some((kept, now)) = self.same(part).await? else { return Ok(()) };
            let managed = managed(&kept.managed, &now["metadata"]["managedFields"]);
            if !self.record.is_as_before(part, &now) || managed == now["metadata"]["managedFields"] {
                return Ok(());
            }
            let version = &now["metadata"]["resourceVersion"];
            let body = json!({ "metadata": { "resourceVersion": version, "managedFields": managed } });
            match self.perform(&Patch { object: part.object(self.cluster.namespace(), body) }).await {
                Err(error) if matches!(error.cause, Cause::Conflict { .. } | Cause::NotFound(_)) => {}
                patched => return patched.map(drop),
            }
        }
        // What is changed all the time has owners of its own.
        Ok(())
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
