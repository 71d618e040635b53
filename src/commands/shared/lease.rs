//! The Lease by which there is one run at a time in a namespace.

use super::lasting;
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::names;
use crate::kubernetes::access::{Permission, missing};
use crate::kubernetes::act::{Act, command};
use crate::kubernetes::lease::{Asked, Lease};
use crate::kubernetes::{Cause, Cluster};
use crate::persistence::rows::Run;

/// What it takes to have a Lease for as long as a run lasts, and to leave none behind.
const NEEDED: [Permission; 4] = [needed("get"), needed("create"), needed("patch"), needed("delete")];

const fn needed(verb: &'static str) -> Permission {
    Permission { verb, group: "coordination.k8s.io", resource: "leases", subresource: "" }
}

/// The Lease of a run.
pub fn of(run: &Run) -> Lease {
    Lease { name: "kubecoin-persistence-demo", holder: run.as_str().to_owned(), labels: vec![names::PART_OF] }
}

/// Keeps a Lease for as long as it is waited for. It ends if the Lease is lost: another run may then do what this one does.
pub async fn lost(lease: Option<&Lease>, cluster: &Cluster) -> Error {
    let Some(lease) = lease else { return std::future::pending().await };
    let holder = lease.renew(cluster).await;
    let by_hand = &cluster.place().by_hand;
    Error::new(
        format!("this run lost its Lease to {holder}: it has proved nothing"),
        by_hand.kubectl(["describe", &format!("lease/{}", lease.name)]).to("see who holds it").and("then run it again"),
    )
}

/// The Lease by which there is one run at a time; none if the user may not make one. It is released on every way out.
pub async fn take(ctx: &Ctx, run: &Run) -> anyhow::Result<Option<Lease>> {
    let cluster = ctx.cluster().await?;
    let without = |why: &str| {
        ctx.printer.warning(&format!("{why}, so it is unknown whether another run is in progress"));
        Ok(None)
    };
    if let Some(permission) = missing(cluster, NEEDED).await?.first() {
        return without(&format!("you may not {permission}"));
    }
    let lease = of(run);
    let by_hand = command(cluster.place(), &["delete", "lease", lease.name]);
    ctx.show(|| lease.create(cluster).kubectl(cluster.place()));
    let take = {
        let (lease, cluster) = (lease.clone(), cluster.clone());
        async move { lease.take(&cluster).await }
    };
    let release = {
        let (lease, cluster) = (lease.clone(), cluster.clone());
        move || {
            let (lease, cluster) = (lease.clone(), cluster.clone());
            async move { Ok(lease.release(&cluster).await?) }
        }
    };
    match lasting::make(ctx, by_hand, take, release).await? {
        Ok(Asked::Had) => Ok(Some(lease)),
        Ok(Asked::HeldBy(holder)) => Err(Error::new(
            format!("another run is in progress in namespace {}: {holder}", cluster.namespace()),
            "wait until it ends; the Lease of a killed run expires after 30 s",
        )
        .into()),
        Err(error) if matches!(error.cause, Cause::Forbidden(_)) => {
            without(&format!("the server does not accept the Lease ({})", error.cause))
        }
        Err(error) => Err(error.into()),
    }
}
