//! Entries of the cache: folders named by the hash of what each was made from, side by side in one folder a kind.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};

/// How long an entry is kept that nobody uses. Not just until there is a newer one: clones of different versions share the
/// cache.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// Waits until no other process makes what is cached under this name, and keeps them waiting for as long as the file is open.
///
/// # Errors
/// If the lock's file cannot be opened.
pub fn lock(entry: &Path) -> Result<File> {
    let path = entry.with_added_extension("lock");
    let folder = path.parent().context("an entry is in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let file = File::options().create(true).truncate(false).write(true).open(&path);
    let file = file.with_context(|| format!("cannot open {}", path.display()))?;
    file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

/// Notes that an entry is used, and removes those beside it that have not been for long: of sources as they were once.
pub fn used(entry: &Path) -> Result<()> {
    let now = SystemTime::now();
    // One that another user made cannot be marked, and so may be created again some day.
    let _ = File::open(entry).and_then(|folder| folder.set_modified(now));
    let Some(all) = entry.parent() else { return Ok(()) };
    for other in fs::read_dir(all).with_context(|| format!("cannot read {}", all.display()))?.flatten() {
        let unused = other.metadata().and_then(|found| found.modified()).is_ok_and(|used| used + KEPT < now);
        if unused && other.path() != entry {
            // Gone already if another run does the same.
            let path = other.path();
            let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_uses_any_more_is_removed() -> Result<()> {
        let all = tempfile::tempdir()?;
        let now = SystemTime::now();
        let entry = |name: &str, age: Duration| {
            let folder = all.path().join(name);
            fs::create_dir(&folder)?;
            fs::write(folder.join("program"), "")?;
            File::open(&folder)?.set_modified(now - age)?;
            anyhow::Ok(folder)
        };
        let own = entry("own", KEPT * 2)?;
        let recent = entry("of-another-clone", KEPT / 2)?;
        let forgotten = entry("forgotten", KEPT + Duration::from_hours(1))?;
        used(&own)?;
        assert!(own.join("program").exists() && recent.join("program").exists());
        assert!(!forgotten.exists());
        assert!(fs::metadata(&own)?.modified()? >= now);
        Ok(())
    }
}
