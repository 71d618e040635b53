//! The demo and the images on clusters that are not made here. The programs that make such clusters are stood in for: each
//! notes how it is called, and the names of the images in the archives that it is handed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::support::testbed::Ended;

const STAND_IN: &str = "#!/bin/sh
echo \"$(basename $0) $*\" >> \"$NOTES/calls\"
for word; do
    case $word in *.tar) tar --extract --to-stdout --file \"$word\" manifest.json >> \"$NOTES/manifests\" ;; esac
done
";

/// A folder of stand-ins that come first on the PATH, and of what they note.
struct StandIns(TempDir);

impl StandIns {
    fn of(programs: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in programs {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("a program");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
        }
        Self(folder)
    }

    fn xtask(&self, words: &str) -> Ended {
        let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
        let path = std::env::var("PATH").expect("a PATH");
        xtask.args(words.split(' ')).env("PATH", format!("{}:{path}", self.0.path().display()));
        xtask.env("NOTES", self.0.path()).output().expect("xtask starts").into()
    }

    fn notes(&self, name: &str) -> String {
        fs::read_to_string(Path::new(self.0.path()).join(name)).unwrap_or_default()
    }
}

#[test]
fn a_local_cluster_is_handed_the_images_in_archives() {
    let stand_ins = StandIns::of(&[("kind", STAND_IN)]);
    let ended = stand_ins.xtask("images --into kind --name class");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let calls = stand_ins.notes("calls");
    for (call, image) in calls.lines().zip(["postgres-ha", "backend", "frontend"]) {
        assert!(call.starts_with("kind load image-archive /"), "{call}");
        assert!(call.ends_with(&format!("/{image}.tar --name class")), "{call}");
        let tagged = format!("\"ghcr.io/kubecoin/kubecoin-{image}:{}\"", env!("CARGO_PKG_VERSION"));
        assert!(stand_ins.notes("manifests").contains(&tagged), "{}", stand_ins.notes("manifests"));
    }
    assert_eq!(calls.lines().count(), 3, "{calls}");
}

#[test]
fn a_program_that_is_not_there_is_named_before_anything_is_built() {
    // An empty PATH of its own, in which nothing can be built.
    let ended: Ended = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["images", "--into", "k3d"])
        .env("PATH", "/nowhere")
        .output()
        .expect("xtask starts")
        .into();
    assert_eq!((ended.code, ended.stderr.lines().next()), (Some(2), Some("error: k3d is not on the PATH")));
}

#[test]
fn the_demo_changes_nothing_on_a_cluster_that_can_have_no_images() {
    let view = r#"{"clusters":[{"name":"staging","cluster":{"server":"https://staging:6443"}}]}"#;
    let kubectl = format!("{STAND_IN}echo '{view}'\n");
    let stand_ins = StandIns::of(&[("kubectl", &kubectl)]);
    let ended = stand_ins.xtask("demo --context staging");
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("\nhint: ") && ended.stderr.contains("--registry"), "{ended:?}");
    assert_eq!(stand_ins.notes("calls"), "kubectl config view --minify --output json --context staging\n");
}
