//! What must be so before the set is scaled: else it could do harm, or would show nothing.

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, PodTemplateSpec};
use kube::ResourceExt;
use tokio::try_join;

use super::scale::{self, Set};
use crate::commands::shared::demo::exchange::preflight;
use crate::commands::shared::next_pod;
use crate::commands::shared::practice::NoRoom;
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::{names, objects, psql};
use crate::kubernetes::Cluster;
use crate::kubernetes::access::{Permission, missing};
use crate::persistence::How;
use crate::persistence::identity::{ASK, PodSeen, Server};
use crate::text::Hint;

/// What it takes to scale the set, and to scale it back.
const NEEDED: [Permission; 3] =
    [needed("apps", "statefulsets", "patch"), needed("", "pods", "watch"), needed("", "pods", "delete")];

const fn needed(group: &'static str, resource: &'static str, verb: &'static str) -> Permission {
    Permission { verb, group, resource, subresource: "" }
}

/// The access mode by which the scheduler lets one pod alone use a claim.
const FOR_ONE_POD: &str = "ReadWriteOncePod";

/// The program by which a server takes the lock.
const LOCKS: &str = "flock";

/// The lock, which is on the claim: one elsewhere would keep nobody away.
const LOCK: &str = "/var/lib/postgresql/data/postgres.lock";

/// What the experiment starts from.
pub struct Ready {
    pub set: Set,
    /// The claim that all pods of the set name.
    pub claim: String,
    /// The first pod.
    pub pod: PodSeen,
    /// The pod of the backend that writes.
    pub backend: String,
}

/// Reads it, and refuses where it must. What a killed run has left is ended first, if this one is known to be alone.
pub async fn check(ctx: &Ctx, is_alone: bool) -> anyhow::Result<Ready> {
    if is_alone {
        scale::end_of_killed(ctx).await?;
    }
    let found = Box::pin(preflight::check(ctx, How::default())).await?;
    let backend = found.backend.ok_or_else(|| {
        refused("no backend pod is ready, from which rows could be written", ctx.own_command("status"))
    })?;
    let cluster = ctx.cluster().await?;
    let set = cluster.get::<StatefulSet>(names::POSTGRES).await?;
    let set = set.ok_or_else(|| refused("statefulset/postgres does not exist", ctx.own_command("deploy --init-db")))?;
    let template = set.spec.as_ref().map(|spec| spec.template.clone()).unwrap_or_default();
    let claim = found.pod.claim.clone().filter(|claim| names_claim(&template, claim)).ok_or_else(|| {
        let hint = ctx.by_hand.kubectl("get statefulset/postgres -o yaml").to("see its volumes");
        refused("the pods of statefulset/postgres do not name one claim", hint)
    })?;
    room(cluster, &set, &template).await?;
    let is_guarded = for_one_pod(cluster, &claim).await?
        || (!found.changes_template && takes_lock(&template) && holds_lock(ctx).await?);
    if !is_guarded {
        let why = format!("claim {claim} is not {FOR_ONE_POD}, and no lock keeps a second server away from its data");
        let hint = ctx.by_hand.kubectl(["get", "pvc", &claim, "-o", "wide"]).to("see its access mode");
        return Err(refused(&why, hint));
    }
    Ok(Ready { set: Set::of(&set)?, claim, pod: found.pod, backend })
}

/// Makes sure that a second pod would be created.
async fn room(cluster: &Cluster, set: &StatefulSet, template: &PodTemplateSpec) -> anyhow::Result<()> {
    let next = objects::pod_of(&set.name_any(), set.metadata.namespace.as_ref(), template);
    let (missing, refusal) =
        try_join!(async { Ok(missing(cluster, NEEDED).await?) }, next_pod::refusal(cluster, &next))?;
    if let Some(permission) = missing.first() {
        return Err(NoRoom(format!("you may not {permission}")).into());
    }
    match refusal {
        Some(words) => Err(NoRoom(format!("it needs one more pod of statefulset/postgres: {words}")).into()),
        None => Ok(()),
    }
}

fn names_claim(template: &PodTemplateSpec, claim: &str) -> bool {
    let volumes = template.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    volumes.filter_map(|volume| volume.persistent_volume_claim.as_ref()).any(|source| source.claim_name == claim)
}

/// Whether the scheduler lets one pod alone use the claim.
async fn for_one_pod(cluster: &Cluster, claim: &str) -> anyhow::Result<bool> {
    let claim = cluster.get::<PersistentVolumeClaim>(claim).await?;
    let modes = claim.and_then(|claim| claim.spec?.access_modes).unwrap_or_default();
    Ok(modes == [FOR_ONE_POD])
}

/// Whether a server of the set is started under a lock.
fn takes_lock(template: &PodTemplateSpec) -> bool {
    let containers = template.spec.iter().flat_map(|spec| &spec.containers);
    let words = containers
        .filter(|container| container.name == names::POSTGRES)
        .flat_map(|container| container.command.iter().chain(&container.args).flatten());
    words.into_iter().any(|word| word.contains(LOCKS) && word.contains(LOCK))
}

/// Whether the server that runs holds the lock: it may have been started before the set had one.
async fn holds_lock(ctx: &Ctx) -> anyhow::Result<bool> {
    let ended = ctx.perform(&psql::script(names::POSTGRES_POD, ASK)).await?;
    let server: Option<Server> = ended.stdout.lines().next().and_then(|line| serde_json::from_str(line).ok());
    Ok(server.is_some_and(|server| server.lock == LOCK))
}

fn refused(why: &str, hint: impl Into<Hint>) -> anyhow::Error {
    Error::new(format!("not started: {why}"), hint).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::objects::manifest;

    fn template() -> PodTemplateSpec {
        manifest::<StatefulSet>("postgres-statefulset.yaml").unwrap().spec.unwrap().template
    }

    #[test]
    fn the_set_that_is_deployed_is_guarded_by_a_lock() {
        assert!(takes_lock(&template()) && names_claim(&template(), names::CLAIM));
        let mut other = template();
        let command = other.spec.as_mut().unwrap().containers[0].command.as_mut().unwrap();
        *command = command.iter().map(|word| word.replace(LOCK, "/tmp/postgres.lock")).collect();
        assert!(!takes_lock(&other) && !names_claim(&other, "postgres-pvc-2"));
        assert!(!takes_lock(&PodTemplateSpec::default()));
    }
}
