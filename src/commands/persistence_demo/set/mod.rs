//! `persistence-demo --target`: the same for any `StatefulSet`, of whose program nothing is known.

mod command;
mod confirm;
mod container;
mod follow;
mod name;
mod preflight;
mod report;
mod turn;

use std::path::PathBuf;
use std::time::Duration;

use super::{lost, take_lease};
use crate::commands::shared;
use crate::commands::shared::proof::{self, file};
use crate::context::Ctx;
use crate::dns::names::is_name;
use crate::error::{Error, Outcome};
use crate::output::Closed;
use crate::persistence::How;
use crate::persistence::rows::Run;
use crate::persistence::set::evidence::Evidence;
use crate::persistence::set::verdict;
use crate::persistence::verdict::Holds;
use container::Wanted;
use preflight::Ready;

/// What is asked about any set.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Any StatefulSet")]
#[group(skip)]
pub struct Args {
    /// Delete the pods of any StatefulSet, one after another
    ///
    /// Each must be ready again before the next one is deleted. The checks work for any program: names, owners, claims,
    /// volumes, DNS, and that the old server ended before the new one started.
    #[arg(long, value_name = "statefulset/NAME", value_parser = set_name)]
    #[arg(conflicts_with_all = ["rows", "keep", "clean", "under_load", "contrast", "open"])]
    target: Option<String>,

    /// Command that writes data in a pod, before the pod is deleted
    ///
    /// It runs with `sh -c` in each pod, in the container that --container names, and must succeed. `$KUBECOIN_RUN` is the id
    /// of the run. The data is not deleted afterwards. Reports show the command: take passwords from the pod's environment.
    #[arg(long, value_name = "CMD", requires = "read")]
    write: Option<String>,

    /// Command that reads the data in a pod, before and after
    ///
    /// It runs like --write. As long as the data is the same, it must print the same bytes, at the latest 30 s after the pod
    /// is ready.
    #[arg(long, value_name = "CMD", requires = "target")]
    read: Option<String>,

    /// Container in which both commands run
    ///
    /// [default: the pod's annotation kubectl.kubernetes.io/default-container, like kubectl exec; else the only container, or
    /// the only one that mounts a claim]
    #[arg(long, value_name = "NAME", requires = "read")]
    container: Option<String>,
}

impl Args {
    /// The name of the set, if one is named.
    pub fn set(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// In which container commands are to be run.
    fn wanted(&self) -> Wanted<'_> {
        match (&self.container, &self.read) {
            (Some(name), _) => Wanted::Named(name),
            (None, Some(_)) => Wanted::OfTheData,
            (None, None) => Wanted::Any,
        }
    }
}

/// The kinds that kubectl takes for one.
const KINDS: [&str; 4] = ["statefulset", "statefulsets", "statefulset.apps", "sts"];

fn set_name(text: &str) -> Result<String, String> {
    match text.split_once('/') {
        Some((kind, name)) if KINDS.contains(&kind) && is_name(name) => Ok(name.to_owned()),
        _ => Err("give it as kubectl does: statefulset/redis".to_owned()),
    }
}

/// What is to be done to each pod.
pub struct Plan<'a> {
    run: &'a Run,
    how: How,
    write: Option<&'a str>,
    read: Option<&'a str>,
    container: Wanted<'a>,
    timeout: Duration,
}

/// Does it, and says what it proves.
///
/// # Errors
/// If it cannot be done, or would do harm or prove nothing.
pub async fn run(args: &super::Args, ctx: &Ctx, set: &str) -> anyhow::Result<Outcome> {
    if args.how == How::Crash {
        let why = "not started: --how crash uses pg_ctl, which only PostgreSQL has";
        return Err(Error::new(why, "use delete, kill, evict or force").into());
    }
    args.report.iter().try_for_each(|path| file::check(path))?;
    shared::announce(ctx).await?;
    let container = args.target.wanted();
    let ready = preflight::check(ctx, set, container).await?;
    confirm::all(args, ctx, &ready).await?;
    let run = Run::new();
    let lease = take_lease(ctx, &run).await?;
    let cluster = ctx.cluster().await?;
    let plan = Plan {
        run: &run,
        how: args.how,
        write: args.target.write.as_deref(),
        read: args.target.read.as_deref(),
        container,
        timeout: args.timeout,
    };
    tokio::select! {
        outcome = all(ctx, &plan, &ready, args.times, &args.report) => outcome,
        lost = lost(lease.as_ref(), cluster) => Err(lost.into()),
    }
}

/// Every pod, and the verdict over all of them. What does not hold for one is not done to the next.
async fn all(ctx: &Ctx, plan: &Plan<'_>, ready: &Ready, times: u32, reports: &[PathBuf]) -> anyhow::Result<Outcome> {
    let members = (0..times).flat_map(|_| &ready.members);
    let mut evidence = Evidence {
        run: plan.run.clone(),
        set: ready.set.clone(),
        how: plan.how,
        planned: members.clone().map(|member| member.pod.clone()).collect(),
        write: plan.write.map(str::to_owned),
        read: plan.read.map(str::to_owned),
        turns: Vec::new(),
    };
    ctx.keep_commands();
    let mut by_hand = Vec::new();
    for (number, member) in members.enumerate() {
        proof::set::heading(ctx, &member.pod, number, evidence.planned.len())?;
        let turn = async {
            if number > 0 {
                preflight::again(ctx, ready, plan.container).await?;
            }
            turn::run(ctx, plan, ready, member).await
        };
        let turn = match Box::pin(turn).await {
            Ok(turn) => turn,
            // What was shown so far stays shown.
            Err(error) if number > 0 && !error.is::<Closed>() => {
                ctx.printer.error(&format!("{error:#}"));
                break;
            }
            Err(error) => return Err(error),
        };
        by_hand.extend(ctx.kept_commands());
        let judged = verdict::of_pod(&evidence, &turn);
        proof::set::of_pod(ctx, &turn, &judged)?;
        evidence.turns.push(turn);
        if judged.verdict.holds != Holds::Yes {
            break;
        }
    }
    let judged = verdict::judge(&evidence);
    proof::set::end(ctx, &evidence, &judged, ctx.cluster().await?.place())?;
    report::write(ctx, reports, by_hand, evidence).await?;
    Ok(Outcome::holds_if(judged.holds == Holds::Yes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_named_as_kubectl_does() {
        for text in ["statefulset/redis", "sts/redis", "statefulsets/redis", "statefulset.apps/redis"] {
            assert_eq!(set_name(text), Ok("redis".to_owned()), "{text}");
        }
        for text in ["redis", "deployment/redis", "statefulset/", "statefulset/a b", "sts/-x", "/redis", ""] {
            assert!(set_name(text).is_err(), "{text}");
        }
    }
}
