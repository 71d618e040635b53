//! The evidence on a set as a file.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::super::report;
use super::super::setting::Seen;
use crate::commands::shared::proof::file;
use crate::context::Ctx;
use crate::persistence::document::Document;
use crate::persistence::set::evidence::Evidence;
use crate::persistence::set::report::Report;

/// The label by which a set's pods are told from each other.
const POD_NAME: &str = "statefulset.kubernetes.io/pod-name";

/// Writes a report on it to each of the files.
///
/// # Errors
/// If what was asked has no form for a shell.
pub async fn write(ctx: &Ctx, paths: &[PathBuf], by_hand: Vec<String>, evidence: Evidence) -> anyhow::Result<()> {
    if paths.is_empty() {
        return Ok(());
    }
    let moments = evidence.turns.iter().flat_map(|turn| [Some(&turn.before), turn.after.present()]).flatten();
    let planned: BTreeSet<&str> = evidence.planned.iter().map(String::as_str).collect();
    let seen = Seen {
        pods: moments.clone().map(|moment| &moment.pod).collect(),
        claims: moments.flat_map(|moment| &moment.claims).map(|claimed| claimed.claim.present()).collect(),
        selector: format!("{POD_NAME} in ({})", planned.into_iter().collect::<Vec<_>>().join(",")),
    };
    let about = report::about(ctx, &seen, by_hand).await?;
    file::tell(ctx, &file::save(paths, &Document::Set(Box::new(Report { about, evidence }))));
    Ok(())
}
