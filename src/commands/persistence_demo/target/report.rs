//! The evidence on a set as a file.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::super::report;
use crate::context::Ctx;
use crate::error::Error;
use crate::output::report::Form;
use crate::persistence::target::evidence::Evidence;
use crate::persistence::target::report::Report;

/// Checks where it is to be written, before anything is changed.
///
/// # Errors
/// If it cannot be written there.
pub fn check(path: &Path) -> Result<(), Error> {
    if path.extension().is_none_or(|extension| extension != "json") {
        let why = format!("{} does not end with .json, the form of reports on a --target", path.display());
        return Err(Error::new(why, "name it so: --report proof.json"));
    }
    report::check(path)
}

/// Writes it to each of the files.
///
/// # Errors
/// If it cannot be written.
pub async fn write(ctx: &Ctx, paths: &[PathBuf], evidence: Evidence) -> anyhow::Result<()> {
    if paths.is_empty() {
        return Ok(());
    }
    let cluster = ctx.cluster().await?;
    let report = Report {
        at: Timestamp::now(),
        plugin: env!("CARGO_PKG_VERSION").to_owned(),
        server: cluster.version().await?.git_version,
        context: cluster.place().context.clone(),
        namespace: cluster.namespace().to_owned(),
        evidence,
    };
    let text = report.text()?;
    paths.iter().try_for_each(|path| report::save(ctx, path, Form::Json, &text))
}
