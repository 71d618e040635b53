//! Where things are: the workspace, and the cache that outlives a clone.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result};

/// The root of the workspace.
pub fn workspace() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// This program's file. Asked for first when it starts: once `cargo` has put a newer one in its place, Linux calls the file
/// that runs `… (deleted)`.
pub fn program() -> Result<&'static Path> {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    if let Some(program) = PROGRAM.get() {
        return Ok(program);
    }
    let program = env::current_exe().context("cannot tell where this program is")?;
    Ok(PROGRAM.get_or_init(|| program))
}

/// The folder that cargo builds into, with a folder a profile.
pub fn target() -> Result<PathBuf> {
    program()?.ancestors().nth(2).map(Path::to_owned).context("this program is not where cargo builds it")
}

/// What a folder holds, in its order.
pub fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>();
    let mut entries = read().with_context(|| format!("cannot read {}", folder.display()))?;
    entries.sort();
    Ok(entries)
}

/// The project's folder in the user's cache (`XDG_CACHE_HOME`, else `~/.cache`), made if it is not there. What it holds is
/// named by a hash of what it was made from, so that clones share it.
pub fn cache() -> Result<PathBuf> {
    let folder = cache_home()?.join("kubecoin");
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make the cache folder {}", folder.display()))?;
    Ok(folder)
}

/// The user's folder for caches, of all programs.
pub fn cache_home() -> Result<PathBuf> {
    match env::var_os("XDG_CACHE_HOME") {
        Some(folder) if Path::new(&folder).is_absolute() => Ok(PathBuf::from(folder)),
        _ => Ok(env::home_dir()
            .context("no home directory: set XDG_CACHE_HOME to a folder for the caches")?
            .join(".cache")),
    }
}
