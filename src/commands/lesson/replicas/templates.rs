//! The same two pods in a set with claim templates, where there is room for it: each has a claim of its own.

use std::time::Duration;

use futures_util::future::try_join_all;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use tokio::join;
use tokio::time::Instant;

use super::pods::Pods;
use crate::commands::shared::practice::{self, Wish};
use crate::context::Ctx;
use crate::exchange::practice::{Storage, server};
use crate::exchange::psql;
use crate::lesson::replicas::Member;
use crate::observe::{Reading, Reason};
use crate::persistence::identity::ClaimSeen;
use crate::persistence::rows::Run;

/// As many as show that each has its own.
const PODS: u8 = 2;

/// How long both take at least to be Ready: each starts an empty database, on a volume that must be created first.
const LEAST: Duration = Duration::from_secs(10);

/// Asks a server which database it has.
const ASK: &str = "SELECT system_identifier FROM pg_control_system();\n";

/// Does it, and gives what was seen. That there is no room for it is what is known of it, and no more.
pub async fn observe(ctx: &Ctx, run: &Run, deadline: Instant) -> Reading<Vec<Member>> {
    match Box::pin(seen(ctx, run, deadline)).await {
        Ok(members) => Reading::Present(members),
        Err(error) => Reading::Unknown(Reason::Failed(format!("{error:#}"))),
    }
}

async fn seen(ctx: &Ctx, run: &Run, deadline: Instant) -> anyhow::Result<Vec<Member>> {
    anyhow::ensure!(Instant::now() + LEAST < deadline, "there was no time left");
    let wish = Wish { purpose: "claims", pods: PODS, in_order: false, pod: server, storage: Storage::ClaimForEach };
    let practice = practice::set_of(ctx, run, wish).await?;
    practice::room(ctx, &practice).await?;
    ctx.printer.note(format!("statefulset/{} with a claim for each pod, for contrast", practice.name()));
    let mut pods = Pods::watch(ctx, &practice).await?;
    let made = practice::create(ctx, &practice).await?;
    let pods = pods.until_ready(PODS, deadline).await?;
    let members =
        try_join_all(pods.iter().zip(practice.claim_names()).map(|(pod, claim)| member(ctx, &pod.name, claim)));
    let members = members.await?;
    made.delete(ctx).await?;
    Ok(members)
}

/// A pod with its claim, and the database that its server has.
async fn member(ctx: &Ctx, pod: &str, claim: String) -> anyhow::Result<Member> {
    let cluster = ctx.cluster().await?;
    let (claim, system) = join!(cluster.get::<PersistentVolumeClaim>(&claim), system(ctx, pod));
    Ok(Member {
        pod: pod.to_owned(),
        claim: Reading::from(claim).map(|claim| ClaimSeen::from(claim)),
        system: Reading::Present(system?),
    })
}

/// Which database the server of a pod has.
///
/// # Errors
/// If it does not say.
pub async fn system(ctx: &Ctx, pod: &str) -> anyhow::Result<String> {
    let asked = ctx.perform(&psql::script(pod, ASK)).await?;
    let system = asked.stdout.trim();
    anyhow::ensure!(asked.code == 0 && !system.is_empty(), "pod/{pod}: {}", asked.stderr.trim());
    Ok(system.to_owned())
}
