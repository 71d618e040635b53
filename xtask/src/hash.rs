//! Names for cached things, made from what goes into them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest as _, Sha256};
use walkdir::{DirEntry, WalkDir};

/// The checksum of a file, in 64 hex digits.
pub fn sha256(file: &Path) -> Result<String> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// A digest that grows by what a thing is made from.
pub struct Inputs(Sha256);

impl Inputs {
    /// Starts with the words that are an input: versions, flags, the names of other inputs.
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let mut inputs = Self(Sha256::new());
        for word in words {
            inputs.add(word.as_bytes());
        }
        inputs
    }

    /// Adds a file, or a folder with all files under it: their names, contents and whether they may be executed. What Python
    /// and its tools leave beside the sources when they run does not count.
    pub fn path(mut self, root: &Path) -> Result<Self> {
        for entry in WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(|entry| !is_left_over(entry)) {
            let entry = entry.with_context(|| format!("cannot read {}", root.display()))?;
            if !entry.file_type().is_file() {
                continue;
            }
            let path = entry.path();
            self.add(path.strip_prefix(root)?.as_os_str().as_encoded_bytes());
            self.add(&[u8::from(is_executable(&entry.metadata()?))]);
            self.add(&fs::read(path).with_context(|| format!("cannot read {}", path.display()))?);
        }
        Ok(self)
    }

    /// Sixteen hex digits.
    pub fn digest(self) -> String {
        let digest = self.0.finalize();
        format!("{:016x}", digest.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn add(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }
}

/// Whether it is a folder that Python, mypy, pytest or ruff keeps for its next run.
fn is_left_over(entry: &DirEntry) -> bool {
    ["__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache"].iter().any(|name| entry.file_name() == *name)
}

fn is_executable(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_follows_names_contents_and_words() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let digest = |word| anyhow::Ok(Inputs::new([word]).path(folder.path())?.digest());
        fs::write(folder.path().join("a"), "1")?;
        let first = digest("x")?;
        for left in ["__pycache__", ".mypy_cache"] {
            fs::create_dir(folder.path().join(left))?;
            fs::write(folder.path().join(left).join("a"), "1")?;
            assert_eq!(first, digest("x")?, "{left}");
        }
        assert_ne!(first, digest("y")?);
        fs::write(folder.path().join("a"), "2")?;
        let changed = digest("x")?;
        assert_ne!(first, changed);
        fs::rename(folder.path().join("a"), folder.path().join("b"))?;
        assert_ne!(changed, digest("x")?);
        Ok(())
    }
}
