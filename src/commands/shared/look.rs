//! How the exchange is: read, judged, and read again before anything is said against it.

use jiff::Timestamp;
use tokio::join;

use super::names as resolved;
use crate::context::Ctx;
use crate::dns::{Facts, Names};
use crate::exchange::names;
use crate::findings::{self, Cause, Depth, Diagnosis, Finding, Health, Observed, Weight};
use crate::kubernetes::act::{Act, command};
use crate::kubernetes::{Cluster, Place};
use crate::observe::database::Database;
use crate::observe::details::{self, Details, Wanted};
use crate::observe::path::Way;
use crate::observe::{Snapshot, target};

/// What was seen of an exchange, and what is to be said of it.
pub struct Look {
    pub snapshot: Snapshot,
    pub details: Details,
    /// What DNS answers, if it was asked.
    pub names: Names,
    /// Everything that was found.
    pub diagnoses: Vec<Diagnosis>,
    pub health: Health,
    /// When it was read.
    pub now: Timestamp,
}

/// Everything that was read, and when.
pub struct Read {
    pub snapshot: Snapshot,
    pub details: Details,
    pub names: Names,
    pub now: Timestamp,
}

/// What is looked for, where, and how far.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The name of a set that is none of an exchange; none for the exchange.
    pub target: Option<&'a str>,
    pub depth: Depth,
    pub causes: &'a [&'static Cause],
}

impl From<Depth> for Scope<'_> {
    fn from(depth: Depth) -> Self {
        let causes = if depth >= Depth::Around { findings::EVERY.as_slice() } else { findings::ALL };
        Self { target: None, depth, causes }
    }
}

/// Looks at the exchange, or at another set.
///
/// # Errors
/// If the cluster cannot be asked at all, or the namespace is not there to stay.
pub async fn look(ctx: &Ctx, scope: Scope<'_>) -> anyhow::Result<Look> {
    let cluster = ctx.cluster().await?;
    let snapshot = match scope.target {
        Some(name) => super::target::glance(ctx, name).await?,
        None => super::glance(ctx).await?,
    };
    if scope.depth >= Depth::All && scope.target.is_none() {
        show(ctx, cluster.place(), &snapshot);
    }
    show_details(ctx, cluster.place(), &snapshot, &findings::wanted(&snapshot, scope.depth, scope.causes));
    Ok(Box::pin(Look::again_if_needed(cluster, snapshot, scope)).await)
}

impl Look {
    /// What a snapshot comes to. If something is the matter, all is read again first, and not out of the server's cache:
    /// objects that are read side by side may contradict each other for a moment.
    pub async fn again_if_needed(cluster: &Cluster, snapshot: Snapshot, scope: Scope<'_>) -> Self {
        let first = Self::at(cluster, snapshot, scope, false).await;
        if !first.diagnoses.iter().any(|it| it.finding.weight.is_bad()) {
            return first;
        }
        match Box::pin(target::again(cluster, &first.snapshot)).await {
            Ok(snapshot) => Self::at(cluster, snapshot, scope, true).await,
            Err(_) => first,
        }
    }

    /// Once; a request that fails for now is sent again only where nothing is read again after it.
    async fn at(cluster: &Cluster, snapshot: Snapshot, scope: Scope<'_>, insist: bool) -> Self {
        let wanted = Wanted { insist, ..findings::wanted(&snapshot, scope.depth, scope.causes) };
        let names = names(cluster, &snapshot, &wanted);
        let (details, names) = join!(Box::pin(Details::read(&snapshot, cluster, wanted.clone())), names);
        let read = Read { snapshot, details, names, now: Timestamp::now() };
        Self::judge(read, cluster.place(), scope)
    }

    /// What comes of what was read.
    pub fn judge(read: Read, place: &Place, Scope { depth, causes, .. }: Scope<'_>) -> Self {
        let Read { snapshot, details, names, now } = read;
        let is_target = snapshot.target.is_some();
        let causes: Vec<_> = causes.iter().filter(|it| !is_target || findings::is_of_any_set(it)).copied().collect();
        let tried = findings::wanted(&snapshot, depth, &causes).path;
        let Place { namespace, by_hand, .. } = place;
        let observed = Observed { snapshot: &snapshot, details: &details, namespace, by_hand, now };
        let found = findings::dns::with_names(&observed, &names, &causes, findings::found(&observed, &causes));
        let found = if is_target { found.into_iter().map(findings::of_target).collect() } else { found };
        let health = Health::of(&observed, &found, tried);
        Self { diagnoses: findings::diagnose(&found), snapshot, details, names, health, now }
    }

    /// What was judged.
    pub fn observed<'a>(&'a self, place: &'a Place) -> Observed<'a> {
        let Place { namespace, by_hand, .. } = place;
        Observed { snapshot: &self.snapshot, details: &self.details, namespace, by_hand, now: self.now }
    }

    /// What makes it not healthy, what still goes on, and what could not be read.
    pub fn findings(&self) -> Vec<Finding> {
        let all = self.diagnoses.iter().map(|it| &it.finding);
        all.filter(|it| !matches!(it.weight, Weight::Warning | Weight::Info)).cloned().collect()
    }
}

/// What DNS answers, if that is wanted.
async fn names(cluster: &Cluster, snapshot: &Snapshot, wanted: &Wanted) -> Names {
    if wanted.names { Box::pin(resolved::read(cluster, snapshot)).await } else { Names::default() }
}

/// Shows how the rest is looked at by hand.
fn show_details(ctx: &Ctx, place: &Place, snapshot: &Snapshot, wanted: &Wanted) {
    for words in details::kubectl(snapshot, &place.namespace, wanted) {
        ctx.show(|| command(place, &words.iter().map(String::as_str).collect::<Vec<_>>()));
    }
    if wanted.names {
        resolved::show_its_objects(ctx, place);
        show_names(ctx, place, snapshot);
    }
}

/// Shows how DNS is asked by hand.
fn show_names(ctx: &Ctx, place: &Place, snapshot: &Snapshot) {
    if let Some(from) = resolved::AskingPod::running(snapshot) {
        resolved::show(ctx, place, &from, &Facts::new(&place.namespace, snapshot), &[]);
    }
}

/// Shows what round 2 does by hand.
fn show(ctx: &Ctx, place: &Place, snapshot: &Snapshot) {
    ctx.show(|| Database::ask(names::POSTGRES_POD).kubectl(place));
    if let Some(way) = Way::of(snapshot) {
        ctx.show(|| command(place, &way.kubectl(&place.namespace).each_ref().map(String::as_str)));
    }
}
