//! The evidence as a report: beside it, what was asked, where and when.

use std::path::PathBuf;

use jiff::Timestamp;

use super::setting::{self, Seen};
use crate::context::Ctx;
use crate::observe::Reading;
use crate::persistence::about::About;
use crate::persistence::evidence::Evidence;
use crate::persistence::report::Report;
use crate::persistence::setting::Setting;

/// A report without a contrast. What it took place on is only read if there are files to be written.
///
/// # Errors
/// If what was asked has no form for a shell.
pub async fn new(
    ctx: &Ctx,
    paths: &[PathBuf],
    selector: &str,
    by_hand: Vec<String>,
    evidence: Evidence,
) -> anyhow::Result<Report> {
    let seen = (!paths.is_empty()).then(|| Seen::of(&evidence, selector));
    let about = about(ctx, seen, by_hand).await?;
    Ok(Report { about, evidence, contrast: Reading::NotAsked })
}

/// What was asked, where and when; and what it took place on, if that is to be read.
///
/// # Errors
/// If there is no cluster.
pub async fn about(ctx: &Ctx, seen: Option<Seen<'_>>, by_hand: Vec<String>) -> anyhow::Result<About> {
    let cluster = ctx.cluster().await?;
    let place = cluster.place();
    let setting = match seen {
        Some(seen) => setting::read(cluster, &seen).await,
        None => Setting::default(),
    };
    Ok(About {
        at: Timestamp::now(),
        asked: ctx.own_command(ctx.asked.clone()).line(),
        context: place.context.clone(),
        address: place.server.clone(),
        namespace: place.namespace.clone(),
        setting,
        by_hand,
    })
}
