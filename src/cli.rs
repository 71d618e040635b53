//! What the user typed. What it means is found elsewhere.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::parser::ValueSource;
use clap::{Args, CommandFactory, Parser, Subcommand};
use jiff::SignedDuration;

use crate::commands::{
    deploy, dns_check, init_db, manifests, open, persistence_demo, psql, replay, rotate_password, status, teardown,
    verify_report, version,
};
use crate::output::Color;

const AFTER_HELP: &str = "\
Examples:
  kubectl kubecoin deploy --init-db      # from nothing to a running exchange
  kubectl kubecoin status                # what it is made of, and how it is
  kubectl kubecoin deploy -n alice       # one of its own for a namespace

Without a command it says where you are and what comes next.
kubectl's connection flags work before and after a command: see --help.
Exit codes: 0 it holds; 1 it ran and something does not hold; 2 it could not run; 130 interrupted.";

/// Deploys a small exchange on Kubernetes and proves that its data outlives its pod.
#[derive(Debug, Parser)]
#[command(name = "kubectl-kubecoin", bin_name = "kubectl kubecoin", version, after_help = AFTER_HELP, term_width = 90)]
#[command(disable_help_subcommand = true)]
pub struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub global: Global,

    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// The commands, in the order of the lesson.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Deploy the exchange, and wait until it works
    Deploy(deploy::Args),
    /// Create the table of the wallets
    InitDb(init_db::Args),
    /// Show what the exchange is made of, and how it is
    Status(status::Args),
    /// Hold the cluster's DNS against the exchange's objects
    DnsCheck(dns_check::Args),
    /// Take the database's pod away, and prove that its name, storage and data stay
    PersistenceDemo(persistence_demo::Args),
    /// Open the page in a browser
    Open(open::Args),
    /// Talk to the database with psql
    Psql(psql::Args),
    /// Write the exchange as YAML, for kubectl apply and for Git
    Manifests(manifests::Args),
    /// Make PostgreSQL take the Secret's password, or a new one
    RotatePassword(rotate_password::Args),
    /// Take the exchange away; its data stays unless told otherwise
    Teardown(teardown::Args),
    /// Judge a report of persistence-demo again, with no cluster
    VerifyReport(verify_report::Args),
    /// Play the timeline of a report at its true speed, with no cluster
    Replay(replay::Args),
    /// Show the version of this plugin, and of the server
    Version(version::Args),
}

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

/// The command of a line and its own flags, as they were typed. Those of every command are left out: they may hold a token.
#[must_use]
pub fn asked(line: impl IntoIterator<Item = OsString>) -> Vec<String> {
    let cli = Cli::command();
    let Ok(given) = cli.clone().try_get_matches_from(line) else { return Vec::new() };
    let Some((name, given)) = given.subcommand() else { return Vec::new() };
    let mut words = vec![name.to_owned()];
    let flags = cli.find_subcommand(name).into_iter().flat_map(clap::Command::get_arguments);
    for flag in flags.filter(|flag| given.value_source(flag.get_id().as_str()) == Some(ValueSource::CommandLine)) {
        let long = flag.get_long().map(|long| format!("--{long}"));
        let values = given.get_raw(flag.get_id().as_str()).filter(|_| flag.get_action().takes_values());
        match values {
            None => words.extend(long),
            Some(values) => {
                let values = values.map(|value| value.to_string_lossy().into_owned());
                words.extend(values.flat_map(|value| long.clone().into_iter().chain([value])));
            }
        }
    }
    words
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
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_stand_before_and_after_the_command() {
        for line in
            ["-n alice version --context=c", "version --namespace alice --context c", "--context c version -n=alice"]
        {
            let cli = Cli::try_parse_from(["kubectl-kubecoin"].into_iter().chain(line.split(' '))).unwrap();
            assert_eq!(cli.global.connection.namespace.as_deref(), Some("alice"), "{line}");
            assert_eq!(cli.global.connection.context.as_deref(), Some("c"), "{line}");
        }
    }

    #[test]
    fn verbosity_is_kubectls() {
        for (line, level) in [("version", 0), ("-v version", 1), ("version -v=6", 6), ("--v=9 version", 9)] {
            let cli = Cli::try_parse_from(["kubectl-kubecoin"].into_iter().chain(line.split(' '))).unwrap();
            assert_eq!(cli.global.verbosity, level, "{line}");
        }
    }

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

    #[test]
    fn what_was_asked_is_told_without_secrets() {
        let asked = |line: &str| asked(["kubectl-kubecoin"].into_iter().chain(line.split(' ')).map(OsString::from));
        let line = "--token hush persistence-demo -n alice --how=kill -y --rows 7 --report a.md --report b.json";
        let words = "persistence-demo --how kill --rows 7 --report a.md --report b.json --yes";
        assert_eq!(asked(line).join(" "), words);
        assert_eq!(asked("persistence-demo"), ["persistence-demo"]);
        assert_eq!(asked("nonsense"), [""; 0]);
    }
}
