//! The flags of every command: how the cluster is reached, and what is shown.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;

use crate::output::Color;

/// Flags of every command.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// When to colour the output
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", hide_possible_values = true)]
    #[arg(help = "When to colour the output: auto, always or never")]
    pub color: Color,

    /// Print the kubectl command that does the same before each step
    #[arg(long, global = true)]
    pub show_commands: bool,

    /// Log requests to stderr: 1 to 5 each request, 6 and more repetitions too
    #[arg(short = 'v', long = "v", global = true, value_name = "LEVEL")]
    #[arg(num_args = 0..=1, require_equals = true, default_value_t = 0, default_missing_value = "1")]
    pub verbosity: u8,

    /// How the cluster is reached.
    #[command(flatten)]
    pub connection: Connection,
}

/// kubectl's connection flags.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection flags, as kubectl's")]
pub struct Connection {
    /// Path of the kubeconfig file
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,

    /// The context of the kubeconfig to use
    #[arg(long, global = true, hide_short_help = true, value_name = "NAME")]
    pub context: Option<String>,

    /// The cluster of the kubeconfig to use
    #[arg(long, global = true, hide_short_help = true, value_name = "NAME")]
    pub cluster: Option<String>,

    /// The user of the kubeconfig to use
    #[arg(long, global = true, hide_short_help = true, value_name = "NAME")]
    pub user: Option<String>,

    /// The namespace; by default the context's
    #[arg(short, long, global = true, hide_short_help = true, value_name = "NAME")]
    pub namespace: Option<String>,

    /// Address of the API server
    #[arg(short, long, global = true, hide_short_help = true, value_name = "URL")]
    pub server: Option<String>,

    /// Bearer token for the API server
    #[arg(long, global = true, hide_short_help = true)]
    pub token: Option<String>,

    /// User to impersonate
    #[arg(long = "as", global = true, hide_short_help = true, value_name = "USER")]
    pub impersonate: Option<String>,

    /// Group to impersonate; may be repeated
    #[arg(long = "as-group", global = true, hide_short_help = true, value_name = "GROUP")]
    pub impersonate_group: Vec<String>,

    /// UID to impersonate
    #[arg(long = "as-uid", global = true, hide_short_help = true, value_name = "UID")]
    pub impersonate_uid: Option<String>,

    /// How long a single request may take: 10s, 1m, or seconds; 0 for any time [default: 30s]
    #[arg(long, global = true, hide_short_help = true, value_name = "TIME", value_parser = duration)]
    pub request_timeout: Option<Duration>,

    /// Name to expect in the server's certificate, instead of its address
    #[arg(long, global = true, hide_short_help = true, value_name = "NAME")]
    pub tls_server_name: Option<String>,

    /// Trust any certificate of the server: makes the connection insecure
    #[arg(long, global = true, hide_short_help = true)]
    pub insecure_skip_tls_verify: bool,

    /// File with the certificate authority of the server
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE")]
    pub certificate_authority: Option<PathBuf>,

    /// File with a client certificate
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE")]
    pub client_certificate: Option<PathBuf>,

    /// File with the key of the client certificate
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE")]
    pub client_key: Option<PathBuf>,
}

impl Connection {
    /// The flags that lead to the same server as the same user, as far as they were given.
    #[must_use]
    pub fn given(&self) -> Vec<String> {
        self.for_kubectl(self.context.as_deref().unwrap_or_default())
    }

    /// The flags that lead kubectl to the same server as the same user. The token is left to the reader's shell.
    #[must_use]
    pub fn for_kubectl(&self, context: &str) -> Vec<String> {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let named = [
            ("kubeconfig", path(&self.kubeconfig)),
            ("context", (!context.is_empty()).then(|| context.to_owned())),
            ("cluster", self.cluster.clone()),
            ("user", self.user.clone()),
            ("server", self.server.clone()),
            ("as", self.impersonate.clone()),
            ("as-uid", self.impersonate_uid.clone()),
            ("tls-server-name", self.tls_server_name.clone()),
            ("certificate-authority", path(&self.certificate_authority)),
            ("client-certificate", path(&self.client_certificate)),
            ("client-key", path(&self.client_key)),
        ];
        let groups = self.impersonate_group.iter().map(|group| ("as-group", Some(group.clone())));
        named
            .into_iter()
            .chain(groups)
            .filter_map(|(name, value)| Some([format!("--{name}"), value?]))
            .flatten()
            .chain(self.insecure_skip_tls_verify.then(|| "--insecure-skip-tls-verify".to_owned()))
            .collect()
    }
}

/// A time as kubectl takes it: `90s`, `1h30m`, or seconds. None is longer than a year.
///
/// # Errors
/// If it is not one, with the forms that are.
pub fn duration(text: &str) -> Result<Duration, String> {
    let forms = || "give a time such as 90s, 10m or 1h30m".to_owned();
    let seconds = text.parse().map(SignedDuration::from_secs);
    let duration = seconds.or_else(|_| text.parse::<SignedDuration>()).map_err(|_| forms())?;
    let year = SignedDuration::from_hours(365 * 24);
    Duration::try_from(duration.min(year)).map_err(|_| forms())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn times_are_read_as_kubectl_does() {
        for (text, seconds) in [("0", 0), ("5", 5), ("90s", 90), ("10m", 600), ("1h30m", 5400)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert!(duration("9999999999999h").is_err() || duration("9999999h").unwrap() < Duration::from_secs(1 << 26));
        for text in ["", "soon", "-5", "-1m", "10x"] {
            assert!(duration(text).unwrap_err().contains("90s"), "{text}");
        }
    }

    #[test]
    fn a_token_is_never_shown() {
        let line =
            ["kubectl-kubecoin", "--token", "hush", "--as-group", "a", "--as-group", "b", "-s", "https://x", "version"];
        let connection = Cli::try_parse_from(line).unwrap().global.connection;
        assert_eq!(
            connection.for_kubectl("c"),
            ["--context", "c", "--server", "https://x", "--as-group", "a", "--as-group", "b"]
        );
    }
}
