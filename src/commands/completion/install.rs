//! The file beside the plugin that kubectl asks for completions. krew links one file only, the plugin itself.

use std::env;
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::complete::{FILE, PROGRAM};
use crate::context::Ctx;
use crate::error::{Error, Outcome};
use crate::program;
use crate::text::{Command, Hint};

/// What released versions have written into the file. One that somebody has changed since is theirs.
const WRITTEN: [&str; 1] = [PROGRAM];

/// The mode of a program.
const EXECUTABLE: u32 = 0o755;

/// What is at the file's place.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    /// The file as this version writes it.
    Same,
    /// The file as another version wrote it, or with another mode.
    Older,
    /// Something that this program did not create.
    Foreign,
}

/// Creates the file, in a folder where kubectl finds it.
///
/// # Errors
/// If there is no such folder, something else of the name is there, or the file cannot be written.
pub fn install(folder: Option<&Path>, ctx: &Ctx) -> anyhow::Result<Outcome> {
    let folders = path();
    let folder = match folder {
        Some(folder) => on_path(folder, &folders)?,
        None => of_the_plugin(&folders)?,
    };
    let file = folder.join(FILE);
    let failed = |error: io::Error| {
        let elsewhere = Command::new(program::COMMAND.into_iter().chain(["completion", "install", "--folder", "DIR"]));
        let hint = elsewhere.to("choose a folder of PATH in which you may create files");
        Error::new(format!("could not create {}: {error}; nothing was changed", file.display()), hint)
    };
    let done = match found(&file).map_err(failed)? {
        Found::Same => "unchanged",
        Found::Nothing => {
            write(&file).map_err(failed)?;
            "created"
        }
        Found::Older => {
            write(&file).map_err(failed)?;
            "replaced"
        }
        Found::Foreign => {
            return Err(Error::new(
                format!("{} is there, and this plugin did not create it; nothing was changed", file.display()),
                "rename or delete it, or choose another folder of PATH with --folder",
            )
            .into());
        }
    };
    ctx.printer.out(format!("{} {done}", file.display()))?;
    if let Some(first) = folders.iter().map(|folder| folder.join(FILE)).find(|file| is_executable(file))
        && first != file
    {
        ctx.printer.warning(&format!("kubectl finds {} first", first.display()));
    }
    ctx.printer.note("kubectl now completes its plugin kubecoin, in each shell that completes kubectl.");
    ctx.printer.note(of_the_shell(env::var("SHELL").ok().as_deref()));
    // krew ends with an error when it finds a file in its folder, and no plugin.
    let before = Command::new(program::COMMAND.into_iter().chain(["completion", "uninstall"]));
    ctx.printer.hint(before.to("before you uninstall the plugin, run"));
    Ok(Outcome::Holds)
}

/// Deletes the file wherever kubectl would find it.
///
/// # Errors
/// If it is there and cannot be deleted.
pub fn uninstall(ctx: &Ctx) -> anyhow::Result<Outcome> {
    let (mut deleted, mut failed) = (0, Vec::new());
    for file in path().iter().map(|folder| folder.join(FILE)) {
        let done = match found(&file) {
            Ok(Found::Nothing) => continue,
            Ok(Found::Foreign) => {
                ctx.printer.note(format!("{} was not created by this plugin; it stays", file.display()));
                continue;
            }
            Ok(Found::Same | Found::Older) => fs::remove_file(&file),
            Err(error) => Err(error),
        };
        match done {
            Ok(()) => {
                deleted += 1;
                ctx.printer.out(format!("{} deleted", file.display()))?;
            }
            Err(error) => failed.push(format!("{}: {error}", file.display())),
        }
    }
    if !failed.is_empty() {
        let why = format!("could not delete {}", failed.join("; "));
        return Err(Error::new(why, "delete it as its owner, or with sudo").into());
    }
    if deleted == 0 {
        ctx.printer.note(format!("no folder of PATH has a {FILE} of this plugin; nothing was deleted"));
    }
    Ok(Outcome::Holds)
}

/// The folders that programs are looked up in.
fn path() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for folder in env::split_paths(&env::var_os("PATH").unwrap_or_default()) {
        if folder.is_absolute() && !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

/// The folder in which kubectl finds the plugin. Not where a link leads: krew replaces that folder with each version.
fn of_the_plugin(folders: &[PathBuf]) -> Result<PathBuf, Error> {
    let folder = folders.iter().find(|folder| is_executable(&folder.join(program::NAME)));
    folder.cloned().ok_or_else(|| {
        // As it was typed, without following a link.
        let typed = env::args_os().next().and_then(|typed| std::path::absolute(typed).ok());
        let hint = match typed.as_deref().and_then(Path::parent) {
            Some(folder) => Hint::from(format!("export PATH=\"{}:$PATH\"", folder.display())),
            None => Hint::from("add the plugin's folder to PATH"),
        };
        Error::new(format!("{} is in no folder of PATH, so kubectl does not find it", program::NAME), hint)
    })
}

/// The folder as `PATH` has it.
fn on_path(folder: &Path, folders: &[PathBuf]) -> Result<PathBuf, Error> {
    let real = |folder: &Path| fs::canonicalize(folder).ok();
    let wanted = real(folder);
    let same = folders.iter().find(|other| wanted.is_some() && real(other) == wanted);
    same.cloned().ok_or_else(|| {
        let why = if folder.is_dir() {
            format!("{} is not in PATH, so kubectl would not find the file", folder.display())
        } else {
            format!("there is no folder {}", folder.display())
        };
        Error::new(format!("{why}; nothing was changed"), "choose a folder that PATH names: echo \"$PATH\"")
    })
}

fn found(file: &Path) -> io::Result<Found> {
    // A folder of PATH may be none, or somebody else's: kubectl finds nothing there either.
    const NOTHING: [ErrorKind; 3] = [ErrorKind::NotFound, ErrorKind::NotADirectory, ErrorKind::PermissionDenied];
    let about = match fs::symlink_metadata(file) {
        Ok(about) => about,
        Err(error) if NOTHING.contains(&error.kind()) => return Ok(Found::Nothing),
        Err(error) => return Err(error),
    };
    // A link is somebody else's, wherever it leads.
    if !about.is_file() {
        return Ok(Found::Foreign);
    }
    let text = match fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(Found::Foreign),
        Err(error) => return Err(error),
    };
    Ok(if text == PROGRAM.as_bytes() && is_executable(file) {
        Found::Same
    } else if WRITTEN.iter().any(|written| text == written.as_bytes()) {
        Found::Older
    } else {
        Found::Foreign
    })
}

/// Whole or not at all: kubectl may run it meanwhile.
fn write(file: &Path) -> io::Result<()> {
    let partial = file.with_extension(format!("{}.partial", std::process::id()));
    let written = fs::write(&partial, PROGRAM)
        .and_then(|()| fs::set_permissions(&partial, Permissions::from_mode(EXECUTABLE)))
        .and_then(|()| fs::rename(&partial, file));
    if written.is_err() {
        // It may not even be there.
        let _ = fs::remove_file(&partial);
    }
    written
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

/// How a shell is made to complete kubectl.
fn of_the_shell(shell: Option<&str>) -> String {
    let shell = shell.and_then(|shell| Path::new(shell).file_name()?.to_str()).unwrap_or_default();
    let line = match shell {
        "bash" | "zsh" => format!("source <(kubectl completion {shell})"),
        "fish" => "kubectl completion fish | source".to_owned(),
        _ => "see kubectl completion --help".to_owned(),
    };
    format!("If yours does not yet: {line}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_this_plugin_created_is_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        assert_eq!(found(&file).unwrap(), Found::Nothing);
        assert_eq!(found(&folder.path().join("none").join(FILE)).unwrap(), Found::Nothing);
        write(&file).unwrap();
        assert_eq!(found(&file).unwrap(), Found::Same);
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        assert_eq!(found(&file).unwrap(), Found::Older);
        fs::write(&file, format!("{PROGRAM}# mine\n")).unwrap();
        assert_eq!(found(&file).unwrap(), Found::Foreign);
        fs::write(&file, "#!/bin/sh\necho mine\n").unwrap();
        assert_eq!(found(&file).unwrap(), Found::Foreign);
        let other = folder.path().join("other");
        fs::write(&other, PROGRAM).unwrap();
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink(&other, &file).unwrap();
        assert_eq!(found(&file).unwrap(), Found::Foreign);
    }
}
