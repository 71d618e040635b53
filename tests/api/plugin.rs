//! The built binary, led to a scripted server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::script;
use crate::server::Server;

/// A home folder with a kubeconfig of its own.
pub struct Home {
    folder: TempDir,
}

/// How the program ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

impl Home {
    /// With no kubeconfig.
    pub fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// With a kubeconfig that leads to a server.
    pub fn at(server: &Server) -> Self {
        let home = Self::empty();
        let authority = home.write("ca.pem", &server.authority);
        home.kubeconfig(&format!(
            "{{cluster: {{server: 'https://127.0.0.1:{}', certificate-authority: {}}}, user: {{token: hush-hush}}}}",
            server.address.port(),
            authority.display()
        ));
        home
    }

    /// Writes a kubeconfig of one context, out of its cluster and its user.
    pub fn kubeconfig(&self, entries: &str) {
        let entries: serde_json::Value = serde_saphyr::from_str(entries).unwrap();
        let file = serde_json::json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "scripted",
            "contexts": [{ "name": "scripted", "context": { "cluster": "c", "user": "u", "namespace": "alice" } }],
            "clusters": [{ "name": "c", "cluster": entries["cluster"] }],
            "users": [{ "name": "u", "user": entries["user"] }],
        });
        self.write(".kube/config", &file.to_string());
    }

    /// Writes a file into the home folder.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes a program into the home folder: a script of the shell.
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        script::write(&path, &format!("#!/bin/sh\n{text}\n"));
        path
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The program with these words, split at spaces, in an otherwise empty environment.
    pub fn command(&self, words: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-kubecoin"));
        command.args(words.split_whitespace()).env_clear().env("HOME", self.path()).stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub fn run(&self, words: &str) -> Ended {
        finished(&mut self.command(words))
    }

    /// Starts it, with its output to be read.
    pub fn start(&self, words: &str) -> Child {
        self.command(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

/// Runs a command to its end.
pub fn finished(command: &mut Command) -> Ended {
    let start = Instant::now();
    Ended::from((command.output().unwrap(), start.elapsed()))
}

impl From<(Output, Duration)> for Ended {
    fn from((output, took): (Output, Duration)) -> Self {
        Self {
            code: output.status.code().expect("ended by itself"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            took,
        }
    }
}

impl Ended {
    /// Asserts that it could not run: exit code 2, an error with these words, and a hint.
    pub fn could_not_run(&self, words: &str) {
        assert_eq!(self.code, 2, "{self:?}");
        assert!(self.stderr.contains("error: ") && self.stderr.contains(words), "no {words:?} in {self:?}");
        assert_eq!(self.stderr.matches("hint: ").count(), 1, "{self:?}");
        assert!(!self.stderr.contains("RequestError") && !self.stderr.contains("backtrace"), "{self:?}");
    }
}
