//! What is needed from the system: found all together, and installed where that can be done.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

/// A Debian package and the file by which its presence is seen, however it came there. One `*` in a component stands for
/// any number of characters.
#[derive(Clone, Copy)]
pub struct Package {
    /// The name that apt knows.
    pub name: &'static str,
    /// An absolute path, or the name of a program on `PATH`.
    pub provides: &'static str,
}

/// Makes sure that all packages are there: as root with apt the missing ones are installed, otherwise the error says how.
/// Nothing is removed, and no service is started.
pub fn require(packages: &[Package]) -> Result<()> {
    let missing: Vec<&str> = packages.iter().filter(|p| !present(p.provides)).map(|p| p.name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let install = format!("apt-get install --no-install-recommends {}", missing.join(" "));
    if !present("apt-get") {
        bail!("not installed: {}; install what provides them on this system", missing.join(", "));
    }
    if !is_root()? {
        bail!("not installed: {}\nhint: sudo {install}", missing.join(", "));
    }
    process::step(&install, || {
        let _quiet = NoServices::new()?;
        let apt = || {
            let mut apt = Command::new("apt-get");
            apt.env("DEBIAN_FRONTEND", "noninteractive").args(["--yes", "--quiet=2"]);
            apt
        };
        process::output(apt().arg("update"))?;
        process::output(apt().args(["install", "--no-install-recommends", "--no-remove"]).args(&missing))
    })?;
    match packages.iter().find(|p| !present(p.provides)) {
        Some(package) => bail!("{} is installed, but {} is not there", package.name, package.provides),
        None => Ok(()),
    }
}

/// Whether this process runs as root.
pub fn is_root() -> Result<bool> {
    Ok(process::output(Command::new("id").arg("-u"))? == "0")
}

/// Whether a program is on `PATH`, or a file that matches a path is there.
pub fn present(provides: &str) -> bool {
    if provides.starts_with('/') {
        return !matching(Path::new(provides)).is_empty();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(provides).is_file())
}

/// The paths that a pattern with at most one `*` a component stands for.
pub fn matching(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let name = component.as_os_str().to_string_lossy();
        found = match name.split_once('*') {
            None => found.into_iter().map(|path| path.join(component)).filter(|path| path.exists()).collect(),
            Some((before, after)) => found
                .iter()
                .filter_map(|folder| fs::read_dir(folder).ok())
                .flat_map(Iterator::flatten)
                .filter(|entry| {
                    let name = entry.file_name();
                    let name = name.to_string_lossy();
                    name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
                })
                .map(|entry| entry.path())
                .collect(),
        };
    }
    found.sort();
    found
}

/// Keeps packages from starting services while it lives, by Debian's own means (invoke-rc.d asks this file first), and
/// leaves one that is there already alone.
struct NoServices {
    made: bool,
}

const POLICY: &str = "/usr/sbin/policy-rc.d";

impl NoServices {
    fn new() -> Result<Self> {
        match fs::File::create_new(POLICY) {
            Ok(_) => {
                fs::write(POLICY, "#!/bin/sh\nexit 101\n").with_context(|| format!("cannot write {POLICY}"))?;
                fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755))?;
                Ok(Self { made: true })
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Self { made: false }),
            Err(error) => Err(error).with_context(|| format!("cannot write {POLICY}")),
        }
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.made {
            let _ = fs::remove_file(POLICY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_finds_what_it_stands_for_and_nothing_else() -> Result<()> {
        let folder = tempfile::tempdir()?;
        for name in ["15/bin/postgres", "17/bin/postgres", "17/bin/psql", "common/postgres"] {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().context("has a parent")?)?;
            fs::write(path, "")?;
        }
        let found = matching(&folder.path().join("*/bin/postgres"));
        let expected: Vec<_> = ["15/bin/postgres", "17/bin/postgres"].map(|name| folder.path().join(name)).into();
        assert_eq!(found, expected);
        assert!(matching(&folder.path().join("*/sbin/postgres")).is_empty());
        Ok(())
    }

    #[test]
    fn a_program_that_is_not_on_the_path_is_missing() {
        assert!(present("sh"));
        assert!(!present("a-program-that-nobody-has"));
        assert!(!present("/usr/lib/a-folder-that-nobody-has/*/bin"));
    }
}
