//! An image for several processors, as its registry has it, and as anybody can pull it.

use std::fs::{self, File};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::images::repository_and_tag;
use crate::apt::Package;
use crate::dist::Platform;
use crate::hash::sha256;
use crate::process;

/// Looks at images in registries, and pulls them for any processor.
pub const SKOPEO: Package = Package { name: "skopeo", provides: "skopeo" };

/// An index: the images of one name.
#[derive(Deserialize)]
struct Index {
    /// None in the manifest of a single image.
    #[serde(default)]
    manifests: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    platform: Option<Kind>,
}

/// An operating system and a processor, in Go's words.
#[derive(Deserialize)]
struct Kind {
    os: String,
    architecture: String,
}

impl Index {
    /// Those of the processors that it has no image for.
    fn missing(&self) -> Vec<&'static str> {
        let has = |platform: &Platform| {
            let mut kinds = self.manifests.iter().filter_map(|entry| entry.platform.as_ref());
            kinds.any(|kind| kind.os == platform.os && kind.architecture == platform.arch)
        };
        Platform::on_linux().filter(|platform| !has(platform)).map(|platform| platform.arch).collect()
    }
}

/// Pulls an image for each processor, as somebody without an account. Gives the digest of what was pulled.
///
/// # Errors
/// If there is none for a processor, it cannot be pulled, or it is for another one than the index says.
pub fn pulled(name: &str) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let raw = folder.path().join("index.json");
    let mut inspect = Command::new("skopeo");
    inspect.args(["inspect", "--raw", "--no-creds"]).arg(format!("docker://{name}")).stdout(File::create(&raw)?);
    process::run(&mut inspect).with_context(|| cannot_be_pulled(name))?;
    let index: Index = serde_json::from_slice(&fs::read(&raw)?)
        .with_context(|| format!("the registry describes {name} not in JSON"))?;
    let missing = index.missing();
    ensure!(missing.is_empty(), "{name} is not there for {}", missing.join(", "));
    let digest = format!("sha256:{}", sha256(&raw)?);
    let (repository, _) = repository_and_tag(name)?;
    for Platform { os, arch } in Platform::on_linux() {
        let pulled = format!("dir:{}", folder.path().join(arch).display());
        let mut copy = Command::new("skopeo");
        copy.args(["copy", "--quiet", "--src-no-creds", "--override-os", os, "--override-arch", arch]);
        copy.args([&format!("docker://{repository}@{digest}"), &pulled]);
        process::output(&mut copy).with_context(|| cannot_be_pulled(name))?;
        let config = process::output(Command::new("skopeo").args(["inspect", "--config", &pulled]))?;
        let kind: Kind = serde_json::from_str(&config).with_context(|| format!("{name} has no configuration"))?;
        ensure!(
            kind.os == os && kind.architecture == arch,
            "{name} for {os}/{arch} is one for {}/{}",
            kind.os,
            kind.architecture
        );
    }
    Ok(digest)
}

fn cannot_be_pulled(name: &str) -> String {
    format!("{name} cannot be pulled without an account (a new package is private until its owner makes it public)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(json: &str) -> Result<Vec<&'static str>> {
        Ok(serde_json::from_str::<Index>(json)?.missing())
    }

    #[test]
    fn an_index_has_both_processors_or_says_which_is_missing() -> Result<()> {
        let entry = |os, arch| format!(r#"{{"platform": {{"os": "{os}", "architecture": "{arch}"}}}}"#);
        let index = |entries: &[String]| format!(r#"{{"schemaVersion": 2, "manifests": [{}]}}"#, entries.join(","));
        // As Docker Hub has them: more processors, and an entry for what is said of an image.
        let (amd64, arm64, said) = (entry("linux", "amd64"), entry("linux", "arm64"), entry("unknown", "unknown"));
        let all = index(&[amd64.clone(), entry("linux", "s390x"), said, arm64.clone()]);
        assert_eq!(missing(&all)?, [""; 0]);
        assert_eq!(missing(&index(&[amd64]))?, ["arm64"]);
        assert_eq!(missing(&index(&[arm64, entry("windows", "amd64")]))?, ["amd64"]);
        assert_eq!(missing(r#"{"schemaVersion": 2, "manifests": [{"digest": "sha256:0"}]}"#)?, ["amd64", "arm64"]);
        // An image for one processor is no index.
        assert_eq!(missing(r#"{"schemaVersion": 2, "config": {}, "layers": []}"#)?, ["amd64", "arm64"]);
        Ok(())
    }
}
