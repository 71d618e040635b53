//! krew's manifest of the plugin, from the template that krew-release-bot takes.
//!
//! The bot fills in two things (`pkg/source/template.go`): `{{ .TagName }}`, and `{{addURIAndSha "URL" .TagName }}`, which
//! becomes `uri` and, on a line of its own, `sha256`.

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::platform::Platform;
use crate::plugin;

/// Where the repository is. Everything else that says so is made from this, or tested against it.
const REPOSITORY: &str = env!("CARGO_PKG_REPOSITORY");

/// `krew search` cuts after so many characters.
const SHORT: usize = 50;

/// krew shows them after each installation: they are no documentation.
const CAVEATS: usize = 2;

/// A manifest, as krew reads it. krew itself takes fields that it does not know.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    api_version: String,
    kind: String,
    metadata: Metadata,
    spec: Spec,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    name: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Spec {
    version: String,
    homepage: String,
    short_description: String,
    description: String,
    caveats: String,
    platforms: Vec<Entry>,
}

/// The archive of one platform.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    selector: Selector,
    uri: String,
    sha256: String,
    bin: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Selector {
    match_labels: Labels,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Labels {
    os: String,
    arch: String,
}

impl Manifest {
    /// Fills the template in for a release whose archives are these, by name and checksum. A platform without one is left out.
    ///
    /// # Errors
    /// If it is no manifest, or one that would not do in a list of plugins, with all that is wrong.
    pub fn from_template(template: &str, tag: &str, archives: &[(String, String)]) -> Result<Self> {
        let text = filled_in(template, tag, archives)?;
        let mut manifest: Self = serde_saphyr::from_str(&text).context("the template makes no manifest of krew's")?;
        let wrong = manifest.faults(tag);
        ensure!(wrong.is_empty(), "the template makes a bad manifest:\n  {}", wrong.join("\n  "));
        manifest.spec.platforms.retain(|entry| !entry.sha256.is_empty());
        Ok(manifest)
    }

    /// As the file that krew takes.
    ///
    /// # Errors
    /// If it has no form in YAML, which is a mistake of this program.
    pub fn yaml(&self) -> Result<String> {
        let mut text = String::new();
        // An address on a line of its own.
        let options = serde_saphyr::ser_options! { folded_wrap_chars: 1_000 };
        serde_saphyr::to_fmt_writer_with_options(&mut text, self, options)?;
        Ok(text)
    }

    /// Its platforms: `linux/amd64`.
    pub fn platforms(&self) -> Vec<String> {
        let labels = self.spec.platforms.iter().map(|entry| &entry.selector.match_labels);
        labels.map(|Labels { os, arch }| format!("{os}/{arch}")).collect()
    }

    /// What krew's own checks let through, and readers would miss.
    fn faults(&self, tag: &str) -> Vec<String> {
        let spec = &self.spec;
        let mut wrong = Vec::new();
        let mut must = |holds: bool, what: String| {
            if !holds {
                wrong.push(what);
            }
        };
        must(spec.homepage == REPOSITORY, format!("homepage is {}, not {REPOSITORY}", spec.homepage));
        must(!spec.description.trim().is_empty(), "description is empty".to_owned());
        let length = spec.short_description.chars().count();
        must(length <= SHORT, format!("shortDescription has {length} characters, of which krew shows {SHORT}"));
        let lines = spec.caveats.trim_end().lines().count();
        must(lines <= CAVEATS, format!("caveats have {lines} lines, not {CAVEATS} at most"));
        for platform in Platform::ALL {
            let Platform { os, arch } = platform;
            let its = |entry: &&Entry| entry.selector.match_labels.os == os && entry.selector.match_labels.arch == arch;
            let [entry] = spec.platforms.iter().filter(its).collect::<Vec<_>>()[..] else {
                must(false, format!("{os}/{arch} is not there once"));
                continue;
            };
            let uri = format!("{REPOSITORY}/releases/download/{tag}/{}", platform.archive(tag));
            must(entry.uri == uri, format!("uri of {os}/{arch} is {}, not {uri}", entry.uri));
            must(entry.bin == plugin::NAME, format!("bin of {os}/{arch} is {}, not {}", entry.bin, plugin::NAME));
        }
        must(
            spec.platforms.len() == Platform::ALL.len(),
            "there is a platform that the plugin is not released for".into(),
        );
        wrong
    }
}

/// The template's text as the bot makes it. Without an archive, the checksum is empty.
fn filled_in(template: &str, tag: &str, archives: &[(String, String)]) -> Result<String> {
    const TAG: &str = "{{ .TagName }}";
    let mut text = String::new();
    for line in template.lines() {
        let indent = &line[..line.len() - line.trim_start().len()];
        let call = line.trim().strip_prefix("{{addURIAndSha \"").and_then(|call| call.strip_suffix("\" .TagName }}"));
        if let Some(uri) = call {
            let uri = uri.replace(TAG, tag);
            let name = uri.rsplit('/').next().unwrap_or_default();
            let sum = archives.iter().find(|(archive, _)| archive == name).map_or("", |(_, sum)| sum);
            text += &[indent, "uri: ", &uri, "\n    sha256: \"", sum, "\"\n"].concat();
        } else {
            text += &(line.replace(TAG, tag) + "\n");
        }
    }
    if let Some(line) = text.lines().find(|line| line.contains("{{")) {
        bail!("the template holds what is not understood here: {}", line.trim());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::super::{TAG, template};
    use super::*;

    fn sum_of(os: &str, arch: &str, sum: &str) -> (String, String) {
        (format!("kubectl-kubecoin-{TAG}-{os}-{arch}.tar.gz"), sum.to_owned())
    }

    /// What is wrong with the workspace's template after a change.
    fn refused(from: &str, to: &str) -> Result<String> {
        let template = template()?;
        ensure!(template.contains(from), "the template has no {from}");
        let made = Manifest::from_template(&template.replacen(from, to, 1), TAG, &[sum_of("linux", "amd64", "0")]);
        made.err().map(|error| format!("{error:#}")).with_context(|| format!("{to} is taken in place of {from}"))
    }

    #[test]
    fn each_archive_has_its_checksum_and_a_platform_without_one_is_left_out() -> Result<()> {
        let archives = [sum_of("darwin", "arm64", "d5"), sum_of("linux", "amd64", "a7")];
        let manifest = Manifest::from_template(&template()?, TAG, &archives)?;
        assert_eq!(manifest.platforms(), ["linux/amd64", "darwin/arm64"]);
        let again: Manifest = serde_saphyr::from_str(&manifest.yaml()?)?;
        let sums: Vec<_> = again.spec.platforms.iter().map(|entry| entry.sha256.as_str()).collect();
        assert_eq!((again.spec.version.as_str(), sums), (TAG, vec!["a7", "d5"]));
        assert_eq!(again.spec.description, manifest.spec.description);
        Ok(())
    }

    #[test]
    fn what_krew_lets_through_is_refused() -> Result<()> {
        let short = "shortDescription: Prove that a StatefulSet's data outlives its pod";
        for (from, to, why) in [
            ("  homepage:", "  homePage:", "homePage"),
            ("  homepage: https://github.com/kubecoin/kubectl-kubecoin\n", "", "homepage"),
            (
                "homepage: https://github.com/kubecoin/",
                "homepage: https://example.org/",
                "homepage is https://example.org/",
            ),
            ("  description: |", "  description: \"\"\n  caveat: |", "caveat"),
            (short, &format!("{short}, and more"), "shortDescription has 58 characters"),
            ("  caveats: |", "  caveats: |\n    One.", "caveats have 3 lines"),
            ("releases/download/{{ .TagName }}/", "releases/download/v0/", "uri of linux/amd64"),
            ("bin: kubectl-kubecoin", "bin: kubecoin", "bin of linux/amd64 is kubecoin"),
            ("os: darwin", "os: linux", "linux/amd64 is not there once"),
            ("version: {{ .TagName }}", "version: {{ .Version }}", "not understood here: version"),
            ("bin: kubectl-kubecoin", "bin: kubectl-kubecoin\n    env: []", "env"),
        ] {
            let refusal = refused(from, to)?;
            assert!(refusal.contains(why), "no {why:?} in {refusal}");
        }
        Ok(())
    }
}
