//! What was read as a file: `--save` writes it, and `--from` judges it again without a cluster.

use std::fs;
use std::io;
use std::path::Path;

use crate::commands::shared::file;
use crate::commands::shared::look::{Look, Read, Scope};
use crate::context::Ctx;
use crate::dns::Names;
use crate::error::Error;
use crate::kubernetes::{ByHand, Place};
use crate::observe::saved::Case;
use crate::text::Hint;

use super::report::Source;

/// The flag that names the file to write.
const FLAG: &str = "--save";

/// The name that stands for stdin.
const STDIN: &str = "-";

/// Checks where a case is to be written, before anything is read.
///
/// # Errors
/// If it cannot be written there.
pub fn check(path: &Path) -> Result<(), Error> {
    file::check(path, FLAG)
}

/// Writes what was read, and says what is not in the file.
///
/// # Errors
/// If it cannot be written.
pub fn save(path: &Path, with_logs: bool, look: Look, place: &Place, ctx: &Ctx) -> anyhow::Result<()> {
    let Look { snapshot, details, names, now, .. } = look;
    let is_logged = !details.logs.is_empty();
    let version = env!("CARGO_PKG_VERSION").to_owned();
    let case = Case { version, namespace: place.namespace.clone(), read_at: now, snapshot, details, names };
    file::write(path, &case.text(with_logs)?).map_err(|error| file::unwritten(path, FLAG, &error))?;
    let shown = path.display();
    let judge = ByHand::default().own(["doctor", "--from", &path.to_string_lossy()]);
    ctx.printer.note(Hint::from(format!("case written to {shown}")).and(judge.to("judge it again without a cluster")));
    let logs = if with_logs { "" } else { ", logs" };
    ctx.printer.note(format!(
        "left out: values of Secrets and of environment variables, passwords{logs}, managedFields and last-applied annotations"
    ));
    if !with_logs && is_logged {
        ctx.printer.note("some findings need the logs: to write them too, add --with-logs");
    }
    ctx.printer.note("it shows names of objects, nodes, images and users: read it before you pass it on");
    Ok(())
}

/// Reads a case, and judges it as of the time at which it was read.
///
/// # Errors
/// If there is none.
pub fn open(path: &Path, scope: Scope<'_>) -> Result<(Place, Look, Source), Error> {
    let hint = || ByHand::default().own("doctor --save case.json").to("write one");
    let is_stdin = path == Path::new(STDIN);
    let file = if is_stdin { "stdin".to_owned() } else { path.display().to_string() };
    let text = if is_stdin { io::read_to_string(io::stdin()) } else { fs::read_to_string(path) };
    let text = text.map_err(|error| Error::new(format!("could not read {file}: {error}"), hint()))?;
    let case =
        Case::<Names>::parse(&text).map_err(|error| Error::new(format!("{file} is not a case: {error:#}"), hint()))?;
    let source = Source { file, read_at: case.read_at };
    let (place, look) = judged(case, scope);
    Ok((place, look, source))
}

/// What a case comes to, and the place that its hints lead to.
fn judged(case: Case<Names>, scope: Scope<'_>) -> (Place, Look) {
    let by_hand = ByHand { namespace: Some(case.namespace.clone()), given: Vec::new() };
    let [context, server] = [String::new(), String::new()];
    let Case { namespace, snapshot, details, names, read_at, .. } = case;
    let place = Place { context, namespace, server, flags: Vec::new(), by_hand };
    let look = Look::judge(Read { snapshot, details, names, now: read_at }, &place, scope);
    (place, look)
}

#[cfg(test)]
#[path = "case_tests.rs"]
mod tests;
