//! The data: where it lies, whether its files can be deleted, and the end of what has held it.

use k8s_openapi::api::core::v1::PersistentVolume;
use kube::ResourceExt;
use tokio::time::Instant;

use super::existing::{self, Existing};
use super::reach::Reach;
use super::wipe::{self, Files};
use super::{Args, again, reach, remove};
use crate::commands::shared::directories;
use crate::commands::shared::shape::MEMBERS;
use crate::context::Ctx;
use crate::error::Outcome;
use crate::exchange::directory::{self, Directory};
use crate::exchange::names::MOST_MEMBERS;
use crate::exchange::{marks, names, objects};
use crate::kubernetes::gone::Leaving;
use crate::kubernetes::{Cause, Object, RequestError};
use crate::observe::{Member, Reading, Snapshot, container, readiness};

/// What is done about the files.
#[derive(Default)]
pub struct Plan {
    /// Those that can be reached.
    files: Vec<Files>,
    /// Those that cannot, and so stay. A cluster administrator has to delete them.
    stay: Vec<Stay>,
}

/// Files that stay.
struct Stay {
    /// The volume, which leads to them and is kept for that.
    volume: Option<String>,
    /// Which they are, and why.
    says: String,
}

impl Stay {
    /// Files whose volume could not be given a claim.
    fn refused(files: &Files, volume: &PersistentVolume, why: &anyhow::Error) -> Self {
        let says = format!("the files {} are not deleted: {why:#}", files.place);
        Self { volume: volume.metadata.name.clone(), says }
    }

    /// Says so, and what helps.
    fn tell(&self, ctx: &Ctx) {
        ctx.printer.error(&self.says);
        let look = match &self.volume {
            Some(volume) => {
                ctx.by_hand.kubectl_of_cluster(["get", "persistentvolume", volume, "-o", "yaml", "--ignore-not-found"])
            }
            None => ctx.by_hand.kubectl_of_cluster("get persistentvolumes"),
        };
        ctx.printer
            .hint(look.to("ask a cluster administrator to delete the files, and then the volume, if it still exists"));
    }
}

/// Finds out, before anything is deleted, which files can be.
pub async fn plan(ctx: &Ctx, snapshot: &Snapshot, there: &Existing) -> anyhow::Result<Plan> {
    let cluster = ctx.cluster().await?;
    let mut plan = Plan::default();
    // Its files are reached as if its claim were gone: by then, the one that is there is, unless it is someone else's.
    let set_aside = there.set_aside.clone().zip(snapshot.members.first()).map(|(volume, member)| {
        let claim = if has(&there.claims, &member.claim_name) { Reading::Absent } else { member.claim.clone() };
        Member { claim, volume: Reading::Present(volume), ..member.clone() }
    });
    for member in snapshot.members.iter().chain(&set_aside) {
        let place = place(snapshot, member);
        let runs = snapshot.statefulset.present().is_some() || snapshot.pod_of(member).is_some();
        let again = match reach::judge(member, cluster.namespace(), runs) {
            Reach::Nothing => continue,
            Reach::Bound => None,
            Reach::Again(volume) => Some(volume.clone()),
            Reach::Out(why) => {
                let says = why.says(member, &place);
                // It is said at the end too, which a run that is stopped does not see.
                ctx.printer.warning(&says);
                plan.stay.push(Stay { volume: reach::volume(member), says });
                continue;
            }
        };
        wipe::node_is_there(cluster, snapshot, member).await?;
        let owner = wipe::owner(cluster, snapshot.pod_of(member)).await?;
        if let Some(volume) = again.as_ref().filter(|_| member.is_ending()) {
            ctx.printer.note(format!(
                "{} is being deleted already: when it is gone, persistentvolume/{} gets a new claim, by which its files are deleted",
                member.claim_reference(),
                volume.name_any()
            ));
        }
        plan.files.push(Files { claim: member.claim_name.clone(), owner, place, again });
    }
    Ok(plan)
}

/// Deletes the files, and then what has held them.
pub async fn delete_all(
    args: &Args,
    ctx: &Ctx,
    snapshot: &Snapshot,
    there: &Existing,
    plan: Plan,
    deadline: Instant,
) -> anyhow::Result<Outcome> {
    let (mut there, Plan { files, mut stay }) = (there.clone(), plan);
    // A volume whose directory is lost cannot be mounted, not even to find that it has no files.
    directories::create(ctx, &image(snapshot)?, &doubtful(snapshot), deadline).await?;
    for files in &files {
        if let Some(volume) = &files.again {
            wipe::earlier_is_gone(ctx, deadline).await?;
            let earlier: Vec<Leaving> =
                there.claims.iter().filter(|claim| claim.object.name == files.claim).cloned().collect();
            let going = remove::delete(ctx, &earlier).await?;
            if !remove::gone(ctx, &going, deadline, args.timeout).await? {
                return Ok(Outcome::DoesNotHold);
            }
            there.claims.retain(|claim| claim.object.name != files.claim);
            match Box::pin(again::bind(ctx, files, volume, deadline)).await {
                Err(error) if is_forbidden(&error) => {
                    stay.push(Stay::refused(files, volume, &error));
                    continue;
                }
                bound => {
                    let again::Bound { claim, volume } = bound?;
                    there.claims.push(claim);
                    if let Some(volume) = volume {
                        there.volumes.retain(|one| one.object.name != volume.object.name);
                        there.volumes.push(volume);
                    }
                }
            }
        }
        wipe::wipe(ctx, &image(snapshot)?, files, deadline).await?;
        ctx.printer.out(format!("the files {} are deleted", files.place))?;
    }
    there.volumes.retain(|volume| stay.iter().all(|files| files.volume.as_ref() != Some(&volume.object.name)));
    // Those of members, after all that leads to them: a run that is interrupted leaves no volume without its directory.
    let emptied: Vec<Directory> = snapshot
        .volumes()
        .filter(|volume| has(&there.volumes, &volume.name_any()))
        .filter_map(Directory::of_member)
        .collect();
    let outcome = delete(args, ctx, snapshot, &there, deadline).await?;
    for files in &stay {
        files.tell(ctx);
    }
    if outcome == Outcome::Holds {
        directories::remove(ctx, &image(snapshot)?, &emptied, deadline).await?;
    }
    Ok(if stay.is_empty() { outcome } else { Outcome::DoesNotHold })
}

/// The directories of members that were not ready: they may be lost.
fn doubtful(snapshot: &Snapshot) -> Vec<Directory> {
    let is_ready = |member: &&Member| snapshot.pod_of(member).is_none_or(readiness::pod);
    let others = snapshot.members.iter().filter(|member| !is_ready(member));
    others.filter_map(|member| Directory::of_member(member.volume.present()?)).collect()
}

fn has(all: &[Leaving], name: &str) -> bool {
    all.iter().any(|one| one.object.name == name)
}

/// Deletes what has held the data. A volume goes before its claim: it stays until the claim is gone, but a run that is
/// interrupted leaves no volume behind without a claim by which its files could be reached.
async fn delete(
    args: &Args,
    ctx: &Ctx,
    snapshot: &Snapshot,
    there: &Existing,
    deadline: Instant,
) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::Holds;
    let mut leaving = match remove::delete(ctx, &there.volumes).await {
        Err(error) if is_forbidden(&error) => {
            ctx.printer.error(&format!("{error:#}"));
            ctx.printer.hint("its files are deleted; ask a cluster administrator to delete it");
            outcome = Outcome::DoesNotHold;
            Vec::new()
        }
        going => going?,
    };
    let rest: Vec<Leaving> = if snapshot.is_replicated() {
        // By its claims a replicated database is known: a run that is interrupted leaves them, and so the next one finds the rest.
        there.apart.state.iter().chain(&there.secrets).chain(&there.claims).cloned().collect()
    } else {
        there.claims.iter().chain(&there.secrets).chain(&there.apart.state).cloned().collect()
    };
    leaving.extend(remove::delete(ctx, &rest).await?);
    let is_made =
        |volume: &&PersistentVolume| !has(&there.volumes, &volume.name_any()) && reach::is_deleted_with_claim(volume);
    for made in snapshot.volumes().filter(is_made) {
        leaving.push(existing::leaving(made)?);
    }
    Ok(if remove::gone(ctx, &leaving, deadline, args.timeout).await? { outcome } else { Outcome::DoesNotHold })
}

fn is_forbidden(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(RequestError { cause: Cause::Forbidden(_), .. }))
}

/// The image of the database: it is on the node already.
fn image(snapshot: &Snapshot) -> anyhow::Result<String> {
    let used = || {
        let set = snapshot.statefulset.present()?.spec.as_ref()?;
        container::image(set.template.spec.as_ref()?, names::POSTGRES).map(str::to_owned)
    };
    match used() {
        Some(image) => Ok(image),
        None => objects::postgres_image(snapshot.is_replicated()),
    }
}

/// Where the files of a member are.
fn place(snapshot: &Snapshot, member: &Member) -> String {
    let volume = member.volume.present();
    let path = volume.and_then(directory::path);
    let pod = snapshot.pod_of(member).and_then(|pod| pod.spec.as_ref()?.node_name.clone());
    let node = volume.and_then(marks::pinned_to).or(pod).map(|node| format!(" of node {node}")).unwrap_or_default();
    match (path, member.volume_name()) {
        (Some(path), _) => format!("in {path}{node}"),
        (None, Some(volume)) => format!("in volume {volume}"),
        (None, None) => "in no volume yet".to_owned(),
    }
}

/// Warns before anything is deleted of a claim that is being deleted already: its pod alone still keeps it.
pub fn warn(ctx: &Ctx, snapshot: &Snapshot) {
    for member in snapshot.members.iter().filter(|member| member.is_ending()) {
        let data = match member.volume.present() {
            Some(volume) if reach::is_deleted_with_claim(volume) => ", and its volume and data too",
            Some(_) => "; its volume is kept",
            None => ", and its data too unless the reclaim policy of its volume is Retain",
        };
        let claim = member.claim_reference();
        ctx.printer.warning(&format!("{claim} is being deleted already: it goes when its pod is deleted{data}"));
    }
}

/// Says what stays, where the data lies, and how it is found again.
pub fn kept(ctx: &Ctx, snapshot: &Snapshot, there: &Existing) -> anyhow::Result<()> {
    let stays = |volume: &&PersistentVolume| !reach::is_deleted_with_claim(volume);
    let (mut all, mut places, mut is_left) = (Vec::new(), Vec::new(), false);
    for member in &snapshot.members {
        let claim = member.claim.present().filter(|_| !member.is_ending());
        let volume = member.volume.present().filter(|volume| claim.is_some() || stays(volume));
        let objects = [claim.map(Object::of), volume.map(Object::of)].into_iter().flatten();
        all.extend(objects.collect::<anyhow::Result<Vec<_>>>()?.iter().map(Object::reference));
        if claim.is_some() || volume.is_some() {
            places.push(place(snapshot, member));
        }
        is_left |= claim.is_none() && (volume.is_some() && member.is_ending() || member.released_volume().is_some());
    }
    if all.is_empty() && there.apart.state.is_empty() {
        return Ok(());
    }
    let secrets = if snapshot.is_replicated() { "the Secrets" } else { "the Secret" };
    if !all.is_empty() {
        ctx.printer.note(format!("kept: {}, and {secrets}", all.join(", ")));
    }
    for place in places {
        ctx.printer.note(format!("the data is kept {place}"));
    }
    if !there.apart.state.is_empty() {
        let state: Vec<String> = there.apart.state.iter().map(|one| one.object.reference()).collect();
        ctx.printer.note(format!(
            "kept too: {}, by which the members know who of them has every row: without that, one that lacks the last rows \
             could start first, and these would be lost",
            state.join(", ")
        ));
    }
    let mut again = vec!["deploy".to_owned()];
    if let Some(members) = members(snapshot) {
        again.push("--ha".to_owned());
        if members != MEMBERS {
            again.extend(["--replicas".to_owned(), members.to_string()]);
        }
    }
    again.extend(is_left.then(|| "--reuse-volume".to_owned()));
    ctx.printer.note(ctx.own_command(again).to("to deploy it again with its data"));
    ctx.printer.note(ctx.own_command("teardown --delete-data").to("to delete the data too"));
    Ok(())
}

/// How many members have to be deployed so that all that had rows come back. None for one server.
fn members(snapshot: &Snapshot) -> Option<u32> {
    snapshot.is_replicated().then(|| snapshot.member_count().unwrap_or(MEMBERS).clamp(MEMBERS, MOST_MEMBERS))
}
