//! What somebody does who installs the plugin, uses it, gets the next version, and deletes it.

use std::fs;

use crate::archive::{self, Entry, sha256};
use crate::files::Files;
use crate::stage::{Stage, dist, manifest, uri};

const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// The plugin runs, and says that it is this version.
fn is_version(stage: &Stage, version: &str) {
    let ran = stage.kubectl(&["kubecoin", "version", "--client"]);
    assert_eq!((ran.ok, ran.stdout.as_str()), (true, format!("Client Version: {version}\n").as_str()), "{ran:?}");
}

/// krew does this without a complaint.
fn krew(stage: &Stage, words: &[&str]) {
    let ran = stage.kubectl(&[&["krew"], words].concat());
    assert!(ran.ok && !ran.stderr.to_lowercase().contains("fail"), "{words:?}: {ran:?}");
}

#[test]
fn the_archive_is_installed_used_and_deleted() {
    let stage = Stage::new();
    let (manifest, archive) = (dist().join("kubecoin.yaml"), dist().join(uri().1));
    krew(&stage, &["install", "--manifest", manifest.to_str().unwrap(), "--archive", archive.to_str().unwrap()]);
    let list = stage.kubectl(&["plugin", "list"]);
    assert!(list.ok && list.stdout.contains("krew/bin/kubectl-kubecoin"), "{list:?}");
    assert_eq!(list.stderr, "", "no warning");
    is_version(&stage, VERSION);
    let store = stage.path("krew/store/kubecoin").join(VERSION);
    for name in ["LICENSE", "README.md", "man/man1/kubectl-kubecoin.1", "man/man1/kubectl-kubecoin-deploy.1"] {
        assert!(store.join(name).is_file(), "no {name} in the store");
    }
    krew(&stage, &["uninstall", "kubecoin"]);
    assert_eq!(stage.installed(), [""; 0]);
}

#[test]
fn the_next_version_takes_the_place_of_the_last_one() {
    let stage = Stage::new();
    let old = stage.path("old.tar.gz");
    let script = Entry::Program("#!/bin/sh\necho 'Client Version: v0.0.9'\n");
    archive::write(&old, &[("LICENSE", Entry::File("none")), ("kubectl-kubecoin", script)]);
    let (released, name) = uri();
    let before = manifest()
        .replace(VERSION, "v0.0.9")
        .replace(&released.replace(VERSION, "v0.0.9"), &Files::of(&stage.path("")).uri("old.tar.gz"))
        .replace(&sha256(&dist().join(&name)), &sha256(&old));
    stage.publish("plugins/kubecoin.yaml", &before);
    krew(&stage, &["update"]);
    krew(&stage, &["install", "kubecoin/kubecoin"]);
    is_version(&stage, "v0.0.9");

    let now = manifest().replace(&released, &Files::of(&dist()).uri(&name));
    stage.publish("plugins/kubecoin.yaml", &now);
    krew(&stage, &["upgrade", "kubecoin"]);
    is_version(&stage, VERSION);

    // The file for completion lies beside the link, and so outlives the next version.
    let installed = stage.kubectl(&["kubecoin", "completion", "install"]);
    let file = stage.path("krew/bin/kubectl_complete-kubecoin");
    assert_eq!(installed.stdout, format!("{} created\n", file.display()), "{installed:?}");
    stage.publish("plugins/kubecoin.yaml", &now.replace(&format!("version: {VERSION}"), "version: v99.0.0"));
    krew(&stage, &["upgrade", "kubecoin"]);
    assert!(!stage.path("krew/store/kubecoin").join(VERSION).exists(), "the folder of the last version is gone");
    let answer = stage.kubectl(&["__complete", "kubecoin", "rota"]);
    assert!(answer.stdout.starts_with("rotate-password\t"), "{answer:?}");

    // In this order: krew takes a file in its folder without any plugin for the mark of a version of its own of old.
    let deleted = stage.kubectl(&["kubecoin", "completion", "uninstall"]);
    assert_eq!(deleted.stdout, format!("{} deleted\n", file.display()), "{deleted:?}");
    krew(&stage, &["uninstall", "kubecoin"]);
    assert_eq!(stage.installed(), [""; 0]);
    assert!(fs::read_dir(stage.path("home")).unwrap().next().is_none(), "nothing is written beside krew's folder");
}
