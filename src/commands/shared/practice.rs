//! Practice sets of a run: whether there is room for one, and how it is created, scaled and deleted. It is deleted on every way
//! out; after a run that was killed, with the Lease of that run.

use std::rc::Rc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, PodSpec, ResourceQuota};
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::ResourceExt;
use kube::api::ListParams;
use serde_json::Value;
use tokio::time::Instant;

use super::next_pod::{self, NO_TRIAL};
use super::{lease, quota};
use crate::cleanup::Ticket;
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::marks::is_default;
use crate::exchange::names;
use crate::exchange::practice::{Practice, Storage};
use crate::kubernetes::access::{Permission, missing};
use crate::kubernetes::act::{Act, Create, Delete, Scale};
use crate::kubernetes::gone::{self, Leaving};
use crate::kubernetes::{Cause, Cluster, Object, RequestError};
use crate::persistence::rows::Run;

/// There is no room for a practice set. Nothing was created.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NoRoom(pub String);

/// What it takes to make a practice set, watch its pods, and leave nothing behind.
const NEEDED: [Permission; 7] = [
    needed("apps", "statefulsets", "create"),
    needed("apps", "statefulsets", "patch"),
    needed("apps", "statefulsets", "delete"),
    needed("", "services", "create"),
    needed("", "services", "delete"),
    needed("", "pods", "list"),
    needed("", "pods", "watch"),
];

const fn needed(group: &'static str, resource: &'static str, verb: &'static str) -> Permission {
    Permission { verb, group, resource, subresource: "" }
}

/// As many quotas or pods of a killed run as a namespace ever has.
const MOST: u32 = 50;

/// How long the pods of a killed run may take to end.
const LEFT_BEHIND: Duration = Duration::from_mins(1);

/// What a practice set of a run belongs to: the run's Lease, which the next run deletes after one that was killed.
///
/// # Errors
/// `NoRoom` if the run has no Lease, or if the server does not say.
pub async fn owner(cluster: &Cluster, run: &Run) -> anyhow::Result<OwnerReference> {
    let owner = match lease::of(run).as_owner(cluster).await {
        Err(error) if error.cause.is_refusal() => None,
        asked => asked?,
    };
    let none = "there is no Lease for this run, so nothing would delete what it leaves if it is killed";
    Ok(owner.ok_or_else(|| NoRoom(none.to_owned()))?)
}

/// The pod of the exchange's database, whose image a practice set has.
async fn beside(ctx: &Ctx) -> anyhow::Result<PodSpec> {
    let cluster = ctx.cluster().await?;
    let pod = cluster.get::<Pod>(names::POSTGRES_POD).await?;
    Ok(pod.and_then(|pod| pod.spec).ok_or_else(|| {
        let missing = format!("pod/{} does not exist in namespace {}", names::POSTGRES_POD, cluster.namespace());
        Error::new(missing, ctx.own_command("deploy --init-db").to("deploy the exchange"))
    })?)
}

/// What somebody wants of a practice set.
pub struct Wish {
    /// What it is for, in a word that no other practice set of a run has.
    pub purpose: &'static str,
    /// How many pods it has at most.
    pub pods: u8,
    /// Whether they are created and deleted one after another. Else all at once.
    pub in_order: bool,
    /// What runs in each pod, by the pod of the exchange's database.
    pub pod: fn(&PodSpec) -> anyhow::Result<PodSpec>,
    pub storage: Storage,
}

/// The practice set of a run, of the image that the exchange's database has now. Creates nothing.
///
/// # Errors
/// `NoRoom` if the run has no Lease; or if there is no exchange.
pub async fn set_of(ctx: &Ctx, run: &Run, wish: Wish) -> anyhow::Result<Practice> {
    let cluster = ctx.cluster().await?;
    let Wish { purpose, pods, in_order, pod, storage } = wish;
    Ok(Practice {
        purpose,
        run: run.as_str().to_owned(),
        namespace: cluster.namespace().to_owned(),
        pod: pod(&beside(ctx).await?)?,
        owner: owner(cluster, run).await?,
        pods,
        in_order,
        storage,
    })
}

/// Makes sure that there is room for a practice set: rights, objects, all of its pods, and storage if it has data. Creates
/// nothing.
///
/// # Errors
/// `NoRoom` with what it needs, or if the server does not say.
pub async fn room(ctx: &Ctx, practice: &Practice) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    let needs = match practice.storage {
        Storage::None => None,
        Storage::ClaimForEach => Some("a claim for each pod"),
        Storage::OneClaim => Some("one more claim"),
    };
    if needs.is_some() {
        storage(ctx).await?;
    }
    if let Some(permission) = missing(cluster, NEEDED).await?.first() {
        return Err(NoRoom(format!("you may not {permission}")).into());
    }
    until_others_are_gone(ctx, practice).await?;
    let refused = match too_small(cluster, practice).await? {
        Some(words) => Some(words),
        None => refused(cluster, practice).await?,
    };
    if let Some(words) = refused {
        return Err(NoRoom(format!("it needs a StatefulSet of {} pods: {words}", practice.pods)).into());
    }
    let Some(needs) = needs else { return Ok(()) };
    let claims: Vec<Object> = practice.claims().iter().map(Object::of).collect::<anyhow::Result<_>>()?;
    takes(ctx, &claims, needs).await
}

/// Waits until the pods of a killed run are gone: until then a quota counts them. Their set was deleted with that run's Lease.
async fn until_others_are_gone(ctx: &Ctx, practice: &Practice) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    let others = format!("{},{}", names::PRACTICE, practice.selector().replacen('=', "!=", 1));
    let pods = cluster.list::<Pod>(&ListParams::default().labels(&others).limit(MOST)).await?;
    let mut leaving = Vec::new();
    for pod in &pods {
        leaving.push(Leaving { object: Object::of(pod)?, uid: pod.uid().unwrap_or_default() });
    }
    if !leaving.is_empty() {
        ctx.printer.note(format!("waiting until the {} pods of an earlier practice set are gone", leaving.len()));
        // Those that stay are counted by the quota, which says so.
        gone::wait(cluster, &leaving, Instant::now() + LEFT_BEHIND).await;
    }
    Ok(())
}

/// Which quota has too little room for all of its pods together. Who may not read quotas learns it from one pod.
async fn too_small(cluster: &Cluster, practice: &Practice) -> Result<Option<String>, RequestError> {
    let pods = vec![practice.one_pod(); practice.pods.into()];
    match cluster.list::<ResourceQuota>(&ListParams::default().limit(MOST)).await {
        Ok(quotas) => Ok(quota::too_small(&quotas, &pods).into_iter().next()),
        Err(error) if error.cause.is_refusal() => Ok(None),
        Err(error) => Err(error),
    }
}

/// What the server says against its objects, or against a pod of it: each is tried, without being made.
async fn refused(cluster: &Cluster, practice: &Practice) -> anyhow::Result<Option<String>> {
    let objects = [Object::of(&practice.service())?, Object::of(&practice.set())?];
    match against(cluster, &objects).await? {
        None => next_pod::refusal(cluster, &practice.one_pod()).await,
        refused => Ok(refused),
    }
}

/// What the server says against the first of these objects that it does not take: each is tried, without being made.
async fn against(cluster: &Cluster, objects: &[Object]) -> Result<Option<String>, RequestError> {
    for object in objects {
        match (Create { object: object.clone(), hidden: None, dry_run: true }).execute(cluster).await {
            Err(RequestError { cause: Cause::Forbidden(words) | Cause::Invalid(words), .. })
                if !words.contains(NO_TRIAL) =>
            {
                return Ok(Some(words));
            }
            Err(error) if !error.cause.is_refusal() => return Err(error),
            _ => {}
        }
    }
    Ok(None)
}

/// Makes sure that there is storage that the cluster creates, and deletes with its claim: else something would stay. Who may not
/// read `StorageClasses` learns from the claim whether there is one.
///
/// # Errors
/// `NoRoom` with what it needs, or if the server does not say.
pub async fn storage(ctx: &Ctx) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    let classes = match cluster.list_everywhere::<StorageClass>(&ListParams::default().limit(MOST)).await {
        Err(error) if error.cause.is_refusal() => return Ok(()),
        classes => classes?,
    };
    match classes.iter().find(|class| is_default(class)) {
        None => Err(NoRoom("it needs a default StorageClass, and there is none".to_owned()).into()),
        Some(class) if class.reclaim_policy.as_deref().is_none_or(|policy| policy == "Delete") => Ok(()),
        Some(class) => {
            let name = class.name_any();
            Err(NoRoom(format!("it needs a StorageClass that deletes its volumes, and {name} keeps them")).into())
        }
    }
}

/// Makes sure that the server takes these objects: each is tried, without being made.
///
/// # Errors
/// `NoRoom` with what it needs and the server's words, or if the server does not say.
pub async fn takes(ctx: &Ctx, objects: &[Object], needs: &str) -> anyhow::Result<()> {
    match against(ctx.cluster().await?, objects).await? {
        Some(words) => Err(NoRoom(format!("it needs {needs}: {words}")).into()),
        None => Ok(()),
    }
}

/// A practice set that was created.
pub struct Made {
    set: Object,
    set_ticket: Ticket,
    /// Of its Service and its claims.
    others: Vec<Ticket>,
}

/// Creates it.
///
/// # Errors
/// If it cannot be created.
pub async fn create(ctx: &Ctx, practice: &Practice) -> anyhow::Result<Made> {
    let cluster = ctx.cluster().await?;
    // The newest goes first, so the claims go after the set that uses them, or would make them again.
    let mut others = Vec::new();
    match practice.storage {
        Storage::None => {}
        Storage::ClaimForEach => {
            let claims = practice.claim_names().into_iter();
            others.extend(claims.map(|claim| register_claim(ctx, cluster, claim)));
        }
        Storage::OneClaim => {
            for claim in practice.claims() {
                others.push(ctx.create_temporary(Object::of(&claim)?).await?.0);
            }
        }
    }
    let (service, _) = ctx.create_temporary(Object::of(&practice.service())?).await?;
    others.push(service);
    let set = Object::of(&practice.set())?;
    let (set_ticket, _) = ctx.create_temporary(set.clone()).await?;
    Ok(Made { set, set_ticket, others })
}

/// Has a claim deleted at the end that the set makes.
fn register_claim(ctx: &Ctx, cluster: &Cluster, name: String) -> Ticket {
    let object = Object::named::<PersistentVolumeClaim>(name, cluster.namespace(), Value::Null);
    let (delete, cluster) = (Rc::new(Delete { object, uid: None }), cluster.clone());
    ctx.cleanup.push(delete.kubectl(cluster.place()), move || {
        let (delete, cluster) = (Rc::clone(&delete), cluster.clone());
        async move { delete.execute(&cluster).await.map(drop).map_err(Into::into) }
    })
}

impl Made {
    /// Gives it another number of pods.
    ///
    /// # Errors
    /// If that cannot be done.
    pub async fn scale(&self, ctx: &Ctx, replicas: u8) -> anyhow::Result<()> {
        ctx.perform(&Scale { object: self.set.clone(), uid: None, replicas }).await.map(drop)
    }

    /// Deletes the set, and leaves its pods to the cluster.
    ///
    /// # Errors
    /// If it cannot be deleted. Then it is tried again at the end.
    pub async fn delete_set(&self, ctx: &Ctx) -> anyhow::Result<()> {
        ctx.delete_temporary(self.set_ticket).await
    }

    /// Deletes all that is left of it.
    ///
    /// # Errors
    /// If something cannot be deleted. Then it is tried again at the end.
    pub async fn delete(self, ctx: &Ctx) -> anyhow::Result<()> {
        self.delete_set(ctx).await?;
        for ticket in self.others.into_iter().rev() {
            ctx.delete_temporary(ticket).await?;
        }
        Ok(())
    }
}
