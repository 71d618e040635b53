//! What the machine has to have, found before anything is begun.

use std::process::Command;

use anyhow::{Context, Result, bail};

use super::programs::CLUSTER;
use crate::apt::{self, Package};
use crate::{caller, images};
use crate::{paths, process};

/// What building and running the cluster takes from the system, images aside.
const PACKAGES: [Package; 10] = [
    Package { name: "gcc", provides: "gcc" },
    Package { name: "iproute2", provides: "ip" },
    Package { name: "libc6-dev", provides: "/usr/include/stdlib.h" },
    Package { name: "libseccomp-dev", provides: "/usr/include/seccomp.h" },
    Package { name: "mount", provides: "mount" },
    Package { name: "nftables", provides: "/usr/sbin/nft" },
    Package { name: "pkg-config", provides: "pkg-config" },
    Package { name: "procps", provides: "ps" },
    Package { name: "tar", provides: "tar" },
    Package { name: "util-linux", provides: "nsenter" },
];

/// Disk that a first start takes: the caches of Go, the programs and the images; and a later one.
const DISK: (u64, u64) = (14 << 30, 2 << 30);

/// Memory that two nodes, their images and pods take.
const MEMORY: u64 = 4 << 30;

/// The way out for machines on which this cannot work.
const ELSEWHERE: &str = "hint: or use a cluster that you have, with --context";

/// Fails with one clear message unless this user may have a cluster on this machine.
pub fn root() -> Result<()> {
    if !cfg!(target_os = "linux") {
        bail!("the test cluster needs Linux\n{ELSEWHERE}");
    }
    if !apt::is_root()? {
        bail!("the test cluster needs root\nhint: {}\n{ELSEWHERE}", caller::root_line("testbed up")?);
    }
    Ok(())
}

/// Finds all that is missing, and installs it where that can be done.
pub fn install() -> Result<()> {
    root()?;
    let missing: Vec<String> = [go()?, disk()?, memory()?].into_iter().flatten().collect();
    if !missing.is_empty() {
        bail!("the test cluster cannot run here:\n  {}\n{ELSEWHERE}", missing.join("\n  "));
    }
    apt::require(&[&PACKAGES[..], &images::PACKAGES].concat())
}

fn go() -> Result<Option<String>> {
    if built()? || process::output(Command::new("go").arg("version")).is_ok() {
        return Ok(None);
    }
    Ok(Some("Go is not installed: 1.21 or later, which fetches the release that testbed/go.mod names".to_owned()))
}

fn disk() -> Result<Option<String>> {
    let needed = if built()? { DISK.1 } else { DISK.0 };
    let cache = paths::cache()?;
    let found = rustix::fs::statvfs(&cache).with_context(|| format!("cannot look at {}", cache.display()))?;
    let free = found.f_bavail * found.f_frsize;
    Ok((free < needed).then(|| format!("{} GB free where {} is, {} needed", free >> 30, cache.display(), needed >> 30)))
}

fn memory() -> Result<Option<String>> {
    let text = std::fs::read_to_string("/proc/meminfo").context("cannot tell the memory")?;
    let available = available(&text).context("cannot tell the memory")?;
    Ok((available < MEMORY).then(|| format!("{} MB of memory available, {} needed", available >> 20, MEMORY >> 20)))
}

/// The available memory in bytes, out of `/proc/meminfo` (proc(5)).
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}

fn built() -> Result<bool> {
    Ok(CLUSTER.folder()?.exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_what_is_available() {
        let text = "MemTotal:       24684084 kB\nMemFree:  1 kB\nMemAvailable:   2048 kB\n";
        assert_eq!(available(text), Some(2 << 20));
        assert_eq!(available("MemTotal: 1 kB\n"), None);
    }
}
