//! `--report`: the evidence as a file.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::setting::{self, Seen};
use super::{Args, rows};
use crate::cli;
use crate::context::Ctx;
use crate::error::Error;
use crate::exchange::names;
use crate::kubernetes::act::Act;
use crate::observe::Reading;
use crate::output::report::Form;
use crate::persistence::about::About;
use crate::persistence::contrast::Contrast;
use crate::persistence::document::Document;
use crate::persistence::evidence::Cycle;
use crate::persistence::report::Report;

/// Checks where it is to be written, before anything is changed.
///
/// # Errors
/// If it cannot be written there.
pub fn check(path: &Path) -> Result<(), Error> {
    form(path)?;
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or(PathBuf::from("."), Path::to_owned);
    if folder.is_dir() {
        return Ok(());
    }
    Err(Error::new(format!("there is no folder {} for the report", folder.display()), "make it, or name another one"))
}

fn form(path: &Path) -> Result<Form, Error> {
    Form::of(path).ok_or_else(|| {
        let [html, markdown, json, junit] = Form::ENDINGS.map(|(ending, _)| ending);
        Error::new(
            format!("{} does not end with .{html}, .{markdown}, .{json} or .{junit} (JUnit)", path.display()),
            "the ending says which form the report has: --report proof.html",
        )
    })
}

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
///
/// # Errors
/// If it cannot be written.
pub fn write(args: &Args, about: Option<&About>, cycles: &[Cycle], contrast: &Reading<Contrast>) -> anyhow::Result<()> {
    let Some(about) = about else { return Ok(()) };
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
        asked: ctx.own_command(&shlex::try_join(cli::asked(std::env::args_os()).iter().map(String::as_str))?),
        context: place.context.clone(),
        address: place.server.clone(),
        namespace: place.namespace.clone(),
        setting: setting::read(cluster, seen).await,
        by_hand,
    })
}

/// Writes a report to each of the files.
///
/// # Errors
/// If it cannot be written.
pub fn save(paths: &[PathBuf], report: &Document) -> anyhow::Result<()> {
    for path in paths {
        fs::write(path, form(path)?.text(report)?).map_err(|error| {
            Error::new(format!("could not write {}: {error}", path.display()), "name another file: --report FILE")
        })?;
    }
    Ok(())
}

/// Says where it was written.
pub fn tell(ctx: &Ctx, paths: &[PathBuf]) {
    for path in paths {
        let form = Form::of(path);
        let path = path.display();
        ctx.printer.note(match form {
            Some(Form::Json) => {
                format!("report written to {path}; judge it again: kubectl kubecoin verify-report {path}")
            }
            _ => format!("report written to {path}"),
        });
    }
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
