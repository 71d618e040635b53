//! `--report`: the evidence as a file.

use jiff::Timestamp;

use super::setting::{self, Seen};
use super::{Args, rows};
use crate::commands::shared::proof::file::{Saved, save};
use crate::context::Ctx;
use crate::exchange::names;
use crate::kubernetes::act::Act;
use crate::observe::Reading;
use crate::persistence::about::About;
use crate::persistence::contrast::Contrast;
use crate::persistence::document::Document;
use crate::persistence::evidence::Cycle;
use crate::persistence::report::Report;

/// What a report on the exchange says beside its evidence, if there is to be one.
///
/// # Errors
/// If what was asked has no form for a shell.
pub async fn beside(
    ctx: &Ctx,
    args: &Args,
    mut by_hand: Vec<String>,
    cycles: &[Cycle],
) -> anyhow::Result<Option<About>> {
    if args.report.is_empty() {
        return Ok(None);
    }
    if let Some(cycle) = cycles.first().filter(|_| !args.keep) {
        by_hand.push(rows::removal(&cycle.run).kubectl(ctx.cluster().await?.place()));
    }
    let moments = cycles.iter().flat_map(|cycle| [Some(&cycle.before), cycle.after.present()]).flatten();
    let (pods, claims) = moments.map(|moment| (&moment.identity.pod, moment.identity.claim.present())).unzip();
    let seen = Seen { pods, claims, selector: names::selector() };
    about(ctx, &seen, by_hand).await.map(Some)
}

/// Writes a report on the exchange to each of the files, if there is to be one.
pub fn write<'a>(
    args: &'a Args,
    about: Option<&About>,
    cycles: &[Cycle],
    contrast: &Reading<Contrast>,
) -> Vec<Saved<'a>> {
    let Some(about) = about else { return Vec::new() };
    let about = About { at: Timestamp::now(), ..about.clone() };
    let report = Report { about, cycles: cycles.to_vec(), contrast: contrast.clone() };
    save(&args.report, &Document::Exchange(Box::new(report)))
}

/// What a report says beside its evidence.
///
/// # Errors
/// If what was asked has no form for a shell.
pub async fn about(ctx: &Ctx, seen: &Seen<'_>, by_hand: Vec<String>) -> anyhow::Result<About> {
    let cluster = ctx.cluster().await?;
    let place = cluster.place();
    Ok(About {
        at: Timestamp::now(),
        asked: ctx.own_command(ctx.asked.clone()).line(),
        context: place.context.clone(),
        address: place.server.clone(),
        namespace: place.namespace.clone(),
        setting: setting::read(cluster, seen).await,
        by_hand,
    })
}
