//! One round: what the objects say, what DNS answers, and what is to be said of that.

use jiff::Timestamp;

use super::Args;
use crate::commands::shared::names::{self, Asking, AskingPod};
use crate::context::Ctx;
use crate::dns::{Facts, Heard, Verdict};
use crate::error::Error;
use crate::findings::Finding;
use crate::findings::dns::{self, DnsEvidence};
use crate::observe::{self, Reading, Snapshot};

/// What one round has come to.
pub struct Round {
    /// What was heard, each answer with its verdict.
    pub heard: Heard,
    /// What is the matter.
    pub findings: Vec<Finding>,
    /// Whether all is as it should be.
    pub holds: bool,
}

impl Round {
    /// Asks for everything once.
    pub async fn ask(ctx: &Ctx, from: &AskingPod, args: &Args, snapshot: Snapshot) -> anyhow::Result<Self> {
        let cluster = ctx.cluster().await?;
        let facts = Facts::new(cluster.namespace(), &snapshot);
        names::show(ctx, cluster.place(), from, &facts, &args.names);
        names::show_server(ctx, cluster.place(), &facts);
        let asking = Asking { names: &args.names, trace: args.trace, patience: None };
        let mut heard = names::hear(cluster, from, &facts, asking).await?.map_err(|why| {
            Error::new(
                format!("could not ask from pod/{} in namespace {}: {why}", from.pod, facts.namespace),
                ctx.own_command("dns-check --pod").to("ask from a temporary pod"),
            )
        })?;
        let server = if heard.any(Verdict::Silent) { observe::dns::server(cluster).await } else { Reading::NotAsked };
        heard.caching = names::caching(cluster, &heard).await;
        let evidence = DnsEvidence {
            facts: &facts,
            by_hand: &cluster.place().by_hand,
            asker: &heard.asker,
            dns: &server,
            caching: heard.caching,
            now: Timestamp::now(),
        };
        let findings = dns::explain(&evidence, &mut heard.answers);
        let holds = dns::holds(&heard.answers, &findings);
        Ok(Self { heard, findings, holds })
    }
}
