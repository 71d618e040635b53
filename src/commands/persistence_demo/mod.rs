//! `persistence-demo`: takes the server away, and proves what outlives it.

mod by_name;
mod confirm;
mod cycle;
mod follow;
mod lasting;
mod load;
mod preflight;
pub(super) mod report;
mod rows;
pub(super) mod view;
mod why;

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use crate::cli::duration;
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::exchange::names;
use crate::kubernetes::act::{Act, Patch, command};
use crate::kubernetes::lease::{Asked, Lease};
use crate::kubernetes::{Cause, Object};
use crate::persistence::How;
use crate::persistence::load::FIRST;
use crate::persistence::proof::{ANNOTATION, Proof};
use crate::persistence::rows::Run;
use crate::persistence::verdict::{self, Holds, Verdict};

const EXAMPLES: &str = "\
Examples:
  kubectl kubecoin persistence-demo               # delete postgres-0: what stays?
  kubectl kubecoin persistence-demo --how crash   # the server crashes in its pod
  kubectl kubecoin persistence-demo --under-load  # is any acknowledged row lost?
  kubectl kubecoin persistence-demo --times 5     # five times, with the median
  kubectl kubecoin persistence-demo --keep        # leave the marked rows

Exit code 1 names what does not hold, or is not known.";

/// What `persistence-demo` is asked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// How the server is taken away
    #[arg(long, value_enum, value_name = "HOW", default_value_t, hide_possible_values = true)]
    #[arg(help = "How the server is taken away: delete, crash, kill, evict or force")]
    how: How,

    /// How many marked rows to write
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rows: u32,

    /// How often to do it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    times: u32,

    /// Write rows meanwhile, from inside the cluster, and see that none of them is lost
    #[arg(long)]
    under_load: bool,

    /// The longest time for which the writer may be unable to write
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "under_load")]
    max_gap: Option<Duration>,

    /// How long to wait, each time, until the server answers again
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    timeout: Duration,

    /// Leave the marked rows in the table
    #[arg(long)]
    keep: bool,

    /// Only remove the marked rows of an earlier run
    #[arg(long, value_name = "ID", conflicts_with_all = ["how", "rows", "times", "keep", "under_load"])]
    clean: Option<Run>,

    /// Write the evidence to a file that ends with .json, for verify-report and replay
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,

    /// Do not ask before what is asked about
    #[arg(short, long)]
    yes: bool,
}

/// Does it, and says what it proves.
///
/// # Errors
/// If it cannot be done, or would do harm or prove nothing.
pub async fn run(args: &Args, ctx: &Ctx) -> anyhow::Result<Outcome> {
    if let Some(run) = &args.clean {
        return rows::clean(ctx, run).await;
    }
    if let Some(path) = &args.report {
        report::check(path)?;
    }
    super::announce(ctx).await?;
    let ready = preflight::check(ctx).await?;
    confirm::all(args, ctx, &ready).await?;
    let run = Run::new();
    let lease = take_lease(ctx, &run).await?;
    let cluster = ctx.cluster().await?;
    let renewed = async {
        match &lease {
            Some(lease) => lease.renew(cluster).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        outcome = all(args, ctx, &run, &ready, lease.is_some()) => outcome,
        () = renewed => Ok(Outcome::DoesNotHold),
    }
}

/// Every cycle, and the verdict over all of them.
async fn all(args: &Args, ctx: &Ctx, run: &Run, ready: &preflight::Ready, is_alone: bool) -> anyhow::Result<Outcome> {
    let mark = rows::write(ctx, run, args, is_alone).await?;
    if !args.keep && view::on_terminal() {
        ctx.printer.note(format!("tip: watch the page meanwhile, in a second terminal: {}", ctx.own_command("open")));
    }
    let mut first = FIRST;
    let mut cycles = Vec::new();
    let mut worst: Option<Verdict> = None;
    for number in 1..=args.times {
        view::heading(ctx, args, run, &mark, number)?;
        let cycle = cycle::run(args, ctx, (run, &mark), ready, first).await?;
        first = cycle.load.present().map_or(first, |load| load.last + 1);
        let verdict = verdict::judge(&cycle);
        view::verdict(ctx, &cycle, &verdict)?;
        let holds = verdict.holds;
        cycles.push(cycle);
        worst = Some(verdict);
        if holds != Holds::Yes {
            break;
        }
    }
    let holds = worst.as_ref().map_or(Holds::Unknown, |verdict| verdict.holds);
    leave_proof(ctx, Proof::now(holds, args.how)).await;
    view::end(ctx, args, run, &cycles, worst.as_ref())?;
    if let Some(verdict) = &worst {
        why::help(ctx, verdict).await?;
    }
    if let Some(path) = &args.report {
        report::write(ctx, path, cycles).await?;
    }
    Ok(Outcome::holds_if(holds == Holds::Yes))
}

/// The Lease by which there is one run at a time; none if the user may not make one. It is released on every way out.
async fn take_lease(ctx: &Ctx, run: &Run) -> anyhow::Result<Option<Lease>> {
    let cluster = ctx.cluster().await?;
    let lease =
        Lease { name: "kubecoin-persistence-demo", holder: run.as_str().to_owned(), labels: vec![names::PART_OF] };
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
            "wait for it to end; one that was killed is forgotten after 30 s",
        )
        .into()),
        Err(error) if matches!(error.cause, Cause::Forbidden(_)) => {
            ctx.printer.warning("you may not make a Lease, so it is not known whether another run is in progress");
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
        ctx.printer.warning(&format!("the verdict could not be left on the set: {error:#}"));
    }
}
