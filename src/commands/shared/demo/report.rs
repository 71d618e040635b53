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
    let cluster = ctx.cluster().await?;
    let place = cluster.place();
    let setting = if paths.is_empty() {
        Setting::default()
    } else {
        let moments = evidence.turns.iter().flat_map(|turn| [Some(&turn.before), turn.after.present()]).flatten();
        let claims = moments.clone().flat_map(|moment| &moment.claims).map(|claimed| claimed.claim.present());
        let seen = Seen {
            pods: moments.map(|moment| &moment.pod).collect(),
            claims: claims.collect(),
            selector: selector.to_owned(),
        };
        setting::read(cluster, &seen).await
    };
    let about = About {
        at: Timestamp::now(),
        asked: ctx.own_command(ctx.asked.clone()).line(),
        context: place.context.clone(),
        address: place.server.clone(),
        namespace: place.namespace.clone(),
        setting,
        by_hand,
    };
    Ok(Report { about, evidence, contrast: Reading::NotAsked })
}
