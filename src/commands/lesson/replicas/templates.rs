//! The same two pods in a set with claim templates, where there is room for it: each has a claim of its own.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::try_join_all;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kube::ResourceExt;
use tokio::join;
use tokio::time::{Instant, timeout_at};

use crate::commands::shared::practice;
use crate::context::Ctx;
use crate::exchange::practice::{Practice, data_claim, server};
use crate::exchange::psql;
use crate::kubernetes::Object;
use crate::kubernetes::act::command;
use crate::lesson::replicas::Member;
use crate::observe::live::{self, Change};
use crate::observe::{Reading, Reason, readiness};
use crate::persistence::identity::{ClaimSeen, PodSeen};
use crate::persistence::rows::Run;
use crate::text::seconds;

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
    let practice = practice_set(ctx, run).await?;
    practice::storage(ctx).await?;
    practice::room(ctx, &practice).await?;
    practice::takes(ctx, &claims(&practice)?, "a claim for each pod").await?;
    ctx.printer.note(format!("statefulset/{} with a claim for each pod, for contrast", practice.name()));
    let made = practice::create(ctx, &practice).await?;
    let pods = ready(ctx, &practice, deadline).await?;
    let members = try_join_all(pods.iter().zip(practice.claim_names()).map(|(pod, claim)| member(ctx, pod, claim)));
    let members = members.await?;
    made.delete(ctx).await?;
    Ok(members)
}

/// The set, of the image that the exchange's database has now.
async fn practice_set(ctx: &Ctx, run: &Run) -> anyhow::Result<Practice> {
    let cluster = ctx.cluster().await?;
    let beside = practice::beside(ctx).await?;
    Ok(Practice {
        purpose: "claims",
        run: run.as_str().to_owned(),
        namespace: cluster.namespace().to_owned(),
        owner: practice::owner(cluster, run).await?,
        pods: PODS,
        in_order: false,
        pod: server(&beside)?,
        claims: vec![data_claim()],
    })
}

/// The claims as the set makes them, for the server to try.
fn claims(practice: &Practice) -> anyhow::Result<Vec<Object>> {
    let named = practice.claim_names().into_iter().map(|name| {
        let mut claim = data_claim();
        (claim.metadata.name, claim.metadata.namespace) = (Some(name), Some(practice.namespace.clone()));
        Object::of(&claim)
    });
    named.collect()
}

/// Waits until all pods are Ready. Gives their names, in their order.
async fn ready(ctx: &Ctx, practice: &Practice, deadline: Instant) -> anyhow::Result<Vec<String>> {
    let cluster = ctx.cluster().await?;
    let (start, selector) = (Instant::now(), practice.selector());
    ctx.show(|| command(cluster.place(), &["get", "pods", "-l", &selector, "--watch"]));
    let mut changes = live::pods(cluster, &selector);
    let mut last = "no pod was created".to_owned();
    let mut told = BTreeSet::new();
    loop {
        let Ok(change) = timeout_at(deadline, changes.next()).await else {
            anyhow::bail!("its {PODS} pods were not Ready in time: {last}");
        };
        let Some(Change::Pods(pods)) = change else { continue };
        let are: Vec<String> = pods.iter().filter(|pod| readiness::pod(pod)).map(ResourceExt::name_any).collect();
        for name in are.iter().filter(|name| told.insert(String::clone(name))) {
            let after = seconds(start.elapsed().as_millis().try_into().unwrap_or(u64::MAX));
            ctx.printer.note(format!("  pod/{name} Ready (after {after})"));
        }
        if are.len() == usize::from(PODS) {
            return Ok(are);
        }
        last = match pods.iter().find(|pod| !readiness::pod(pod)).map(PodSeen::from) {
            Some(PodSeen { name, waits, .. }) => format!("pod/{name} {}", waits.unwrap_or_else(|| "starts".to_owned())),
            None => format!("only {} were created", pods.len()),
        };
    }
}

/// A pod with its claim, and the database that its server has.
async fn member(ctx: &Ctx, pod: &str, claim: String) -> anyhow::Result<Member> {
    let cluster = ctx.cluster().await?;
    let script = psql::script(pod, ASK);
    let (claim, asked) = join!(cluster.get::<PersistentVolumeClaim>(&claim), ctx.perform(&script));
    let asked = asked?;
    let system = asked.stdout.trim();
    anyhow::ensure!(asked.code == 0 && !system.is_empty(), "pod/{pod}: {}", asked.stderr.trim());
    Ok(Member {
        pod: pod.to_owned(),
        claim: Reading::from(claim).map(|claim| ClaimSeen::from(claim)),
        system: Reading::Present(system.to_owned()),
    })
}
