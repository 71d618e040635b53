//! `--report`: the evidence as a file.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::context::Ctx;
use crate::error::Error;
use crate::observe::Reading;
use crate::persistence::contrast::Contrast;
use crate::persistence::document::Document;
use crate::persistence::evidence::Cycle;
use crate::persistence::report::Report;

/// Checks where it is to be written, before anything is changed.
///
/// # Errors
/// If it cannot be written there.
pub fn check(path: &Path) -> Result<(), Error> {
    if path.extension().is_none_or(|extension| extension != "json") {
        return Err(Error::new(
            format!("{} does not end with .json, the form that reports have", path.display()),
            "name it so: --report proof.json",
        ));
    }
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or(PathBuf::from("."), Path::to_owned);
    if folder.is_dir() {
        return Ok(());
    }
    Err(Error::new(format!("there is no folder {} for the report", folder.display()), "make it, or name another one"))
}

/// Writes it.
///
/// # Errors
/// If it cannot be written.
pub async fn write(ctx: &Ctx, path: &Path, cycles: Vec<Cycle>, contrast: Reading<Contrast>) -> anyhow::Result<()> {
    let cluster = ctx.cluster().await?;
    let place = cluster.place();
    let report = Report {
        at: Timestamp::now(),
        plugin: env!("CARGO_PKG_VERSION").to_owned(),
        server: cluster.version().await?.git_version,
        context: place.context.clone(),
        namespace: place.namespace.clone(),
        cycles,
        contrast,
    };
    save(ctx, path, &report.text()?)
}

/// Writes a document.
///
/// # Errors
/// If it cannot be written.
pub fn save(ctx: &Ctx, path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).map_err(|error| {
        Error::new(format!("could not write {}: {error}", path.display()), "name another file: --report FILE.json")
    })?;
    ctx.printer
        .note(format!("report written to {0}; judge it again: kubectl kubecoin verify-report {0}", path.display()));
    Ok(())
}

/// Reads one.
///
/// # Errors
/// If there is none.
pub fn read(path: &Path) -> Result<Document, Error> {
    let hint = "write one: kubectl kubecoin persistence-demo --report proof.json";
    let text = fs::read_to_string(path)
        .map_err(|error| Error::new(format!("could not read {}: {error}", path.display()), hint))?;
    Document::parse(&text).map_err(|error| Error::new(format!("{} is no report: {error:#}", path.display()), hint))
}
