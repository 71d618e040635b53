//! A row of the table: what both clients are given.

use std::fs;
use std::path::Path;

use super::script;
use super::stage::Stage;

/// Where a kubeconfig is, in a home.
pub const CONFIG: &str = ".kube/config";

/// What both clients are given. Its texts name the places of a stage as `<name>`.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub name: String,
    /// What it was drawn from, by name.
    pub parts: Vec<String>,
    /// Files in the home, relative to it. Those in `.kube/` without an ending are programs.
    pub files: Vec<(String, String)>,
    pub env: Vec<(String, String)>,
    pub args: Vec<String>,
    /// Whether it is played where a pod's service account is.
    pub in_pod: bool,
    pub wanted: Wanted,
}

/// What is known beforehand of how a row ends.
#[derive(Clone, Debug, Default)]
pub enum Wanted {
    /// As kubectl does it.
    #[default]
    Alike,
    /// Both reach the scripted server.
    Reached,
    /// Both refuse, and the plugin names all of these.
    Refused(Vec<String>),
}

/// A row of this name, which has nothing yet.
pub fn row(name: impl Into<String>) -> Row {
    Row { name: name.into(), ..Row::default() }
}

/// A row with the usual kubeconfig: one context `work` of a cluster `north` and a user `ursula`.
pub fn usual(name: impl Into<String>, cluster: &str, user: &str) -> Row {
    row(name).config(&config(cluster, user))
}

/// The usual kubeconfig, out of the fields of its cluster and its user.
pub fn config(cluster: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: work\n\
         contexts: [{{name: work, context: {{cluster: north, user: ursula}}}}]\n\
         clusters: [{{name: north, cluster: {{{cluster}}}}}]\nusers: [{{name: ursula, user: {{{user}}}}}]\n"
    )
}

impl Row {
    pub fn config(self, text: &str) -> Self {
        self.file(CONFIG, text)
    }

    pub fn file(mut self, path: &str, text: &str) -> Self {
        self.files.push((path.to_owned(), text.to_owned()));
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Flags, split at spaces.
    pub fn args(mut self, words: &str) -> Self {
        self.args.extend(words.split_whitespace().map(str::to_owned));
        self
    }

    pub fn arg(mut self, word: &str) -> Self {
        self.args.push(word.to_owned());
        self
    }

    /// A credential plugin `.kube/login` that says this. It notes what it is told.
    pub fn login(self, credential: &str) -> Self {
        self.script("login", &format!("printf '%s\\n' '{credential}'"))
    }

    /// A program in `.kube` that notes what a credential plugin is told, then does this.
    pub fn script(self, name: &str, does: &str) -> Self {
        let note = "#!/bin/sh\nprintf '%s\\n' \"$KUBERNETES_EXEC_INFO\" >> \"$LOGINS\"\n";
        self.file(&format!(".kube/{name}"), &format!("{note}{does}\n"))
    }

    pub fn in_pod(mut self) -> Self {
        self.in_pod = true;
        self
    }

    pub fn reached(mut self) -> Self {
        self.wanted = Wanted::Reached;
        self
    }

    /// Refused, and these are named.
    pub fn refused(mut self, named: &[&str]) -> Self {
        self.wanted = Wanted::Refused(named.iter().map(ToString::to_string).collect());
        self
    }

    /// The row with a stage's words, or none if one of its places is not on this stage. Its home is made.
    pub fn on(&self, stage: &Stage, home: &Path) -> Option<Self> {
        let fill = |text: &String| stage.fill(text, home);
        let pairs = |pairs: &[(String, String)]| -> Option<Vec<_>> {
            pairs.iter().map(|(name, text)| Some((name.clone(), fill(text)?))).collect()
        };
        let (files, env) = (pairs(&self.files)?, pairs(&self.env)?);
        let args = self.args.iter().map(fill).collect::<Option<_>>()?;
        let wanted = match &self.wanted {
            Wanted::Refused(named) => Wanted::Refused(named.iter().map(fill).collect::<Option<_>>()?),
            other => other.clone(),
        };
        for (path, text) in &files {
            let path = home.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            if text.starts_with("#!") {
                script::write(&path, text);
            } else {
                fs::write(&path, text).unwrap();
            }
        }
        fs::create_dir_all(home).unwrap();
        Some(Self { files, env, args, wanted, ..self.clone() })
    }
}
