//! The settings: what the user asks for, held against what is there and cannot be changed.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::ResourceExt;

use super::shape::{MEMBERS, Shape, StorageKind};
use super::{credentials, node};
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::settings::{Settings, Storage, same_quantity};
use crate::exchange::{marks, names};
use crate::kubernetes::access::{Permission, may};
use crate::kubernetes::{ByHand, adopt};
use crate::observe::Snapshot;

/// What the lesson's own volume needs.
pub const CREATE_VOLUMES: Permission =
    Permission { verb: "create", group: "", resource: "persistentvolumes", subresource: "" };

/// Settles what is asked for. Nothing is changed.
///
/// # Errors
/// If what is there cannot be changed so, or the cluster cannot be asked.
pub async fn settle(shape: &Shape, ctx: &Ctx, snapshot: &Snapshot) -> anyhow::Result<Settings> {
    let (images, by_hand) = (shape.images()?, &ctx.by_hand);
    let members = members(shape, by_hand, snapshot)?;
    let storage = match members {
        None => storage(shape, ctx, snapshot).await?,
        Some(_) => storage_of_members(shape, by_hand, snapshot)?,
    };
    // What the set of members asks for cannot be changed, and what their claims have says nothing of it.
    let there = template(snapshot).or_else(|| snapshot.claims().next().filter(|_| members.is_none()));
    let volume_size = match (&shape.volume_size, there.and_then(size)) {
        (Some(wanted), Some(there)) if same_quantity(wanted, &there) => Some(there),
        (Some(wanted), Some(there)) if members.is_some() || matches!(storage, Storage::Static { .. }) => {
            return Err(
                immutable(by_hand, &format!("the size of the volume is {there}"), "--volume-size", wanted).into()
            );
        }
        (Some(wanted), _) => Some(wanted.clone()),
        (None, there) => there,
    };
    Ok(Settings {
        namespace: ctx.cluster().await?.namespace().to_owned(),
        members,
        storage,
        volume_size,
        images,
        service: shape.service_type,
        node_port: shape.node_port,
        credentials: credentials::in_use(ctx, snapshot).await?,
        // One that is there goes on: to open the database is nothing that a flag left out should do.
        network_policy: shape.network_policy
            || snapshot.network_policy.present().is_some_and(|there| marks::is_ours(&there.metadata)),
    })
}

/// How many members a replicated database shall have; none for one server. What stands is not made into the other kind.
fn members(shape: &Shape, by_hand: &ByHand, snapshot: &Snapshot) -> Result<Option<u32>, Error> {
    let is_there = snapshot.statefulset.present().is_some() || snapshot.claims().next().is_some();
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

/// The class of members' volumes: the one that the set asks for, or the asked one.
fn storage_of_members(shape: &Shape, by_hand: &ByHand, snapshot: &Snapshot) -> Result<Storage, Error> {
    let Some(template) = template(snapshot) else {
        return Ok(Storage::Dynamic { class: shape.storage_class.clone() });
    };
    let there = template.spec.as_ref().and_then(|spec| spec.storage_class_name.clone());
    match &shape.storage_class {
        Some(wanted) if there.as_ref() != Some(wanted) => {
            let is = there.map_or("the claims are of the cluster's default class".to_owned(), |class| {
                format!("the claims are of class {class:?}")
            });
            Err(immutable(by_hand, &is, "--storage-class", wanted))
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
            Err(immutable(by_hand, &format!("the claim is of class {class:?}"), "--storage", "static").into())
        }
        (StorageKind::Dynamic, Some(ClaimClass::Empty)) => {
            let given =
                shape.storage_class.as_deref().map_or(("--storage", "dynamic"), |class| ("--storage-class", class));
            Err(immutable(by_hand, "the claim is the lesson's, without a class", given.0, given.1).into())
        }
        (StorageKind::Dynamic, Some(ClaimClass::Named(there))) => match &shape.storage_class {
            Some(wanted) if *wanted != there => {
                Err(immutable(by_hand, &format!("the claim is of class {there:?}"), "--storage-class", wanted).into())
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
    let there = snapshot.volumes().find_map(path);
    match (&shape.host_path, there) {
        (Some(wanted), Some(there)) if *wanted != there => {
            Err(immutable(by_hand, &format!("the volume's directory is {there}"), "--host-path", wanted))
        }
        (wanted, there) => Ok(there.or_else(|| wanted.clone())),
    }
}

fn immutable(by_hand: &ByHand, is: &str, flag: &str, wanted: &str) -> Error {
    Error::new(
        format!("{is}, which cannot be changed to {wanted} ({flag})"),
        by_hand
            .own("deploy")
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
