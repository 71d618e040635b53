//! How the exchange is: read, judged, and read again before anything is said against it.

use jiff::Timestamp;

use crate::context::Ctx;
use crate::exchange::names;
use crate::findings::{self, Depth, Finding, Health, Observed, Weight};
use crate::kubernetes::act::{Act, command};
use crate::kubernetes::{Cluster, Place};
use crate::observe::Snapshot;
use crate::observe::database::Database;
use crate::observe::details::Details;
use crate::observe::path::Way;

/// What was seen of an exchange, and what is to be said of it.
pub struct Look {
    pub snapshot: Snapshot,
    pub details: Details,
    pub findings: Vec<Finding>,
    pub health: Health,
    /// When it was read.
    pub now: Timestamp,
}

/// Looks at the exchange.
///
/// # Errors
/// If the cluster cannot be asked at all, or the namespace is not there to stay.
pub async fn look(ctx: &Ctx, depth: Depth) -> anyhow::Result<Look> {
    let cluster = ctx.cluster().await?;
    let snapshot = super::glance(ctx).await?;
    if depth == Depth::All {
        show(ctx, cluster.place(), &snapshot);
    }
    Ok(Box::pin(Look::again_if_needed(cluster, snapshot, depth)).await)
}

impl Look {
    /// What a snapshot comes to. If something is the matter, all is read again first, and not out of the server's cache:
    /// objects that are read side by side may contradict each other for a moment.
    pub async fn again_if_needed(cluster: &Cluster, snapshot: Snapshot, depth: Depth) -> Self {
        let first = Self::at(cluster, snapshot, depth).await;
        if first.findings.iter().all(|finding| finding.weight == Weight::Unknown) {
            return first;
        }
        match Snapshot::read(cluster).await {
            Ok(snapshot) => Self::at(cluster, snapshot, depth).await,
            Err(_) => first,
        }
    }

    async fn at(cluster: &Cluster, snapshot: Snapshot, depth: Depth) -> Self {
        let wanted = findings::wanted(&snapshot, depth);
        let details = Box::pin(Details::read(&snapshot, cluster, wanted)).await;
        let now = Timestamp::now();
        let Place { namespace, by_hand, .. } = cluster.place();
        let observed = Observed { snapshot: &snapshot, details: &details, namespace, by_hand, now };
        let findings = findings::judge(&observed);
        let health = Health::of(&observed, &findings, depth == Depth::All);
        Self { snapshot, details, findings, health, now }
    }
}

/// Shows what round 2 does by hand.
fn show(ctx: &Ctx, place: &Place, snapshot: &Snapshot) {
    ctx.show(|| Database::ask(names::POSTGRES_POD).kubectl(place));
    if let Some(way) = Way::of(snapshot) {
        ctx.show(|| command(place, &way.kubectl(&place.namespace).each_ref().map(String::as_str)));
    }
}
