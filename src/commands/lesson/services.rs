//! Question 3: reads the Services, and asks DNS for their names as an application does.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::commands::shared::names::{Asking, AskingPod, hear, show as show_names};
use crate::commands::shared::{self};
use crate::context::Ctx;
use crate::dns::{Answer, Answered, Facts, Heard, View};
use crate::error::Error;
use crate::exchange::names;
use crate::lesson::services::{Addressed, Named, Seen};
use crate::observe::{Reading, Reason, Snapshot};
use crate::persistence::verdict::{Holds, holds};

/// How long DNS may keep an older answer: CoreDNS and kube-proxy keep one for up to 30 s.
const PATIENCE: Duration = Duration::from_secs(40);
/// The pause before it is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// Reads and asks, and does so again while DNS may still have an older answer.
///
/// # Errors
/// If the cluster cannot be read, or there is no pod to ask from.
pub async fn observe(ctx: &Ctx) -> anyhow::Result<Seen> {
    let deadline = Instant::now() + PATIENCE;
    let mut is_told = false;
    let mut seen = once(ctx, shared::snapshot(ctx).await?).await?;
    while may_change(&seen) && Instant::now() < deadline {
        if !std::mem::replace(&mut is_told, true) {
            ctx.printer
                .note(format!("DNS may still have an older answer: asking again for up to {} s", PATIENCE.as_secs()));
        }
        sleep(PAUSE).await;
        seen = once(ctx, Snapshot::read(ctx.cluster().await?).await?).await?;
    }
    Ok(seen)
}

/// Whether the names lead elsewhere though the objects are as they should be.
fn may_change(seen: &Seen) -> bool {
    let is_headless = seen.headless.own.present().is_some_and(BTreeSet::is_empty);
    let has_address = seen.cluster_ip.own.present().is_some_and(|own| !own.is_empty());
    is_headless && has_address && holds(seen.checks().iter()) == Holds::No
}

async fn once(ctx: &Ctx, snapshot: Snapshot) -> anyhow::Result<Seen> {
    let cluster = ctx.cluster().await?;
    let facts = Facts::new(cluster.namespace(), &snapshot);
    let from = AskingPod::running(&snapshot).ok_or_else(|| {
        Error::new("no pod to ask DNS from: no backend pod is running", ctx.own_command("doctor").to("find out why"))
    })?;
    show_names(ctx, cluster.place(), &from, &facts, &[]);
    let heard = hear(cluster, &from, &facts, Asking::default()).await?.map_err(|why| {
        Error::new(format!("could not ask DNS from pod/{}: {why}", from.pod), ctx.own_command("dns-check --pod"))
    })?;
    Ok(Seen {
        headless: named(names::POSTGRES_SERVICE, &facts, &heard),
        pods: facts.replicas.map(|replicas| {
            let ready = replicas.iter().filter(|replica| replica.ready);
            let addresses = |all: &BTreeSet<_>| {
                all.iter().filter(|address| facts.speaks(address)).map(ToString::to_string).collect()
            };
            ready.map(|pod| Addressed { name: pod.name.clone(), addresses: addresses(&pod.addresses) }).collect()
        }),
        cluster_ip: named(names::BACKEND_SERVICE, &facts, &heard),
        from: from.pod,
    })
}

/// A Service, and what DNS answers an application that asks for its short name.
fn named(name: &str, facts: &Facts, heard: &Heard) -> Named {
    let own = match facts.services.get(name) {
        Some(service) => service.map(|service| service.addresses.iter().map(ToString::to_string).collect()),
        None => Reading::NotAsked,
    };
    let is_it = |answered: &&Answered| answered.question.view == View::Application && answered.question.name == name;
    let answer = heard.answers.iter().find(is_it).map(|answered| &answered.got);
    Named { name: name.to_owned(), own, leads_to: answer.map_or(Reading::NotAsked, addresses) }
}

fn addresses(answer: &Answer) -> Reading<BTreeSet<String>> {
    match answer {
        Answer::Records(records) => Reading::Present(records.iter().map(ToString::to_string).collect()),
        Answer::NoRecord | Answer::NoSuchName => Reading::Present(BTreeSet::new()),
        Answer::Refused(_) | Answer::Silence(_) | Answer::NotAsked(_) => {
            Reading::Unknown(Reason::Failed(answer.to_string()))
        }
    }
}
