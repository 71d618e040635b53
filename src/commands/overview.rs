//! `kubectl kubecoin` alone: where one is, and what comes next.

use kube::ResourceExt;

use super::shared::look::{Look, look};
use crate::context::Ctx;
use crate::error::Outcome;
use crate::findings::{Depth, TABLE_MISSING};
use crate::kubernetes::ByHand;
use crate::kubernetes::on;
use crate::output::{Line, Role};
use crate::persistence::proof::Proof;

/// The steps of the lesson, each with its command.
const STEPS: [&str; 5] = ["deploy", "init-db", "status", "dns-check", "persistence-demo"];

/// Reads the cluster and says it.
///
/// # Errors
/// If the cluster cannot be asked.
pub async fn run(ctx: &Ctx) -> anyhow::Result<Outcome> {
    let cluster = ctx.cluster().await?;
    let look = Box::pin(look(ctx, Depth::All.into())).await?;
    let (findings, Look { snapshot, health, now, .. }) = (look.findings(), look);
    let namespace = cluster.namespace();
    let problem = findings.iter().find(|finding| finding.weight.is_bad());
    let (says, step) = match problem {
        _ if snapshot.is_empty() => ("no exchange yet".to_owned(), 0),
        Some(finding) if finding.cause == &TABLE_MISSING => ("exchange running, table missing".to_owned(), 1),
        Some(finding) => (format!("exchange not healthy: {} {}", finding.object, finding.says), 2),
        None if !health.holds() => (format!("exchange {}", health.words()), 2),
        None => {
            let annotations = snapshot.statefulset.present().map(ResourceExt::annotations);
            let proof = annotations.and_then(Proof::of).map(|proof| format!(", last proof {}", proof.words(now)));
            // Whether its names were looked at leaves no trace; whether its data was proved does.
            let step = if proof.is_some() { 4 } else { 3 };
            (format!("exchange running{}", proof.unwrap_or_default()), step)
        }
    };
    ctx.printer.out(Line::default().and(Role::Title, namespace).and(
        Role::Plain,
        format!("{}: {says} (step {} of {})", on(&cluster.place().context), step + 1, STEPS.len()),
    ))?;
    let next = ctx.own_command(STEPS[step]);
    ctx.printer.out(Line::from("next: ").and(Role::Command, next.line()))?;
    ctx.printer.out(Line::from("all commands: ").and(Role::Command, ByHand::default().own("--help").line()))?;
    Ok(Outcome::Holds)
}
