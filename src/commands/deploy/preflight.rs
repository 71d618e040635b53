//! What is in the way, found before anything is changed, and said all at once.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use k8s_openapi::api::core::v1::{Namespace, Pod, ResourceQuota, Secret};
use kube::ResourceExt;
use kube::api::ListParams;

use super::existing::Existing;
use super::obstacle::{Kind, Obstacle};
use super::{Args, apply, obstacle};
use crate::commands::shared::settle::CREATE_VOLUMES;
use crate::commands::shared::{namespace, quota};
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::objects::{self, Objects};
use crate::exchange::{marks, names};
use crate::kubernetes::access::{Permission, missing};
use crate::kubernetes::act::{Act, Apply, Create};
use crate::kubernetes::{Cause, Cluster, Object, RequestError, adopt};
use crate::observe::{Reading, Snapshot};

/// What the wait lists and watches, by group and resource; whether objects may be applied shows when the server tries them.
const WATCHED: [(&str, &str); 4] =
    [("apps", "statefulsets"), ("apps", "deployments"), ("", "pods"), ("", "persistentvolumeclaims")];

/// Both, for Kubernetes 1.35 and newer wants both.
const EXEC: [Permission; 2] = [
    Permission { verb: "create", group: "", resource: "pods", subresource: "exec" },
    Permission { verb: "get", group: "", resource: "pods", subresource: "exec" },
];

/// What the server cannot try in a namespace that is not there yet, and before that the namespace itself.
const CREATE: [Permission; 6] = [
    Permission { verb: "create", group: "", resource: "namespaces", subresource: "" },
    Permission { verb: "create", group: "", resource: "secrets", subresource: "" },
    Permission { verb: "create", group: "", resource: "persistentvolumeclaims", subresource: "" },
    Permission { verb: "create", group: "", resource: "services", subresource: "" },
    Permission { verb: "create", group: "apps", resource: "statefulsets", subresource: "" },
    Permission { verb: "create", group: "apps", resource: "deployments", subresource: "" },
];

/// And for a replicated database.
const CREATE_MEMBERS: [Permission; 5] = [
    Permission { verb: "create", group: "", resource: "serviceaccounts", subresource: "" },
    Permission { verb: "create", group: "rbac.authorization.k8s.io", resource: "roles", subresource: "" },
    Permission { verb: "create", group: "rbac.authorization.k8s.io", resource: "rolebindings", subresource: "" },
    Permission { verb: "create", group: "", resource: "configmaps", subresource: "" },
    Permission { verb: "create", group: "policy", resource: "poddisruptionbudgets", subresource: "" },
];

/// And what it cannot try there if one is asked for.
const CREATE_POLICIES: Permission =
    Permission { verb: "create", group: "networking.k8s.io", resource: "networkpolicies", subresource: "" };

/// As many quotas as a namespace ever has.
const MOST: u32 = 50;

/// Fails with everything that is in the way. What moves the primary runs a program in a pod.
pub async fn check(
    args: &Args,
    ctx: &Ctx,
    (objects, secrets, in_order): (&Objects, &[Secret], &[Object]),
    (snapshot, existing): (&Snapshot, &Existing),
    moves_primary: bool,
) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    let namespace = cluster.namespace();
    let foreign: Vec<Obstacle> = in_order
        .iter()
        .filter(|object| matches!(existing.of(object, snapshot), Reading::Present(there) if !marks::is_ours(there)))
        .map(|object| Obstacle::foreign(&object.reference()))
        .collect();

    let left_behind = snapshot.released_volumes().filter(|_| !args.reuse_volume).map(|volume| {
        let name = volume.name_any();
        let says = format!("persistentvolume/{name} is Released: it still has the data of a deleted claim");
        Obstacle::new(Kind::Released, says)
    });

    // Who may not read namespaces learns from the server's trial whether there is this one.
    let there = cluster.get::<Namespace>(namespace).await;
    if let Ok(Some(there)) = &there {
        namespace::stays(cluster, there)?;
    }
    let missing = matches!(there, Ok(None));
    let (permissions, trials) = if missing {
        if !args.create_namespace {
            return Err(Error::new(
                format!("namespace {namespace:?} does not exist ({})", cluster.place().cluster_in_words()),
                ctx.by_hand
                    .kubectl_of_cluster("get namespaces")
                    .to("create it with --create-namespace, or list the namespaces"),
            )
            .into());
        }
        let volume = (!objects.volumes.is_empty()).then_some(CREATE_VOLUMES);
        let policy = objects.network_policy.is_some().then_some(CREATE_POLICIES);
        let members = CREATE_MEMBERS.into_iter().filter(|_| objects.replicated.is_some());
        let needed = CREATE.into_iter().chain(volume).chain(policy).chain(members);
        (missing_permissions(args, cluster, needed, false).await?, Vec::new())
    } else {
        let pods = pods_to_be_made(objects, snapshot);
        let each = all_members(objects, &pods);
        let (permissions, secret, trials, quotas) = tokio::join!(
            missing_permissions(args, cluster, [], moves_primary),
            obstacles_to_secrets(cluster, secrets),
            trials(args, cluster, in_order, (snapshot, existing), &pods),
            quotas(cluster, snapshot, &each)
        );
        (permissions?, secret?.into_iter().chain(trials?).chain(quotas?).collect())
    };

    let mut obstacles: Vec<Obstacle> =
        foreign.into_iter().chain(left_behind).chain(permissions).chain(trials).collect();
    obstacles.dedup();
    let Some(foremost) = obstacles.iter().map(|obstacle| obstacle.kind).min() else { return Ok(()) };
    let says = obstacles.iter().map(|obstacle| obstacle.says.as_str()).collect::<Vec<_>>().join("\n  ");
    let says = format!("cannot deploy ({}):\n  {says}", cluster.place().in_words());
    Err(Error::new(says, foremost.hint(&ctx.by_hand)).into())
}

/// What one may not do of what the flags call for, and of these.
async fn missing_permissions(
    args: &Args,
    cluster: &Cluster,
    these: impl IntoIterator<Item = Permission>,
    moves_primary: bool,
) -> anyhow::Result<Vec<Obstacle>> {
    let waits = args.wait && args.dry_run.is_none();
    let watches = WATCHED.into_iter().filter(|_| waits).flat_map(|(group, resource)| {
        ["list", "watch"].map(|verb| Permission { verb, group, resource, subresource: "" })
    });
    let needed = these.into_iter().chain(watches).chain(EXEC.into_iter().filter(|_| args.init_db || moves_primary));
    let missing = missing(cluster, needed).await?;
    let obstacle = |permission| Obstacle::new(Kind::NotPermitted, format!("you may not {permission}"));
    Ok(missing.into_iter().map(obstacle).collect())
}

/// What is in the way of the Secrets.
async fn obstacles_to_secrets(cluster: &Cluster, all: &[Secret]) -> anyhow::Result<Vec<Obstacle>> {
    let obstacles = join_all(all.iter().map(|one| secret(cluster, one))).await;
    Ok(obstacles.into_iter().collect::<anyhow::Result<Vec<_>>>()?.into_iter().flatten().collect())
}

/// What is in the way of a Secret, or of the use of the one that is there.
async fn secret(cluster: &Cluster, secret: &Secret) -> anyhow::Result<Option<Obstacle>> {
    let object = Object::of(secret)?;
    let reference = object.reference();
    let refused = match cluster.get::<Secret>(&object.name).await {
        Ok(Some(there)) => {
            let keys =
                secret.data.iter().flat_map(BTreeMap::keys).chain(secret.string_data.iter().flat_map(BTreeMap::keys));
            let has = |key: &&String| there.data.as_ref().is_some_and(|data| data.contains_key(*key));
            let lacks = keys.into_iter().find(|key| !has(key));
            let says = |key| format!("{reference} belongs to someone else: it has no key {key:?}");
            return Ok(lacks.map(|key| Obstacle::new(Kind::Foreign, says(key))));
        }
        Ok(None) => Create { object, hidden: None, dry_run: true }.execute(cluster).await.err(),
        Err(error) => Some(error),
    };
    Ok(refused.map(|error| Obstacle::refusal(&reference, error)).transpose()?.flatten())
}

/// A pod of each workload that is not there yet.
fn pods_to_be_made(objects: &Objects, snapshot: &Snapshot) -> Vec<Pod> {
    let is_absent = |pod: &Pod| match objects::workload(pod) {
        names::POSTGRES => matches!(snapshot.statefulset, Reading::Absent),
        name => matches!(snapshot.deployments.get(name), Some(Reading::Absent)),
    };
    objects.pods().into_iter().filter(is_absent).collect()
}

/// The same, with a pod for each member of the database.
fn all_members(objects: &Objects, pods: &[Pod]) -> Vec<Pod> {
    let replicas = objects.postgres.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let of =
        |pod: &Pod| if objects::workload(pod) == names::POSTGRES { usize::try_from(replicas).unwrap_or(1) } else { 1 };
    pods.iter().flat_map(|pod| std::iter::repeat_n(pod.clone(), of(pod))).collect()
}

/// Which quotas have too little room for all these pods. Who may not read quotas learns it from the pods; and pods of an
/// earlier deployment that are on their way out still count as used, though what they use is about to be free.
async fn quotas(cluster: &Cluster, snapshot: &Snapshot, pods: &[Pod]) -> Result<Vec<Obstacle>, RequestError> {
    let mut there = snapshot.pods.present().into_iter().flatten();
    if pods.is_empty() || there.any(|pod| pod.metadata.deletion_timestamp.is_some()) {
        return Ok(Vec::new());
    }
    match cluster.list::<ResourceQuota>(&ListParams::default().limit(MOST)).await {
        Ok(quotas) => {
            Ok(quota::too_small(&quotas, pods).into_iter().map(|says| Obstacle::new(Kind::Quota, says)).collect())
        }
        Err(error) if error.cause.is_refusal() => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The pod, without its `ServiceAccount` if that is yet to be created: the server takes no pod before, not even on trial.
fn with_account(pod: &Pod, existing: &Existing) -> Pod {
    let mut pod = pod.clone();
    if let Some(spec) = &mut pod.spec {
        spec.service_account_name.take_if(|name| !existing.is_given(&format!("serviceaccount/{name}")));
    }
    pod
}

/// What the server says to all objects, and to a pod of each workload that is not there yet: it is pods that quota and
/// Pod Security refuse, and a refused pod shows only as a workload that never becomes ready.
async fn trials(
    args: &Args,
    cluster: &Cluster,
    objects: &[Object],
    (snapshot, existing): (&Snapshot, &Existing),
    pods: &[Pod],
) -> anyhow::Result<Vec<Obstacle>> {
    // What an administrator has created is used as it is.
    let is_given = |reference: &str, error: &RequestError| {
        let is_forbidden = matches!(error.cause, Cause::Forbidden(_));
        is_forbidden && obstacle::is_grant(reference) && existing.is_given(reference)
    };
    let applies = objects.iter().cloned().map(|object| {
        let adopted =
            matches!(existing.of(&object, snapshot), Reading::Present(there) if adopt::patch(&object, there).is_some());
        let force = args.force_conflicts || adopted;
        async move {
            let reference = object.reference();
            let apply = Apply { object, force, dry_run: true };
            let error = match apply.execute(cluster).await.err() {
                Some(error) if force && obstacle::is_of_a_value(&error.cause) => {
                    Apply { object: apply::without_values(apply.object), ..apply }.execute(cluster).await.err()
                }
                Some(error) if obstacle::is_with_itself(&error.cause) => {
                    Apply { force: true, ..apply }.execute(cluster).await.err()
                }
                error => error,
            };
            (reference, error)
        }
    });
    let pods: Vec<(&str, Object)> = pods
        .iter()
        .map(|pod| Ok((objects::workload(pod), Object::of(&with_account(pod, existing))?)))
        .collect::<anyhow::Result<_>>()?;
    let creates = pods.into_iter().map(|(workload, object)| async move {
        let reference = format!("a pod of {workload}");
        (reference, Create { object, hidden: None, dry_run: true }.execute(cluster).await.err())
    });
    let (applies, creates) = futures_util::future::join(join_all(applies), join_all(creates)).await;
    let mut obstacles = Vec::new();
    for (reference, error) in applies.into_iter().chain(creates) {
        if let Some(error) = error.filter(|error| !is_given(&reference, error)) {
            obstacles.extend(Obstacle::refusal(&reference, error)?);
        }
    }
    Ok(obstacles)
}
