//! Files that a command writes for people.

use std::fmt::Display;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Checks where a file is to be written, before anything else is done. The flag is the one that named it.
///
/// # Errors
/// If it cannot be written there.
pub fn check(path: &Path, flag: &str) -> Result<(), Error> {
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).map_or(PathBuf::from("."), Path::to_owned);
    if !folder.is_dir() {
        let says = format!("directory {} does not exist", folder.display());
        return Err(Error::new(says, "create it, or choose another one"));
    }
    // As it will be written, but that nothing is changed: what is there stays, and what is not is not there afterwards.
    let is_there = path.symlink_metadata().is_ok();
    OpenOptions::new().create(true).append(true).open(path).map_err(|error| unwritten(path, flag, &error))?;
    if !is_there {
        fs::remove_file(path).map_err(|error| unwritten(path, flag, &error))?;
    }
    Ok(())
}

/// Why it could not be written.
pub fn unwritten(path: &Path, flag: &str, error: &impl Display) -> Error {
    Error::new(format!("could not write {}: {error}", path.display()), format!("choose another file: {flag} FILE"))
}

/// Writes a file whole or not at all, in the place of what was there.
///
/// # Errors
/// If it cannot be written.
pub fn write(path: &Path, text: &str) -> io::Result<()> {
    match path.symlink_metadata() {
        // What a link or a device leads to is written, and the link stays.
        Ok(there) if !there.is_file() => fs::write(path, text),
        there => {
            let partial = path.with_extension(format!("{}.partial", std::process::id()));
            let written = fs::write(&partial, text)
                .and_then(|()| there.map_or(Ok(()), |old| fs::set_permissions(&partial, old.permissions())))
                .and_then(|()| fs::rename(&partial, path));
            written.or_else(|_| {
                // It may not even be there. A file may be writable in a folder that is not.
                let _ = fs::remove_file(&partial);
                fs::write(path, text)
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_file_is_written_as_a_whole_and_keeps_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link] = ["case.json", "link.json"].map(|name| folder.path().join(name));
        fs::write(&file, "before").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(&file, &link).unwrap();
        write(&file, "after").unwrap();
        assert_eq!(
            (fs::read(&file).unwrap(), file.metadata().unwrap().permissions().mode() & 0o777),
            (b"after".into(), 0o600)
        );
        write(&link, "through").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"through");
        assert!(link.is_symlink() && write(folder.path(), "a directory").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");
    }
}
