//! The manifest before krew's own check, which is what the maintainers of its index run.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::archive::{self, Entry, sha256};
use crate::files::Files;
use crate::stage::{Stage, dist, manifest, ran, uri};

/// The manifest that is in `dist`, with addresses of this machine.
struct Candidate {
    stage: Stage,
    text: String,
    /// The address of its archive.
    uri: String,
}

impl Candidate {
    fn new() -> Self {
        let stage = Stage::new();
        let (released, name) = uri();
        let uri = Files::of(&dist()).uri(&name);
        Self { stage, text: manifest().replace(&released, &uri), uri }
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.stage.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// The check refuses it so changed, and says why.
    fn is_refused(&self, changes: &[(&str, &str)], why: &str, flags: &[&str]) {
        let mut text = self.text.clone();
        for (from, to) in changes {
            assert!(text.contains(from), "no {from:?} in\n{text}");
            text = text.replacen(from, to, 1);
        }
        let checked = self.stage.validate(&self.write("kubecoin.yaml", &text), flags);
        assert!(!checked.ok && checked.stderr.contains(why), "{changes:?}: no {why:?} in {}", checked.stderr);
    }
}

#[test]
fn the_manifest_of_this_machine_is_valid() {
    let candidate = Candidate::new();
    let checked = candidate.stage.validate(&candidate.write("kubecoin.yaml", &candidate.text), &[]);
    assert!(checked.ok && checked.stderr.contains("all 1 spec.platforms installed fine"), "{checked:?}");
}

#[test]
fn the_manifest_of_four_platforms_is_valid() {
    let stage = Stage::new();
    let folder = stage.path("four");
    fs::create_dir(&folder).unwrap();
    let (_, own) = uri();
    fs::copy(dist().join(&own), folder.join(&own)).unwrap();
    let tag = own.split('-').nth(2).unwrap();
    for platform in ["linux-amd64", "linux-arm64", "darwin-amd64", "darwin-arm64"] {
        let archive = folder.join(format!("kubectl-kubecoin-{tag}-{platform}.tar.gz"));
        if !archive.exists() {
            let program = ("kubectl-kubecoin", Entry::Program("#!/bin/sh\n"));
            archive::write(&archive, &[("LICENSE", Entry::File("none")), program]);
        }
    }
    let mut dist = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let made = ran(dist.args(["dist", "--no-build", "--into"]).arg(&folder));
    assert!(made.ok, "{made:?}");
    let sums = ran(Command::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]).current_dir(&folder));
    assert!(sums.ok && sums.stdout.lines().count() == 4, "{sums:?}");
    let text = fs::read_to_string(folder.join("kubecoin.yaml")).unwrap();
    let (released, _) = uri();
    let release = released.strip_suffix(&own).unwrap();
    fs::write(folder.join("kubecoin.yaml"), text.replace(release, &Files::of(&folder).uri(""))).unwrap();
    let checked = stage.validate(&folder.join("kubecoin.yaml"), &[]);
    assert!(checked.ok && checked.stderr.contains("all 4 spec.platforms installed fine"), "{checked:?}");
}

#[test]
fn each_rule_of_the_structure_is_enforced() {
    let candidate = Candidate::new();
    let refused = |from: &str, to: &str, why: &str| candidate.is_refused(&[(from, to)], why, &["-skip-install"]);
    let other = candidate.write("other.yaml", &candidate.text);
    let checked = candidate.stage.validate(&other, &["-skip-install"]);
    assert!(checked.stderr.contains("plugin should be named \"other\", not \"kubecoin\""), "{checked:?}");
    let yml = candidate.write("kubecoin.yml", &candidate.text);
    assert!(candidate.stage.validate(&yml, &["-skip-install"]).stderr.contains("expected manifest extension"));

    refused("v1alpha2", "v1alpha1", "not supported in this version of krew");
    refused("kind: Plugin", "kind: Plug", "only \"Plugin\" is supported");
    refused("name: kubecoin", "name: coin", "plugin should be named");
    refused("version: v", "version: ", "failed to parse plugin version");
    refused("shortDescription: ", "shortDescription: \"\" # ", "should have a short description");
    refused("shortDescription: ", "shortDescription: \"two\\nlines\" # ", "should not have line breaks");
    refused("platforms:", "platforms: []\n  other:", "should have a platform specified");
    refused("uri: ", "uri: \"\" # ", "`uri` has to be set");
    refused("sha256: ", "sha256: \"\" # ", "`sha256` sum has to be set");
    refused("sha256: ", "sha256: 0", "is not valid, must match pattern");
    refused("bin: ", "bin: \"\" # ", "`bin` has to be set");
    refused("bin: ", "files: []\n    bin: ", "`files` has to be unspecified or non-empty");
    refused("matchLabels:", "other:", "empty selector is not supported");
    refused("arch: ", "processor: ", "key \"processor\" not supported");
    refused("os: linux", "os: plan9", "doesn't match any supported platforms");
    let entry = candidate.text.find("  - selector:").unwrap();
    let twice = format!("{}{}", &candidate.text[entry..], &candidate.text[entry..]);
    refused(&candidate.text[entry..], &twice, "have overlapping selectors");
}

#[test]
fn each_rule_of_the_archive_is_enforced() {
    let candidate = Candidate::new();
    let license = || ("LICENSE", Entry::File("none"));
    let program = || ("kubectl-kubecoin", Entry::Program("#!/bin/sh\n"));
    let folder = candidate.stage.path("archives");
    fs::create_dir(&folder).unwrap();
    let files = Files::of(&folder);
    let right = sha256(&dist().join(uri().1));
    for (name, entries, why) in [
        ("no-license.tar.gz", vec![program()], "could not find license file"),
        ("no-program.tar.gz", vec![license()], "cannot be found in extracted archive"),
        ("link.tar.gz", vec![license(), program(), ("link", Entry::Link)], "unable to handle file type"),
    ] {
        let archive = folder.join(name);
        archive::write(&archive, &entries);
        candidate.is_refused(&[(&candidate.uri, &files.uri(name)), (&right, &sha256(&archive))], why, &[]);
    }
    candidate.is_refused(&[(&right, &"a".repeat(64))], "checksum does not match", &[]);
    candidate.is_refused(&[(&candidate.uri, &files.uri("none.tar.gz"))], "failed to", &[]);
}
