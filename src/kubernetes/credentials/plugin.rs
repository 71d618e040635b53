//! A credential plugin: a program that gets a token or a certificate.

use std::fmt::{self, Debug, Formatter};
use std::io::{self, IsTerminal};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::process::{ChildStdout, Command};
use tokio::time::timeout;

use super::CredentialsError;
use super::answer::{self, Answer};
use super::policy::{self, Policy};

/// More than any answer has. What goes on writing is no credential plugin.
const MOST: u64 = 1 << 20;

/// How long is read on after the plugin has ended. What it wrote is there by then, but a program that it has left behind may
/// keep its stdout open for ever.
const AFTER_ITS_END: Duration = Duration::from_millis(500);

/// Whether a plugin may ask the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interaction {
    /// It gets no stdin.
    Never,
    /// At a terminal, it gets it.
    IfAvailable,
    /// It cannot do without.
    Always,
}

/// A credential plugin as a kubeconfig names it.
#[derive(Clone)]
pub struct Plugin {
    /// The program: a name to look up in PATH, or a path.
    pub command: String,
    /// Its arguments: they may be secret.
    pub args: Vec<String>,
    /// Variables that it gets beside those of this program: they may be secret.
    pub env: Vec<(String, String)>,
    /// The version of the API that it is to answer in.
    pub api_version: String,
    /// Whether it may ask the user.
    pub interaction: Interaction,
    /// What it is told of the cluster, if it is.
    pub cluster: Option<Value>,
    /// What to do if it is not installed; empty if that is not said.
    pub install_hint: String,
    /// Whether it may run.
    pub policy: Policy,
    /// Whose it is, for messages: `user "bob" in /home/bob/.kube/config`.
    pub of: String,
}

/// Its arguments and variables are never shown.
impl Debug for Plugin {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin").field("command", &self.command).finish_non_exhaustive()
    }
}

impl Plugin {
    /// Runs it to its end, for as long as it takes: people log in meanwhile. If this is given up, the plugin is killed.
    ///
    /// What it writes to stderr is shown as it comes. `stdin_is_free` tells whether nothing else reads stdin.
    ///
    /// # Errors
    /// If it cannot run, fails or answers nothing that proves who one is.
    pub async fn run(&self, stdin_is_free: bool) -> Result<Answer, CredentialsError> {
        if !answer::VERSIONS.contains(&self.api_version.as_str()) {
            return Err(self.failed("cannot be run: its apiVersion in the kubeconfig is not one that kubectl accepts"));
        }
        if !self.policy.permits(&self.command) {
            let why =
                "is not allowed to run: kubectl's preferences (credentialPluginPolicy in the kuberc) do not allow it";
            return Err(self.failed(why));
        }
        let interactive = self.may_ask(stdin_is_free && io::stdin().is_terminal())?;
        let Some(path) = policy::look_up(&self.command) else { return Err(self.not_installed()) };
        let mut command = Command::new(path);
        command
            .arg0(&self.command)
            .args(&self.args)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .env(answer::INFO, answer::info(&self.api_version, interactive, self.cluster.as_ref()))
            .stdin(if interactive { Stdio::inherit() } else { Stdio::null() })
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| self.failed(&format!("cannot be run: {error}")))?;
        let mut stdout = child.stdout.take().map(|stdout| stdout.take(MOST));
        let mut written = Vec::new();
        let mut reading = Box::pin(read(stdout.as_mut(), &mut written));
        let first = tokio::select! {
            status = child.wait() => {
                // The time is only for what others may have kept open.
                let _ = timeout(AFTER_ITS_END, &mut reading).await;
                Some(status)
            }
            () = &mut reading => None,
        };
        drop(reading);
        let status = match first {
            Some(status) => status,
            None if written.len() as u64 >= MOST => return Err(self.failed("printed too much")),
            None => child.wait().await,
        };
        let status = status.map_err(|error| self.failed(&format!("cannot be waited for: {error}")))?;
        if !status.success() {
            return Err(self.failed(&ended(status)).with_hint("read its log above, and log in again"));
        }
        answer::parse(&written, &self.api_version)
            .map_err(|why| self.failed(&format!("returned an unusable answer: {why}")))
    }

    fn may_ask(&self, there_is_somebody: bool) -> Result<bool, CredentialsError> {
        match self.interaction {
            Interaction::Never => Ok(false),
            Interaction::IfAvailable => Ok(there_is_somebody),
            Interaction::Always if there_is_somebody => Ok(true),
            Interaction::Always => {
                let why =
                    "needs to ask you (interactiveMode is Always), but stdin is not a terminal, or is already in use";
                Err(self.failed(why))
            }
        }
    }

    fn not_installed(&self) -> CredentialsError {
        let hint = match self.install_hint.trim() {
            "" => "install it, or choose another user with --user",
            hint => hint,
        };
        self.failed("is not installed").with_hint(hint)
    }

    fn failed(&self, why: &str) -> CredentialsError {
        CredentialsError::new(format!("the credential plugin {:?} of {} {why}", self.command, self.of))
    }
}

async fn read(stdout: Option<&mut tokio::io::Take<ChildStdout>>, written: &mut Vec<u8>) {
    if let Some(stdout) = stdout {
        // What breaks off is no answer, and is told as one.
        let _ = stdout.read_to_end(written).await;
    }
}

fn ended(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("failed with exit code {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "failed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Secret;
    use super::*;

    /// A secret that may turn up nowhere.
    const HUSH: &str = "hush-4711";

    fn plugin(script: &str) -> Plugin {
        Plugin {
            command: "sh".to_owned(),
            args: vec!["-c".to_owned(), script.to_owned(), HUSH.to_owned()],
            env: vec![("SECRET".to_owned(), HUSH.to_owned())],
            api_version: "client.authentication.k8s.io/v1".to_owned(),
            interaction: Interaction::Never,
            cluster: None,
            install_hint: String::new(),
            policy: Policy::AllowAll,
            of: "user \"bob\"".to_owned(),
        }
    }

    const TOKEN: &str = r#"echo "{\"kind\": \"ExecCredential\", \"apiVersion\": \"client.authentication.k8s.io/v1\",
        \"status\": {\"token\": \"$SECRET\"}}""#;

    async fn refused(plugin: Plugin) -> CredentialsError {
        assert!(!format!("{plugin:?}").contains(HUSH));
        let error = plugin.run(false).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains(HUSH), "{error:?}");
        error
    }

    #[tokio::test]
    async fn its_answer_is_read_though_something_of_it_goes_on() {
        let answer = plugin(&format!("sleep 60 & {TOKEN}")).run(false).await.unwrap();
        assert_eq!(answer.token.as_ref().map(Secret::expose), Some(HUSH));
        assert!(!format!("{answer:?}").contains(HUSH));
    }

    #[tokio::test]
    async fn it_reads_nothing_unless_somebody_can_be_asked() {
        let reads = format!("read line && exit 1; {TOKEN}");
        assert!(plugin(&reads).run(true).await.is_ok());
        let told = r#"case "$KUBERNETES_EXEC_INFO" in *'"interactive":false'*) ;; *) exit 1;; esac; "#;
        let available = Plugin { interaction: Interaction::IfAvailable, ..plugin(&(told.to_owned() + TOKEN)) };
        assert!(available.run(false).await.is_ok());
        let always = Plugin { interaction: Interaction::Always, ..plugin(TOKEN) };
        assert!(refused(always).await.to_string().contains("not a terminal"));
    }

    #[tokio::test]
    async fn what_fails_is_told_without_its_secrets() {
        let error = refused(plugin("exit 7")).await;
        assert_eq!(error.to_string(), "the credential plugin \"sh\" of user \"bob\" failed with exit code 7");
        assert!(refused(plugin("kill -9 $$")).await.to_string().contains("signal 9"));
        assert!(refused(plugin("echo $SECRET")).await.to_string().contains("not valid JSON at line 1"));
        let missing = Plugin {
            command: "no-such-plugin".to_owned(),
            install_hint: "get it from example.org".to_owned(),
            ..plugin("")
        };
        let error = refused(missing).await;
        assert!(error.to_string().ends_with("is not installed"), "{error}");
        assert_eq!(error.hint(), Some("get it from example.org"));
        assert!(refused(plugin("while :; do echo $SECRET; done")).await.to_string().ends_with("printed too much"));
        let old = Plugin { api_version: "client.authentication.k8s.io/v1alpha1".to_owned(), ..plugin(TOKEN) };
        assert!(refused(old).await.to_string().contains("apiVersion"));
        let denied = Plugin { policy: Policy::DenyAll, ..plugin(TOKEN) };
        assert!(refused(denied).await.to_string().contains("is not allowed to run"));
    }
}
