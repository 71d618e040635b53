//! TAB after `kubectl kubecoin`: in kubectl itself, and in the shells that people use.

use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rexpect::session::{PtySession, spawn_command};
use tempfile::TempDir;

use crate::support::kubectl;
use crate::support::plugin::{PROGRAM, path_with};
use crate::support::scene::Scene;
use crate::support::wait::until;

const SOON: Duration = Duration::from_mins(1);

/// A folder with the plugin in it, and the file that kubectl asks, as `completion install` creates it.
struct Installed {
    folder: TempDir,
}

impl Installed {
    fn new() -> Self {
        let installed = Self { folder: tempfile::tempdir().unwrap() };
        symlink(PROGRAM, installed.folder.path().join("kubectl-kubecoin")).unwrap();
        let done =
            Command::new(PROGRAM).args(["completion", "install"]).env("PATH", installed.path()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        installed
    }

    fn home(&self) -> &Path {
        self.folder.path()
    }

    fn path(&self) -> OsString {
        path_with(self.home())
    }

    /// What kubectl answers the shell, without the explanation of the directive.
    fn kubectl(&self, words: &[&str]) -> String {
        let answer = Command::new("kubectl")
            .args(["__complete", "kubecoin"])
            .args(words)
            .env("PATH", self.path())
            .output()
            .unwrap();
        assert!(answer.status.success(), "{words:?}: {}", String::from_utf8_lossy(&answer.stderr));
        String::from_utf8(answer.stdout).unwrap()
    }

    /// A shell at a terminal, with a home of its own.
    fn shell(&self, line: &[&str]) -> PtySession {
        let mut shell = Command::new(line[0]);
        shell.args(&line[1..]).env("PATH", self.path()).env("HOME", self.home()).env("TERM", "xterm");
        let mut session = spawn_command(shell, Some(60_000)).unwrap();
        // It is asked to end first, which shells at a terminal do not.
        session.process_mut().set_kill_timeout(Some(100));
        session
    }
}

#[test]
fn kubectl_passes_on_what_the_plugin_offers() {
    let scene = Scene::without_namespace("kc-tab-values");
    kubectl::ok("create namespace kc-tab-values");
    kubectl::apply(&set(scene.namespace()));
    let installed = Installed::new();
    // Somebody who presses TAB waits for a second at most, and so a busy machine may have no answer at first.
    let offered = |words: &[&str], answer: &str| {
        until(&format!("{words:?} {answer:?}"), SOON, || match installed.kubectl(words) {
            offered if offered == answer => Ok(()),
            offered => Err(offered),
        });
    };
    offered(&["rot"], "rotate-password\tSync PostgreSQL's password with the Secret, or set a new one\n:4\n");
    offered(&["-n", "kc-tab-val"], "kc-tab-values\n:4\n");
    offered(&["status", "--namespace=kc-tab-val"], "kc-tab-values\n:4\n");
    offered(&["-n", "kc-tab-values", "persistence-demo", "--target", ""], "statefulset/idle\n:4\n");
    offered(&["persistence-demo", "-n", "kc-tab-values", "--target", "id"], "idle\n:4\n");
    offered(&["dns-check", "-n", "kc-tab-values", "--from", ""], ":4\n");
    offered(&["deploy", "--node", "node"], "node-1\n:4\n");
    offered(&["deploy", "--storage-class", "local-p"], "local-path\n:4\n");
    offered(&["replay", ""], ":0\n");
    let contexts = kubectl::ok("config get-contexts --output name");
    offered(&["--context", ""], &format!("{contexts}:4\n"));
}

/// A set without pods.
fn set(namespace: &str) -> String {
    format!(
        "{{apiVersion: apps/v1, kind: StatefulSet, metadata: {{name: idle, namespace: {namespace}}}, spec: {{replicas: 0, \
         serviceName: idle, selector: {{matchLabels: {{app: idle}}}}, template: {{metadata: {{labels: {{app: idle}}}}, spec: \
         {{containers: [{{name: idle, image: none}}]}}}}}}}}"
    )
}

/// A shell, how it is started, and how it is made to complete kubectl and the plugin.
struct Shell {
    line: &'static [&'static str],
    set_up: &'static str,
    /// How often TAB is pressed until all candidates are listed.
    tabs: &'static str,
}

const BASH: Shell = Shell {
    line: &["bash", "--norc", "--noprofile"],
    set_up: "source /usr/share/bash-completion/bash_completion; source <(kubectl completion bash); \
             source <(kubectl-kubecoin completion bash)",
    tabs: "\t\t",
};

const ZSH: Shell = Shell {
    line: &["zsh", "-f"],
    set_up: "autoload -U compinit; compinit -u; source <(kubectl completion zsh); source <(kubectl-kubecoin completion zsh)",
    tabs: "\t",
};

const FISH: Shell = Shell {
    line: &["fish", "--no-config", "--private"],
    set_up: "kubectl completion fish | source; kubectl-kubecoin completion fish | source",
    tabs: "\t",
};

/// Presses TAB in the midst of lines, runs them, and reads which candidates there are.
fn completes(shell: &Shell, namespace: &str) {
    let installed = Installed::new();
    let mut session = installed.shell(shell.line);
    let session = &mut session;
    let expects = |session: &mut PtySession, keys: &str, text: &str| {
        types(session, keys);
        session.exp_string(text).unwrap_or_else(|error| panic!("{:?}, {keys:?}: {error}", shell.line));
    };
    expects(session, &format!("{}; echo is set up | tr a-z A-Z\r", shell.set_up), "IS SET UP");
    let version = format!("Client Version: v{}", env!("CARGO_PKG_VERSION"));
    expects(session, "kubectl kubecoin vers\t--client\r", &version);
    expects(session, "kubectl-kubecoin vers\t--client\r", &version);
    // The end of the name is left to TAB. A busy machine may have no answer in time.
    let (begun, wanted) = (namespace.strip_suffix("lls").unwrap(), format!("NAMESPACE: {}", namespace.to_uppercase()));
    for begin in
        ["kubectl kubecoin manifests -n ", "kubectl-kubecoin manifests -n ", "kubectl-kubecoin manifests --namespace="]
    {
        let line = format!("{begin}{begun}\t --client | tr a-z A-Z | grep --color=never -m1 NAMESPACE:\r");
        until(&line, SOON, || {
            types(session, &line);
            let (_, shown) = session.exp_regex("NAMESPACE: [A-Z-]+").unwrap();
            if shown == wanted { Ok(()) } else { Err(shown) }
        });
    }
    expects(session, &format!("kubectl kubecoin p{}", shell.tabs), "Run psql in the database pod");
}

fn types(session: &mut PtySession, keys: &str) {
    session.send(keys).unwrap();
    session.flush().unwrap();
}

#[test]
fn tab_completes_commands_and_namespaces_in_bash_zsh_and_fish() {
    let scene = Scene::without_namespace("kc-tab-shells");
    kubectl::ok("create namespace kc-tab-shells");
    for shell in [BASH, ZSH, FISH] {
        completes(&shell, scene.namespace());
    }
}
