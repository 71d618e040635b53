//! kubectl and krew with folders of their own, and an index that is a repository on this machine.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// How a command ended.
#[derive(Debug)]
pub struct Ran {
    pub ok: bool,
    pub stdout: String,
    pub stderr: String,
}

/// Where krew keeps what it installs, and where it looks for plugins.
pub struct Stage {
    folder: TempDir,
}

/// A folder that `cargo xtask test krew` names.
fn given(variable: &str) -> PathBuf {
    env::var_os(variable).unwrap_or_else(|| panic!("{variable} is set: run this by `cargo xtask test krew`")).into()
}

/// What `cargo xtask dist` has made.
pub fn dist() -> PathBuf {
    given("KUBECOIN_DIST")
}

/// The manifest in there.
pub fn manifest() -> String {
    fs::read_to_string(dist().join("kubecoin.yaml")).unwrap()
}

/// The address of an archive in that manifest, and the archive's name.
pub fn uri() -> (String, String) {
    let manifest = manifest();
    let uri = manifest.lines().find_map(|line| line.trim().strip_prefix("uri: ")).unwrap().to_owned();
    let name = uri.rsplit('/').next().unwrap().to_owned();
    (uri, name)
}

impl Stage {
    /// With an index that is empty yet.
    pub fn new() -> Self {
        let stage = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["home", "krew", "tools", "index/plugins"] {
            fs::create_dir_all(stage.path(name)).unwrap();
        }
        // By this name kubectl finds it.
        symlink(given("KUBECOIN_KREW").join("krew"), stage.path("tools/kubectl-krew")).unwrap();
        stage.git(&["init", "--quiet", "--initial-branch", "main"]);
        stage.publish("README", "an index");
        assert!(stage.kubectl(&["krew", "index", "add", "kubecoin", stage.path("index").to_str().unwrap()]).ok);
        stage
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Commits a file of the index.
    pub fn publish(&self, name: &str, text: &str) {
        fs::write(self.path("index").join(name), text).unwrap();
        self.git(&["add", "--all"]);
        self.git(&[
            "-c",
            "user.name=index",
            "-c",
            "user.email=index@localhost",
            "commit",
            "--quiet",
            "--message",
            name,
        ]);
    }

    fn git(&self, words: &[&str]) {
        let mut git = self.command("git");
        let ran = ran(git.args(words).current_dir(self.path("index")));
        assert!(ran.ok, "{words:?}: {ran:?}");
    }

    /// A command whose PATH has what krew has installed first, and then krew itself.
    pub fn command(&self, program: &str) -> Command {
        let tools = env::var_os("PATH").unwrap_or_default();
        let there = env::split_paths(&tools).filter(|folder| folder.is_dir());
        let folders = [self.path("krew/bin"), self.path("tools")].into_iter().chain(there);
        let path = env::join_paths(folders).unwrap();
        // What is started is looked up in this process's PATH, not in the one that it is given.
        let file = env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file());
        let mut command = Command::new(file.unwrap_or_else(|| panic!("{program} is not in {}", path.display())));
        command
            .env("PATH", path)
            .env("HOME", self.path("home"))
            .env("KREW_ROOT", self.path("krew"))
            .env("KREW_NO_UPGRADE_CHECK", "1")
            .env_remove("KUBECONFIG");
        command
    }

    pub fn kubectl(&self, words: &[&str]) -> Ran {
        ran(self.command("kubectl").args(words))
    }

    /// krew's check of a manifest, which installs each of its platforms.
    pub fn validate(&self, manifest: &Path, flags: &[&str]) -> Ran {
        let program = given("KUBECOIN_KREW").join("validate-krew-manifest");
        ran(self.command(program.to_str().unwrap()).arg("-manifest").arg(manifest).args(flags))
    }

    /// What krew has left in its folder: links, folders of its store, receipts.
    pub fn installed(&self) -> Vec<String> {
        let names = |folder: &str| {
            let entries = fs::read_dir(self.path(folder)).into_iter().flatten();
            entries.map(move |entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        ["krew/bin", "krew/store", "krew/receipts"].into_iter().flat_map(names).collect()
    }
}

/// Runs it to its end.
pub fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { ok: output.status.success(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
