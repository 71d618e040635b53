//! `persistence-demo`: takes the server away, and proves what outlives it.

mod by_name;
mod confirm;
mod contrast;
mod cycle;
mod follow;
mod lasting;
mod load;
mod page;
mod preflight;
pub(super) mod report;
mod rows;
mod set;
mod setting;
pub(super) mod view;
mod why;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use crate::commands::shared;
use crate::commands::shared::page::Page;
use crate::commands::shared::proof::{self, file};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::exchange::names;
use crate::flags::duration;
use crate::kubernetes::act::{Act, Patch, command};
use crate::kubernetes::lease::{Asked, Lease};
use crate::kubernetes::{Cause, Cluster, Object};
use crate::persistence::How;
use crate::persistence::load::FIRST;
use crate::persistence::proof::{ANNOTATION, Proof};
use crate::persistence::rows::Run;
use crate::persistence::verdict::{self, Holds, Verdict};
use rows::Marked;

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin persistence-demo               # delete postgres-0: what survives?
  kubectl kubecoin persistence-demo --how crash   # crash the server in its pod
  kubectl kubecoin persistence-demo --under-load  # is any acknowledged row lost?
  kubectl kubecoin persistence-demo --times 5     # five times, with the median downtime
  kubectl kubecoin persistence-demo --contrast    # and what is lost without a volume?
  kubectl kubecoin persistence-demo --keep        # keep the marked rows
  kubectl kubecoin persistence-demo --report proof.html --report proof.json

  # your own StatefulSet, highest ordinal first, like a rolling update
  kubectl kubecoin persistence-demo --target statefulset/redis \\
    --write 'redis-cli -e -h redis-0.redis set kubecoin \"$KUBECOIN_RUN\"' \\
    --read 'redis-cli -e get kubecoin'

Exit code 1 if a check failed, or its result is not known. Also if the contrast could not be shown, although that does not change the verdict.";

/// What `persistence-demo` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub struct Args {
    /// How to stop the server
    #[arg(long, value_enum, value_name = "HOW", default_value_t, hide_possible_values = true)]
    #[arg(help = "How to stop the server: delete, crash, kill, evict or force")]
    how: How,

    /// How many marked rows to write
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rows: u32,

    /// How many times to do it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    times: u32,

    /// Keep writing rows from inside the cluster, and check that none is lost
    #[arg(long)]
    under_load: bool,

    /// Longest time for which the writer may be unable to write
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "under_load")]
    max_gap: Option<Duration>,

    /// Then do the same to Level 1, a Deployment without a volume, and compare
    #[arg(long)]
    contrast: bool,

    /// Open the page, and wait for Enter before the server is stopped
    #[arg(long)]
    open: bool,

    /// How long to wait, each time, until the server answers again
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    timeout: Duration,

    /// Keep the marked rows in the table
    #[arg(long)]
    keep: bool,

    /// Only delete the marked rows of an earlier run
    #[arg(long, value_name = "ID")]
    #[arg(conflicts_with_all = ["how", "rows", "times", "keep", "under_load", "contrast", "open"])]
    clean: Option<Run>,

    /// Write a report: .html, .md, .xml (JUnit), or .json for verify-report and replay; can be repeated
    #[arg(long, value_name = "FILE")]
    report: Vec<PathBuf>,

    /// Skip confirmation prompts
    #[arg(short, long)]
    yes: bool,

    #[command(flatten)]
    target: set::Args,
}

/// Does it, and says what it proves.
///
/// # Errors
/// If it cannot be done, or would do harm or prove nothing.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    if let Some(run) = &args.clean {
        return rows::clean(ctx, run).await;
    }
    if let Some(set) = args.target.set() {
        return Box::pin(set::run(args, ctx, set)).await;
    }
    contrast::check(args)?;
    page::check(args, ctx)?;
    args.report.iter().try_for_each(|path| file::check(path))?;
    shared::announce(ctx).await?;
    let ready = Box::pin(preflight::check(ctx)).await?;
    confirm::all(args, ctx, &ready).await?;
    let page = page::listen(args, ctx).await?;
    let run = Run::new();
    let lease = take_lease(ctx, &run).await?;
    let cluster = ctx.cluster().await?;
    tokio::select! {
        outcome = all(args, ctx, &run, &ready, lease.is_some(), page) => outcome,
        lost = lost(lease.as_ref(), cluster) => Err(lost.into()),
    }
}

/// Keeps a Lease for as long as it is waited for. It ends if the Lease is lost: another run may then do what this one does.
async fn lost(lease: Option<&Lease>, cluster: &Cluster) -> Error {
    let Some(lease) = lease else { return std::future::pending().await };
    let holder = lease.renew(cluster).await;
    let by_hand = &cluster.place().by_hand;
    Error::new(
        format!("this run lost its Lease to {holder}: it has proved nothing"),
        by_hand.kubectl(["describe", &format!("lease/{}", lease.name)]).to("see who holds it").and("then run it again"),
    )
}

/// Every cycle, and the verdict over all of them.
async fn all(
    args: &Args,
    ctx: &Ctx,
    run: &Run,
    ready: &preflight::Ready,
    is_alone: bool,
    page: Option<Page>,
) -> anyhow::Result<Outcome> {
    ctx.keep_commands();
    let marked = Marked::new(run, args, is_alone);
    if let Some(page) = page {
        page::show(ctx, page).await?;
    } else if !args.keep && view::on_terminal() {
        ctx.printer.note(ctx.own_command("open").to("tip: watch the page meanwhile, in a second terminal"));
    }
    let mut first = FIRST;
    let (mut cycles, mut by_hand) = (Vec::new(), Vec::new());
    let mut worst: Option<Verdict> = None;
    for number in 1..=args.times {
        let cycle = cycle::run(args, ctx, &marked, ready, (number, first)).await?;
        by_hand.extend(ctx.kept_commands());
        first = cycle.load.present().map_or(first, |load| load.last + 1);
        let verdict = verdict::judge(&cycle);
        proof::verdict(ctx, &cycle, &verdict)?;
        let holds = verdict.holds;
        cycles.push(cycle);
        worst = Some(verdict);
        if holds != Holds::Yes {
            break;
        }
    }
    let holds = worst.as_ref().map_or(Holds::Unknown, |verdict| verdict.holds);
    leave_proof(ctx, Proof::now(holds, args.how)).await;
    view::conclude(ctx, &cycles, worst.as_ref())?;
    let about = report::beside(ctx, args, by_hand, &cycles).await?;
    if args.contrast {
        // Whoever stops Level 1 keeps what was proved. What cannot be written is told at the end.
        drop(report::write(args, about.as_ref(), &cycles, &contrast::stopped()));
    }
    let contrast = contrast::run(args, ctx, run, &cycles).await;
    let shown = proof::contrast(ctx, &contrast, cycles.last())?;
    contrast::help(ctx, &contrast);
    view::end(ctx, args, run)?;
    if let Some(verdict) = &worst {
        why::help(ctx, verdict).await?;
    }
    file::tell(ctx, &report::write(args, about.as_ref(), &cycles, &contrast));
    Ok(Outcome::holds_if(holds == Holds::Yes && shown))
}

/// The Lease of a run.
fn lease(run: &Run) -> Lease {
    Lease { name: "kubecoin-persistence-demo", holder: run.as_str().to_owned(), labels: vec![names::PART_OF] }
}

/// The Lease by which there is one run at a time; none if the user may not make one. It is released on every way out.
async fn take_lease(ctx: &Ctx, run: &Run) -> anyhow::Result<Option<Lease>> {
    let cluster = ctx.cluster().await?;
    let lease = lease(run);
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
            ctx.printer.warning("you may not create a Lease, so it is unknown whether another run is in progress");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// Leaves the verdict on the set. That it cannot be left changes nothing of it.
async fn leave_proof(ctx: &Ctx, proof: Proof) {
    let left = async {
        let namespace = ctx.cluster().await?.namespace().to_owned();
        let body = json!({ "metadata": { "annotations": { ANNOTATION: serde_json::to_string(&proof)? } } });
        let object = Object {
            resource: kube::api::ApiResource::erase::<k8s_openapi::api::apps::v1::StatefulSet>(&()),
            name: names::POSTGRES.to_owned(),
            namespace: Some(namespace),
            body,
        };
        ctx.perform(&Patch { object }).await
    };
    if let Err(error) = left.await {
        ctx.printer.warning(&format!("the verdict could not be written to the StatefulSet: {error:#}"));
    }
}
