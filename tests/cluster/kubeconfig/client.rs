//! kubectl and the plugin, each given the same.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::row::Row;
use super::stage::Stage;
use crate::support::plugin::PROGRAM;

/// By then a client must have ended, in seconds. It is far more than any needs.
const DEADLINE: &str = "30";

/// What kubectl says to a user who may not ask who they are.
const NO_PERMISSION: &str = "the selfsubjectreviews API is not enabled in the cluster or you do not have permission";

/// What a client did.
#[derive(Debug, PartialEq)]
pub enum Outcome {
    /// It reached the server, and was this user there; and what its credential plugins were told, one by one.
    Reached { user: User, logins: Vec<Value> },
    /// It reached the server, which forbids this user to ask.
    Forbidden,
    /// It said that it cannot.
    Refused(Refusal),
    /// Neither: it crashed, or took too long.
    Other(String),
}

/// Who one is for the server.
pub type User = BTreeMap<String, Value>;

/// What a client that refused said. Two of them are equal: each says it in its own words.
#[derive(Debug)]
pub struct Refusal(pub String);

impl PartialEq for Refusal {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    Kubectl,
    Plugin,
}

impl Client {
    /// Asks who one is, with what a row gives, in its home.
    pub fn play(self, row: &Row, stage: &Stage, home: &Path) -> Outcome {
        let logins = home.join(format!("logins-of-{self:?}"));
        let (program, words) = match self {
            Self::Kubectl => ("kubectl", ["auth", "whoami", "-o", "json"].as_slice()),
            Self::Plugin => (PROGRAM, ["version", "-o", "json"].as_slice()),
        };
        let mut command = Command::new("timeout");
        command.args(["--kill-after=1", DEADLINE]);
        if row.in_pod {
            command.args(["unshare", "--mount", "sh", "-c", IN_POD, "sh"]);
            command.arg(stage.service_account());
        }
        let output = command
            .arg(program)
            .args(words)
            .args(&row.args)
            .stdin(Stdio::null())
            .current_dir(home)
            .env_clear()
            .env("HOME", home)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("KUBECACHEDIR", home.join("cache"))
            .env("LOGINS", &logins)
            .envs(row.env.iter().map(|(name, value)| (name, value)))
            .output()
            .unwrap();
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let told = fs::read_to_string(logins).unwrap_or_default();
        let logins = told
            .lines()
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| line.into()))
            .collect();
        match (self, output.status.code()) {
            (_, Some(0)) => match user(self, &stdout) {
                Some(user) => Outcome::Reached { user, logins },
                None => Outcome::Forbidden,
            },
            (Self::Kubectl, Some(1)) if stderr.contains(NO_PERMISSION) => Outcome::Forbidden,
            (Self::Plugin, Some(2)) if stderr.contains("not permitted: ") => Outcome::Forbidden,
            (Self::Kubectl, Some(1)) | (Self::Plugin, Some(2)) => Outcome::Refused(Refusal(stderr.trim().to_owned())),
            (_, code) => Outcome::Other(format!("{code:?} {stdout}{stderr}")),
        }
    }
}

/// Runs a command where a folder lies in the place of a pod's service account. The rest of the machine does not see it.
const IN_POD: &str = "set -e
    mount -t tmpfs none /run
    mkdir -p /run/secrets/kubernetes.io/serviceaccount
    mount --bind \"$1\" /run/secrets/kubernetes.io/serviceaccount
    shift
    exec \"$@\"";

/// What a client says of the user; empty fields are the same as none.
fn user(client: Client, stdout: &str) -> Option<User> {
    let answer: Value = serde_json::from_str(stdout).ok()?;
    let user = match client {
        Client::Kubectl => answer.pointer("/status/userInfo"),
        Client::Plugin => answer.pointer("/user"),
    };
    let fields = user?.as_object()?.iter().filter(|(_, value)| !is_empty(value));
    Some(fields.map(|(name, value)| (name.clone(), value.clone())).collect())
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reached { user, logins } => {
                let user = serde_json::to_string(user).unwrap_or_default();
                write!(f, "reached as {user}")?;
                logins.iter().try_for_each(|login| write!(f, "\n    plugin told {login}"))
            }
            Self::Forbidden => f.write_str("reached as someone who may not ask"),
            Self::Refused(Refusal(text)) => write!(f, "refused: {}", text.replace('\n', "\n    ")),
            Self::Other(text) => write!(f, "odd: {}", text.replace('\n', "\n    ")),
        }
    }
}
