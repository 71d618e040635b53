//! The platforms that the plugin is released for.

use std::env::consts;

use anyhow::{Context, Result};

/// An operating system and a processor, in Go's words, which are krew's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Platform {
    pub os: &'static str,
    pub arch: &'static str,
}

impl Platform {
    /// All of them. Windows is none: terminal and signals are Unix's.
    pub const ALL: [Self; 4] = [
        Self { os: "darwin", arch: "amd64" },
        Self { os: "darwin", arch: "arm64" },
        Self { os: "linux", arch: "amd64" },
        Self { os: "linux", arch: "arm64" },
    ];

    /// Those that containers run on.
    #[cfg(target_os = "linux")]
    pub fn on_linux() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|platform| platform.os == "linux")
    }

    /// That of a Rust target (`x86_64-unknown-linux-musl`); this machine's without one.
    ///
    /// # Errors
    /// If the plugin is not released for it.
    pub fn of(target: Option<&str>) -> Result<Self> {
        let here = format!("{}-unknown-{}", consts::ARCH, consts::OS);
        let target = target.unwrap_or(&here);
        let is = |arch: &str, os: &str| target.starts_with(arch) && target.contains(os);
        let rust = |platform: &&Self| {
            let arch = if platform.arch == "amd64" { "x86_64" } else { "aarch64" };
            is(arch, platform.os) || (platform.os == "darwin" && is(arch, "macos"))
        };
        Self::ALL.iter().find(rust).copied().with_context(|| format!("the plugin is not released for {target}"))
    }

    /// The Rust target that a release is built for: on Linux one that needs no libc of the system.
    #[cfg(target_os = "linux")]
    pub fn target(self) -> String {
        let arch = if self.arch == "amd64" { "x86_64" } else { "aarch64" };
        let system = if self.os == "darwin" { "apple-darwin" } else { "unknown-linux-musl" };
        format!("{arch}-{system}")
    }

    /// The name of its archive in a release.
    pub fn archive(self, tag: &str) -> String {
        format!("kubectl-kubecoin-{tag}-{}-{}.tar.gz", self.os, self.arch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_of_one_platform_or_of_none() -> Result<()> {
        for (target, archive) in [
            ("x86_64-unknown-linux-musl", "kubectl-kubecoin-v1-linux-amd64.tar.gz"),
            ("aarch64-unknown-linux-gnu", "kubectl-kubecoin-v1-linux-arm64.tar.gz"),
            ("aarch64-apple-darwin", "kubectl-kubecoin-v1-darwin-arm64.tar.gz"),
        ] {
            assert_eq!(Platform::of(Some(target))?.archive("v1"), archive);
        }
        for target in ["x86_64-pc-windows-msvc", "riscv64gc-unknown-linux-gnu", "x86_64-unknown-freebsd"] {
            assert!(Platform::of(Some(target)).is_err(), "{target}");
        }
        #[cfg(target_os = "linux")]
        for platform in Platform::ALL {
            assert_eq!(Platform::of(Some(&platform.target()))?, platform);
        }
        Platform::of(None).map(drop)
    }
}
