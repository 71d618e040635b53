//! Reports as files: written by a run, and read again.

use std::fs;
use std::path::{Path, PathBuf};

use crate::commands::shared::file;
use crate::context::Ctx;
use crate::error::Error;
use crate::kubernetes::ByHand;
use crate::report::{Form, Read, Reported};
use crate::text::{Command, Hint};

/// The flag that names a report.
const FLAG: &str = "--report";

/// Checks where it is to be written, before anything is changed.
///
/// # Errors
/// If it cannot be written there.
pub fn check(path: &Path) -> Result<(), Error> {
    form(path)?;
    file::check(path, FLAG)
}

fn form(path: &Path) -> Result<Form, Error> {
    Form::of(path).ok_or_else(|| {
        let [html, markdown, json, junit] = Form::ENDINGS.map(|(ending, _)| ending);
        Error::new(
            format!("{} does not end with .{html}, .{markdown}, .{json} or .{junit} (JUnit)", path.display()),
            "the file ending selects the format: --report proof.html",
        )
    })
}

/// A file, and whether the report was written to it.
pub type Saved<'a> = (&'a Path, Result<(), Error>);

/// Writes a report to each of the files. One that cannot be written keeps no other one from being.
#[must_use = "what could not be written is told"]
pub fn save<'a>(paths: &'a [PathBuf], report: &impl Reported) -> Vec<Saved<'a>> {
    let save = |path: &Path| -> anyhow::Result<()> { Ok(file::write(path, &form(path)?.text(report)?)?) };
    paths.iter().map(|path| (path.as_path(), save(path).map_err(|error| file::unwritten(path, FLAG, &error)))).collect()
}

/// Says where it was written, and where it could not be: that changes nothing of what was proved.
pub fn tell(ctx: &Ctx, saved: &[Saved<'_>]) {
    for (path, outcome) in saved {
        let (form, shown) = (Form::of(path), path.display());
        match (outcome, form) {
            (Err(error), _) => ctx.printer.error(&error.to_string()),
            (Ok(()), Some(Form::Json)) => ctx
                .printer
                .note(Hint::from(format!("report written to {shown}")).and(verify(path).to("check it again"))),
            (Ok(()), _) => ctx.printer.note(format!("report written to {shown}")),
        }
    }
}

/// What judges a report again. Needs no cluster, and so no flags.
fn verify(path: &Path) -> Command {
    ByHand::default().own(["verify-report", &path.to_string_lossy()])
}

/// Reads one.
///
/// # Errors
/// If there is none.
pub fn read(path: &Path) -> Result<Read, Error> {
    let hint = || ByHand::default().own("persistence-demo --report proof.json").to("write one");
    let text = fs::read_to_string(path)
        .map_err(|error| Error::new(format!("could not read {}: {error}", path.display()), hint()))?;
    Read::parse(&text).map_err(|error| Error::new(format!("{} is not a report: {error:#}", path.display()), hint()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persistence::tests::report;

    #[test]
    fn where_it_cannot_be_written_is_found_before_and_nothing_is_changed() {
        let folder = tempfile::tempdir().unwrap();
        let [new, old, taken] = ["new.json", "old.json", "taken.json"].map(|name| folder.path().join(name));
        fs::write(&old, "kept").unwrap();
        fs::create_dir(&taken).unwrap();
        assert!(check(&new).is_ok() && !new.exists());
        assert!(check(&old).is_ok() && fs::read(&old).unwrap() == b"kept");
        assert!(check(&taken).unwrap_err().to_string().contains("could not write"));
        assert!(check(&folder.path().join("none/new.json")).unwrap_err().to_string().contains("does not exist"));

        let paths = [taken, new];
        let saved = save(&paths, &report());
        assert!(saved[0].1.is_err() && saved[1].1.is_ok(), "{saved:?}");
        assert!(read(&paths[1]).is_ok());
    }
}
