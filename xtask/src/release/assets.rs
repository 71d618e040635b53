//! The assets of a release: all of them, and nothing else.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::{manifests, sbom};
use crate::dist::{self, MANIFEST, Platform, SUMS};
use crate::hash::sha256;
use crate::{paths, process};

/// Writes krew's manifest and the checksums of all assets.
///
/// # Errors
/// If one is missing, or the folder has another file: what is uploaded is the folder.
pub fn sum(folder: &Path) -> Result<()> {
    check(folder)?;
    dist::describe(folder)?;
    let line = |name: String| Ok(format!("{}  {name}\n", sha256(&folder.join(&name))?));
    let sums = given().into_iter().chain([MANIFEST.to_owned()]).map(line).collect::<Result<String>>()?;
    let file = folder.join(SUMS);
    fs::write(&file, &sums).with_context(|| format!("cannot write {}", file.display()))?;
    process::say(&format!("{}  {} assets", file.display(), sums.lines().count()));
    Ok(())
}

fn check(folder: &Path) -> Result<()> {
    let (given, there) = (given(), files(folder)?);
    let missing: Vec<&str> = given.difference(&there).map(String::as_str).collect();
    ensure!(missing.is_empty(), "{} lacks {}", folder.display(), missing.join(", "));
    let made = [MANIFEST, SUMS];
    let strange: Vec<&str> = there.difference(&given).map(String::as_str).filter(|name| !made.contains(name)).collect();
    ensure!(strange.is_empty(), "{} has what is no asset: {}", folder.display(), strange.join(", "));
    Ok(())
}

/// What the steps before have made.
fn given() -> BTreeSet<String> {
    let of_platform = |platform: Platform| [platform.archive(dist::TAG), sbom::file(platform)];
    Platform::ALL.into_iter().flat_map(of_platform).chain(manifests::files()).collect()
}

fn files(folder: &Path) -> Result<BTreeSet<String>> {
    let name = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(paths::entries(folder)?.iter().filter_map(name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_may_be_missing_and_nothing_else_be_there() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let refused = || check(folder.path()).err().map(|error| error.to_string()).unwrap_or_default();
        for name in given() {
            assert!(refused().contains(&name), "{name}: {}", refused());
            fs::write(folder.path().join(&name), "")?;
        }
        for made in [MANIFEST, SUMS] {
            assert_eq!(refused(), "", "before {made}");
            fs::write(folder.path().join(made), "")?;
        }
        fs::write(folder.path().join("notes.md"), "")?;
        assert!(refused().contains("what is no asset: notes.md"), "{}", refused());
        Ok(())
    }
}
