//! Where there is no cluster, or may be none.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use super::support::testbed::{self, Cluster, Ended};

#[test]
fn what_needs_a_cluster_says_that_there_is_none() {
    let _cluster = Cluster::none();
    for words in [
        "status",
        "kubectl get pods",
        "env",
        "logs etcd",
        "logs supervisor",
        "stop etcd",
        "stop --kill etcd",
        "start etcd",
        "pause etcd",
        "resume etcd",
        "node-exec 1 -- true",
        "load busybox",
        "load --archive image.tar --as docker.io/library/busybox:latest",
        "reset",
    ] {
        let Ended { code, stdout, stderr } = testbed::run(words);
        assert!(matches!(code, Some(1 | 2)), "{words}: {code:?}");
        assert!(
            format!("{stdout}{stderr}").ends_with("no cluster is up\nhint: cargo xtask testbed up\n"),
            "{words}\n{stdout}{stderr}"
        );
    }
}

#[test]
fn clean_takes_the_caches_and_nothing_else() {
    let _cluster = Cluster::none();
    let caches = tempfile::tempdir().expect("a folder");
    let (ours, other) = (caches.path().join("kubecoin/programs/0123456789abcdef"), caches.path().join("other"));
    for folder in [&ours, &other] {
        fs::create_dir_all(folder).expect("a cache");
    }
    let mut clean = Command::new(env!("CARGO_BIN_EXE_xtask"));
    let ended: Ended =
        clean.args(["testbed", "clean"]).env("XDG_CACHE_HOME", caches.path()).output().expect("xtask starts").into();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!caches.path().join("kubecoin").exists() && other.exists());
}

#[test]
fn whoever_is_not_root_is_told_so() {
    // Readable by everybody, which the folder of the build need not be.
    let folder = tempfile::tempdir().expect("a folder");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
    let xtask = folder.path().join("xtask");
    fs::copy(env!("CARGO_BIN_EXE_xtask"), &xtask).expect("a copy");
    for words in ["up", "down", "status", "env", "reset", "kubectl get pods"] {
        let ended = as_nobody(&xtask, words);
        assert_eq!(ended.code, Some(2), "{words}: {ended:?}");
        assert_eq!(ended.stdout, "", "{words}");
        let lines: Vec<&str> = ended.stderr.lines().collect();
        assert_eq!(lines[0], "error: the test cluster needs root", "{words}");
        assert!(lines[1..].iter().all(|line| line.starts_with("hint: ")) && lines.len() > 1, "{words}: {lines:?}");
    }
}

fn as_nobody(xtask: &Path, words: &str) -> Ended {
    let mut setpriv = Command::new("setpriv");
    setpriv.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
    setpriv.arg(xtask).arg("testbed").args(words.split(' ')).current_dir("/");
    setpriv.output().expect("setpriv starts").into()
}
