//! The settings: what the user asks for, held against what is there and cannot be changed.

use futures_util::future::join_all;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use k8s_openapi::api::storage::v1::StorageClass;
use kube::ResourceExt;
use kube::api::ListParams;

use super::shape::{MEMBERS, Shape, StorageKind};
use super::{credentials, node};
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::directory::Directory;
use crate::exchange::settings::{Settings, Storage, same_quantity};
use crate::exchange::{marks, names};
use crate::kubernetes::access::{Permission, may};
use crate::kubernetes::{ByHand, Cause, adopt};
use crate::observe::Snapshot;

/// What the lesson's own volume needs.
pub const CREATE_VOLUMES: Permission =
    Permission { verb: "create", group: "", resource: "persistentvolumes", subresource: "" };

/// As many classes as are looked through for the default one.
const MOST_CLASSES: u32 = 500;

/// Settles what is asked for. Nothing is changed.
///
/// # Errors
/// If what is there cannot be changed so, or the cluster cannot be asked.
pub async fn settle(shape: &Shape, ctx: &Ctx, snapshot: &Snapshot) -> anyhow::Result<Settings> {
    let (images, by_hand) = (shape.images()?, &ctx.by_hand);
    let members = members(shape, by_hand, snapshot)?;
    let storage = match members {
        None => storage(shape, ctx, snapshot).await?,
        Some(members) => storage_of_members(shape, ctx, snapshot, members).await?,
    };
    let volume_size = match (&shape.volume_size, size_there(snapshot, &storage)) {
        (Some(wanted), Some(there)) if same_quantity(wanted, &there) => Some(there),
        (Some(wanted), Some(there)) if members.is_some() || matches!(storage, Storage::Static { .. }) => {
            return Err(immutable(
                shape,
                by_hand,
                &format!("the size of the volume is {there}"),
                "--volume-size",
                wanted,
            )
            .into());
        }
        (Some(wanted), _) => Some(wanted.clone()),
        (None, there) => there,
    };
    let in_use = credentials::in_use(ctx, snapshot).await?;
    Ok(Settings {
        namespace: ctx.cluster().await?.namespace().to_owned(),
        members,
        storage,
        volume_size,
        images,
        service: shape.service_type,
        node_port: shape.node_port,
        credentials: in_use.backend,
        members_secret: in_use.members.filter(|_| members.is_some()),
        // One that is there goes on: to open the database is nothing that a flag left out should do.
        network_policy: shape.network_policy
            || snapshot.network_policy.present().is_some_and(|there| marks::is_ours(&there.metadata)),
    })
}

/// How many members a replicated database shall have; none for one server. What stands is not made into the other kind.
fn members(shape: &Shape, by_hand: &ByHand, snapshot: &Snapshot) -> Result<Option<u32>, Error> {
    let is_there = snapshot.statefulset.present().is_some()
        || snapshot.claims().next().is_some()
        // Volumes of members, of which the claims were deleted.
        || snapshot.is_replicated();
    if is_there && shape.ha != snapshot.is_replicated() {
        return Err(other_kind(shape, by_hand, snapshot));
    }
    if !shape.ha {
        return Ok(None);
    }
    match (shape.replicas, snapshot.member_count()) {
        // Which of them has every row is known once they run.
        (Some(wanted), Some(there)) if wanted < there && snapshot.replicas().is_none() => {
            let all = by_hand.own(["deploy", "--ha", "--replicas", &there.to_string()]);
            Err(Error::new(
                format!("there is the data of {there} members, and any of them may have the last rows"),
                all.to("deploy all of them first, and then fewer"),
            ))
        }
        (wanted, there) => Ok(Some(wanted.or(there).unwrap_or(MEMBERS).max(MEMBERS))),
    }
}

/// Why the database that is there, or its data, is not for this kind, and how its rows get to the other one: to a new database beside
/// it, so that the rows are never only in a file.
fn other_kind(shape: &Shape, by_hand: &ByHand, snapshot: &Snapshot) -> Error {
    let is = if snapshot.statefulset.present().is_some() { "there is" } else { "there is the data of" };
    let (what, own, other) = if shape.ha {
        (
            "a database of one server, which cannot be changed to a replicated one",
            "deploy",
            "deploy --ha --init-db --create-namespace",
        )
    } else {
        (
            "a replicated database, which cannot be changed to one server",
            "deploy --ha",
            "deploy --init-db --create-namespace",
        )
    };
    let (pod, role) = match snapshot.primary() {
        Some(pod) if snapshot.is_replicated() => (pod.name_any(), names::DATABASE_OWNER),
        _ if snapshot.is_replicated() => (names::POSTGRES_POD.to_owned(), names::DATABASE_OWNER),
        _ => (names::POSTGRES_POD.to_owned(), names::DATABASE_USER),
    };
    let dump = ["exec", &pod, "--", "pg_dump", "-U", role, "-O", "-x", "-c", "--if-exists", names::DATABASE];
    let elsewhere = by_hand.elsewhere();
    let hint = by_hand.own(own).to("keep it");
    Error::new(
        format!("{is} {what}"),
        hint.and(elsewhere.own(other).to("or deploy the other kind in another namespace"))
            .and(by_hand.kubectl(dump).to("write the rows into a file, here rows.sql"))
            .and(elsewhere.own("psql -f rows.sql -- -1 -v ON_ERROR_STOP=1").to("and read them there")),
    )
}

/// The size that cannot be changed: of a replicated database what its set asks for, for what the claims have says nothing of it. Of
/// volumes on nodes, which are there before the set is, their own.
fn size_there(snapshot: &Snapshot, storage: &Storage) -> Option<String> {
    if !snapshot.is_replicated() {
        return snapshot.claims().next().and_then(size);
    }
    let on_nodes = || {
        let volume = snapshot.volumes().next().filter(|_| matches!(storage, Storage::Local { .. }))?;
        Some(volume.spec.as_ref()?.capacity.as_ref()?.get("storage")?.0.clone())
    };
    template(snapshot).and_then(size).or_else(on_nodes)
}

/// Where the members' data is: on nodes or in volumes that the cluster creates, as it is there already, or as it is asked for.
async fn storage_of_members(shape: &Shape, ctx: &Ctx, snapshot: &Snapshot, members: u32) -> anyhow::Result<Storage> {
    let kind = match (shape.asked(), are_on_nodes(snapshot)) {
        (StorageKind::Static, Some(false)) => {
            let is = "each member's volume was created by the cluster";
            return Err(immutable(shape, &ctx.by_hand, is, shape.asks_for_static(), "static").into());
        }
        (StorageKind::Dynamic, Some(true)) => {
            let given =
                shape.storage_class.as_deref().map_or(("--storage", "dynamic"), |class| ("--storage-class", class));
            return Err(
                immutable(shape, &ctx.by_hand, "each member has a directory on a node", given.0, given.1).into()
            );
        }
        (StorageKind::Static, _) | (StorageKind::Auto, Some(true)) => StorageKind::Static,
        (StorageKind::Dynamic, _) | (StorageKind::Auto, Some(false)) => StorageKind::Dynamic,
        (StorageKind::Auto, None) => automatic_of_members(ctx).await?,
    };
    if kind == StorageKind::Static {
        return on_nodes(shape, ctx, members).await;
    }
    Ok(class_of_members(shape, &ctx.by_hand, snapshot)?)
}

/// Whether the members that are there have their data on nodes. None if nothing of them is there.
fn are_on_nodes(snapshot: &Snapshot) -> Option<bool> {
    let claim = template(snapshot).or_else(|| snapshot.claims().next().filter(|_| snapshot.is_replicated()));
    match claim {
        Some(claim) => Some(matches!(class(claim), ClaimClass::Empty)),
        // Of which the claims were deleted.
        None => snapshot.is_replicated().then_some(true).filter(|_| snapshot.volumes().next().is_some()),
    }
}

/// Static where the cluster creates no volumes by itself, and one may create them.
async fn automatic_of_members(ctx: &Ctx) -> anyhow::Result<StorageKind> {
    let cluster = ctx.cluster().await?;
    let has_default = match cluster.list::<StorageClass>(&ListParams::default().limit(MOST_CLASSES)).await {
        Ok(classes) => classes.iter().any(marks::is_default),
        Err(error) if matches!(error.cause, Cause::Forbidden(_)) => true,
        Err(error) => return Err(error.into()),
    };
    if has_default || !may(cluster, CREATE_VOLUMES).await? {
        return Ok(StorageKind::Dynamic);
    }
    ctx.printer
        .note("the cluster has no default StorageClass, so each member gets a directory on a node (--storage static)");
    Ok(StorageKind::Static)
}

/// The directories of the members, and their nodes. Of volumes that are there neither can be changed.
async fn on_nodes(shape: &Shape, ctx: &Ctx, members: u32) -> anyhow::Result<Storage> {
    let cluster = ctx.cluster().await?;
    let read = (0..members).map(|number| async move {
        let name = names::volume_of_member(cluster.namespace(), number);
        match cluster.get::<PersistentVolume>(&name).await {
            // Who may not read them may not create them either, which the server says.
            Err(error) if matches!(error.cause, Cause::Forbidden(_)) => Ok(None),
            read => read,
        }
    });
    let volumes = join_all(read).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let pinned: Vec<_> = volumes.iter().map(|volume| volume.as_ref().and_then(marks::pinned_to)).collect();
    let there = volumes.iter().flatten().find_map(|volume| Some(Directory::of(volume)?.parent()?.path));
    Ok(Storage::Local {
        host_path: same_path(shape, &ctx.by_hand, "the members' directories are in", there)?,
        hostnames: node::of_members(ctx, shape.node.as_deref(), &pinned).await?,
    })
}

/// The class of members' volumes: the one that the set asks for, or the asked one.
fn class_of_members(shape: &Shape, by_hand: &ByHand, snapshot: &Snapshot) -> Result<Storage, Error> {
    let Some(template) = template(snapshot) else {
        return Ok(Storage::Dynamic { class: shape.storage_class.clone() });
    };
    let there = template.spec.as_ref().and_then(|spec| spec.storage_class_name.clone());
    match &shape.storage_class {
        Some(wanted) if there.as_ref() != Some(wanted) => {
            let is = there.map_or("the claims are of the cluster's default class".to_owned(), |class| {
                format!("the claims are of class {class:?}")
            });
            Err(immutable(shape, by_hand, &is, "--storage-class", wanted))
        }
        _ => Ok(Storage::Dynamic { class: there }),
    }
}

/// What the set of a replicated database makes the claims of its members from.
fn template(snapshot: &Snapshot) -> Option<&PersistentVolumeClaim> {
    let set = snapshot.statefulset.present().filter(|_| snapshot.is_replicated())?;
    set.spec.as_ref()?.volume_claim_templates.as_ref()?.first()
}

async fn storage(shape: &Shape, ctx: &Ctx, snapshot: &Snapshot) -> anyhow::Result<Storage> {
    let (there, by_hand) = (snapshot.claims().next().map(class), &ctx.by_hand);
    let kind = match (shape.asked(), &there) {
        (StorageKind::Auto, Some(ClaimClass::Empty)) => StorageKind::Static,
        (StorageKind::Auto, Some(ClaimClass::Named(_))) => StorageKind::Dynamic,
        (StorageKind::Auto, None) => automatic(ctx).await?,
        (asked, _) => asked,
    };
    match (kind, there) {
        (StorageKind::Static, Some(ClaimClass::Named(class))) => {
            Err(immutable(shape, by_hand, &format!("the claim is of class {class:?}"), "--storage", "static").into())
        }
        (StorageKind::Dynamic, Some(ClaimClass::Empty)) => {
            let given =
                shape.storage_class.as_deref().map_or(("--storage", "dynamic"), |class| ("--storage-class", class));
            Err(immutable(shape, by_hand, "the claim is the lesson's, without a class", given.0, given.1).into())
        }
        (StorageKind::Dynamic, Some(ClaimClass::Named(there))) => match &shape.storage_class {
            Some(wanted) if *wanted != there => {
                Err(immutable(shape, by_hand, &format!("the claim is of class {there:?}"), "--storage-class", wanted)
                    .into())
            }
            Some(_) => Ok(Storage::Dynamic { class: Some(there) }),
            None => Ok(Storage::Dynamic { class: applied_class(snapshot).then_some(there) }),
        },
        (StorageKind::Dynamic, None) => Ok(Storage::Dynamic { class: shape.storage_class.clone() }),
        _ => {
            let hostname = node::hostname(ctx, shape.node.as_deref(), snapshot).await?;
            Ok(Storage::Static { host_path: host_path(shape, by_hand, snapshot)?, hostname })
        }
    }
}

/// Whether an earlier run has named the class, and so must go on. The cluster's default is left to the cluster.
fn applied_class(snapshot: &Snapshot) -> bool {
    snapshot.claims().any(|claim| adopt::applied(&claim.metadata, "/f:spec/f:storageClassName"))
}

/// Static where one may create a volume.
async fn automatic(ctx: &Ctx) -> anyhow::Result<StorageKind> {
    if may(ctx.cluster().await?, CREATE_VOLUMES).await? {
        return Ok(StorageKind::Static);
    }
    ctx.printer.note("you may not create PersistentVolumes, so the cluster creates the volume (--storage dynamic)");
    Ok(StorageKind::Dynamic)
}

/// The folder: the one of a volume that is there, or the asked one. A volume's folder cannot be changed.
fn host_path(shape: &Shape, by_hand: &ByHand, snapshot: &Snapshot) -> Result<Option<String>, Error> {
    let path = |volume: &PersistentVolume| Some(volume.spec.as_ref()?.host_path.as_ref()?.path.clone());
    same_path(shape, by_hand, "the volume's directory is", snapshot.volumes().find_map(path))
}

/// The path that is there, of which these words say what it is, or the asked one.
fn same_path(shape: &Shape, by_hand: &ByHand, is: &str, there: Option<String>) -> Result<Option<String>, Error> {
    match (&shape.host_path, there) {
        (Some(wanted), Some(there)) if wanted.trim_end_matches('/') != there.trim_end_matches('/') => {
            Err(immutable(shape, by_hand, &format!("{is} {there}"), "--host-path", wanted))
        }
        (wanted, there) => Ok(there.or_else(|| wanted.clone())),
    }
}

fn immutable(shape: &Shape, by_hand: &ByHand, is: &str, flag: &str, wanted: &str) -> Error {
    Error::new(
        format!("{is}, which cannot be changed to {wanted} ({flag})"),
        by_hand
            .own(if shape.ha { "deploy --ha" } else { "deploy" })
            .to(format!("omit {flag} to keep the data"))
            .and("for a second exchange, use another namespace"),
    )
}

/// The class of a claim that is there.
enum ClaimClass {
    /// The lesson's claim: an empty class.
    Empty,
    /// A class; empty if the cluster has not filled in its default yet.
    Named(String),
}

fn class(claim: &PersistentVolumeClaim) -> ClaimClass {
    match claim.spec.as_ref().and_then(|spec| spec.storage_class_name.as_deref()) {
        Some("") => ClaimClass::Empty,
        Some(class) => ClaimClass::Named(class.to_owned()),
        None => ClaimClass::Named(String::new()),
    }
}

fn size(claim: &PersistentVolumeClaim) -> Option<String> {
    Some(claim.spec.as_ref()?.resources.as_ref()?.requests.as_ref()?.get("storage")?.0.clone())
}
