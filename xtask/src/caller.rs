//! Who has called: what needs root has it by sudo, and everything else is done as the caller, whose files stay the caller's.

use std::env;
use std::ffi::OsString;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::{apt, paths};

/// What a program of root's goes on with from the caller's environment, if it is set: the ways out through a proxy, and the
/// caller's credentials at registries.
const PASSED: [&str; 10] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "GOFLAGS",
    "REGISTRY_AUTH_FILE",
    "CONTAINERS_REGISTRIES_CONF",
];

/// Where root keeps what it makes for a caller who is not root.
const CACHE_OF_ROOT: &str = "/var/cache/kubecoin";

/// This program as root, asked for by sudo. cargo is left out: it would make root's files in the caller's folders.
pub fn as_root(arguments: &[&str]) -> Result<Command> {
    if !apt::present("sudo") {
        bail!("this needs root, and there is no sudo\nhint: run it as root");
    }
    let mut sudo = Command::new("sudo");
    let passed: Vec<&str> = PASSED.into_iter().filter(|name| env::var_os(name).is_some()).collect();
    if !passed.is_empty() {
        sudo.arg(format!("--preserve-env={}", passed.join(",")));
    }
    // Both by env: most systems' sudo has a PATH of its own, and root another home.
    sudo.arg("env").arg(setting("PATH", env::var_os("PATH").unwrap_or_default()));
    sudo.arg(setting("XDG_CACHE_HOME", paths::cache_home()?.into_os_string()));
    sudo.arg(paths::program()?).args(arguments);
    Ok(sudo)
}

/// This program as root, as a person types it.
pub fn root_line(arguments: &str) -> Result<String> {
    if apt::is_root()? {
        return Ok(format!("cargo xtask {arguments}"));
    }
    let program = paths::program()?;
    let program = program.strip_prefix(paths::workspace()).unwrap_or(program);
    Ok(format!("sudo {} {arguments}", program.display()))
}

/// Fails if sudo runs this for somebody whose workspace it is: what would be built now would be root's.
pub fn not_by_sudo() -> Result<()> {
    if apt::is_root()? && behind_sudo().is_some_and(|(user, _)| user != 0) && owner(paths::workspace())? != 0 {
        bail!(
            "run by sudo, this would build as root in folders that are yours\nhint: run it without sudo, which it asks for \
             where it needs root; what root has built already: sudo chown -R \"$USER\" {}",
            paths::target()?.display()
        );
    }
    Ok(())
}

/// Lets a command that this starts run as the caller, if this runs as root for somebody else.
pub fn as_caller(command: &mut Command) -> Result<&mut Command> {
    if let Some((user, group)) = behind_sudo()
        && apt::is_root()?
        && user != 0
    {
        // Not in root's home, which is this program's.
        command.uid(user).gid(group).env("npm_config_cache", paths::cache_home()?.join("npm"));
    }
    Ok(command)
}

/// Gives a file to the caller, if this runs as root for somebody else.
pub fn hand_over(path: &Path) -> Result<()> {
    match behind_sudo() {
        Some((user, group)) if apt::is_root()? => chown(path, Some(user), Some(group))
            .with_context(|| format!("cannot give {} to the caller", path.display())),
        _ => Ok(()),
    }
}

/// The folder for what root alone can make and read: the cache if it is root's own, else one of the system's.
pub fn cache_of_root() -> Result<PathBuf> {
    let cache = paths::cache()?;
    if owner(&cache)? == 0 {
        return Ok(cache);
    }
    let folder = PathBuf::from(CACHE_OF_ROOT);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make the cache folder {}", folder.display()))?;
    Ok(folder)
}

/// The user and the group for whom sudo runs this.
fn behind_sudo() -> Option<(u32, u32)> {
    let number = |name| env::var(name).ok()?.parse().ok();
    Some((number("SUDO_UID")?, number("SUDO_GID")?))
}

fn owner(path: &Path) -> Result<u32> {
    Ok(path.metadata().with_context(|| format!("cannot look at {}", path.display()))?.uid())
}

fn setting(name: &str, value: OsString) -> OsString {
    let mut setting = OsString::from(name);
    setting.push("=");
    setting.push(value);
    setting
}
