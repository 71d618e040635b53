//! The flags of every command: how the cluster is reached, and what is shown.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{BoolishValueParser, OsStringValueParser, TypedValueParser};
use clap::{ArgAction, Args};
use jiff::SignedDuration;

use crate::kubernetes::ByHand;
use crate::output::Color;

/// Flags of every command.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// When to color the output
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", hide_possible_values = true)]
    #[arg(help = "When to color the output: auto, always or never")]
    pub color: Color,

    /// Print the equivalent kubectl command before each step
    #[arg(long, global = true)]
    pub show_commands: bool,

    /// Log API requests to stderr: 1 to 5 each request, 6 and more retries too
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
    /// Path to the kubeconfig file
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE", value_parser = file())]
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

    /// The namespace [default: the context's]
    #[arg(short, long, global = true, hide_short_help = true, value_name = "NAME", value_parser = given_namespace)]
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

    /// Group to impersonate; can be repeated
    #[arg(long = "as-group", global = true, hide_short_help = true, value_name = "GROUP")]
    pub impersonate_group: Vec<String>,

    /// UID to impersonate
    #[arg(long = "as-uid", global = true, hide_short_help = true, value_name = "UID")]
    pub impersonate_uid: Option<String>,

    /// Extra field of the user to impersonate; can be repeated
    #[arg(long = "as-user-extra", global = true, hide_short_help = true, value_name = "KEY=VALUE")]
    #[arg(value_parser = extra)]
    pub impersonate_extra: Vec<(String, String)>,

    /// User name for basic authentication
    #[arg(long, global = true, hide_short_help = true, value_name = "NAME")]
    pub username: Option<String>,

    /// Password for basic authentication
    #[arg(long, global = true, hide_short_help = true)]
    pub password: Option<String>,

    /// Timeout of a single request: 10s, 1m, or a number of seconds; 0 for no timeout [default: 30s]
    #[arg(long, global = true, hide_short_help = true, value_name = "TIME", value_parser = request_timeout)]
    pub request_timeout: Option<Duration>,

    /// Name to expect in the server's certificate, instead of its address
    #[arg(long, global = true, hide_short_help = true, value_name = "NAME")]
    pub tls_server_name: Option<String>,

    /// Accept any server certificate; this makes the connection insecure
    #[arg(long, global = true, hide_short_help = true, hide_possible_values = true)]
    #[arg(action = ArgAction::Set, num_args = 0..=1, require_equals = true, value_parser = BoolishValueParser::new())]
    #[arg(default_value = "false", default_missing_value = "true", hide_default_value = true, value_name = "BOOL")]
    pub insecure_skip_tls_verify: bool,

    /// File with the server's certificate authority
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE", value_parser = file())]
    pub certificate_authority: Option<PathBuf>,

    /// File with a client certificate
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE", value_parser = file())]
    pub client_certificate: Option<PathBuf>,

    /// File with the key of the client certificate
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE", value_parser = file())]
    pub client_key: Option<PathBuf>,

    /// Address of a proxy to the API server: http, https or socks5
    #[arg(long, global = true, hide_short_help = true, value_name = "URL")]
    pub proxy_url: Option<String>,

    /// Exit with code 1 if the server sends warnings
    #[arg(long, global = true, hide_short_help = true, hide_possible_values = true)]
    #[arg(action = ArgAction::Set, num_args = 0..=1, require_equals = true, value_parser = BoolishValueParser::new())]
    #[arg(default_value = "false", default_missing_value = "true", hide_default_value = true, value_name = "BOOL")]
    pub warnings_as_errors: bool,

    /// Fail if this plugin does not support the server's version
    #[arg(long, global = true, hide_short_help = true, hide_possible_values = true)]
    #[arg(action = ArgAction::Set, num_args = 0..=1, require_equals = true, value_parser = BoolishValueParser::new())]
    #[arg(default_value = "false", default_missing_value = "true", hide_default_value = true, value_name = "BOOL")]
    pub match_server_version: bool,

    /// File with kubectl's preferences: which credential plugins may run
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE", value_parser = file())]
    pub kuberc: Option<PathBuf>,

    /// kubectl's flags that mean nothing here.
    #[command(flatten)]
    pub ignored: Ignored,
}

/// What a line copied from kubectl may hold: for caches, compression, profiles and logs. Taken, and of no effect.
#[derive(Args, Clone, Debug, Default)]
pub struct Ignored {
    #[arg(long, global = true, hide = true)]
    cache_dir: Option<String>,
    #[arg(long, global = true, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    disable_compression: Option<String>,
    #[arg(long, global = true, hide = true)]
    profile: Option<String>,
    #[arg(long, global = true, hide = true)]
    profile_output: Option<String>,
    #[arg(long, global = true, hide = true)]
    log_flush_frequency: Option<String>,
    #[arg(long, global = true, hide = true)]
    vmodule: Option<String>,
}

impl Connection {
    /// As kubectl takes them: what is empty, as of an unset variable, was not given.
    #[must_use]
    pub fn without_empty(mut self) -> Self {
        for text in [
            &mut self.context,
            &mut self.cluster,
            &mut self.user,
            &mut self.namespace,
            &mut self.server,
            &mut self.token,
            &mut self.impersonate,
            &mut self.impersonate_uid,
            &mut self.username,
            &mut self.password,
            &mut self.tls_server_name,
            &mut self.proxy_url,
        ] {
            text.take_if(|text| text.is_empty());
        }
        for path in [
            &mut self.kubeconfig,
            &mut self.certificate_authority,
            &mut self.client_certificate,
            &mut self.client_key,
            &mut self.kuberc,
        ] {
            path.take_if(|path| path.as_os_str().is_empty());
        }

        self
    }

    /// What a command needs that a person types next. A namespace that was not given goes without saying.
    #[must_use]
    pub fn by_hand(&self) -> ByHand {
        ByHand { namespace: self.namespace.clone(), given: self.given() }
    }

    /// The flags that lead to the same server as the same user, as far as they were given.
    #[must_use]
    pub fn given(&self) -> Vec<String> {
        self.for_kubectl(self.context.as_deref().unwrap_or_default())
    }

    /// The flags that lead kubectl to the same server as the same user. Token and password are left to the reader's shell.
    #[must_use]
    pub fn for_kubectl(&self, context: &str) -> Vec<String> {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let named = [
            ("kubeconfig", path(&self.kubeconfig)),
            ("context", (!context.is_empty()).then(|| context.to_owned())),
            ("cluster", self.cluster.clone()),
            ("user", self.user.clone()),
            ("server", self.server.as_deref().map(without_user)),
            ("as", self.impersonate.clone()),
            ("as-uid", self.impersonate_uid.clone()),
            ("username", self.username.clone()),
            ("tls-server-name", self.tls_server_name.clone()),
            ("certificate-authority", path(&self.certificate_authority)),
            ("client-certificate", path(&self.client_certificate)),
            ("client-key", path(&self.client_key)),
            ("kuberc", path(&self.kuberc)),
            ("proxy-url", self.proxy_url.as_deref().map(without_user)),
        ];
        let groups = self.impersonate_group.iter().map(|group| ("as-group", Some(group.clone())));
        let extras =
            self.impersonate_extra.iter().map(|(key, value)| ("as-user-extra", Some(format!("{key}={value}"))));
        named
            .into_iter()
            .chain(groups)
            .chain(extras)
            .filter_map(|(name, value)| Some(flag(name, value?)))
            .flatten()
            .chain(self.insecure_skip_tls_verify.then(|| "--insecure-skip-tls-verify".to_owned()))
            .collect()
    }
}

/// A flag with its value. One that begins as flags do must be part of the same word.
fn flag(name: &str, value: String) -> Vec<String> {
    if value.starts_with('-') { vec![format!("--{name}={value}")] } else { vec![format!("--{name}"), value] }
}

/// How long a request may take if the user does not say.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

fn request_timeout(text: &str) -> Result<Duration, String> {
    if text.is_empty() { Ok(REQUEST_TIMEOUT) } else { duration(text) }
}

/// An address without user name and password, which are left to the reader as the token is.
fn without_user(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or((None, url), |(scheme, rest)| (Some(scheme), rest));
    let end = rest.find('/').unwrap_or(rest.len());
    let start = rest[..end].rfind('@').map_or(0, |at| at + 1);
    scheme.map_or_else(String::new, |scheme| format!("{scheme}://")) + &rest[start..]
}

/// A path. clap's own parser takes no empty one.
fn file() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

/// As kubectl takes one: with its kind before it, or without.
fn given_namespace(text: &str) -> Result<String, String> {
    let kind = text
        .split_once('/')
        .filter(|(kind, _)| ["namespaces", "namespace", "ns"].iter().any(|name| name.eq_ignore_ascii_case(kind)));
    let name = kind.map(|(_, name)| name).filter(|name| !name.is_empty()).unwrap_or(text);
    if !name.is_empty() {
        namespace(name)?;
    }
    Ok(name.to_owned())
}

/// Whether a namespace can have this name: it is a DNS label.
///
/// # Errors
/// If it cannot, with what it may consist of.
pub fn namespace(name: &str) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = [name.bytes().next(), name.bytes().last()].into_iter().all(|end| end.is_some_and(plain));
    if ends && name.len() <= 63 && name.bytes().all(|byte| plain(byte) || byte == b'-') {
        Ok(())
    } else {
        Err("its name is at most 63 lower-case letters, digits and \"-\", with no \"-\" at either end".to_owned())
    }
}

fn extra(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("give a key and a value: KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
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
        assert_eq!(without_user("https://bob:h@sh@x:1/a@b"), "https://x:1/a@b");
        assert_eq!(without_user("x:1"), "x:1");
    }

    #[test]
    fn what_is_empty_was_not_given() {
        let line = "version -n= --context= --server= --kubeconfig= --token= --as= --request-timeout=";
        let given = |line: &str| {
            let cli = Cli::try_parse_from(["kubectl-kubecoin"].into_iter().chain(line.split(' '))).unwrap();
            cli.global.connection.without_empty()
        };
        let connection = given(line);
        assert_eq!(connection.given(), [""; 0]);
        assert_eq!((connection.namespace, connection.token), (None, None));
        assert_eq!(connection.request_timeout, Some(REQUEST_TIMEOUT));
        let filled = given("version --insecure-skip-tls-verify=true --as-user-extra=a=b=c --as-user-extra a=d");
        assert!(filled.insecure_skip_tls_verify && !filled.warnings_as_errors);
        assert_eq!(filled.impersonate_extra, [("a", "b=c"), ("a", "d")].map(|(k, v)| (k.to_owned(), v.to_owned())));
    }

    #[test]
    fn a_namespace_that_cannot_exist_is_refused_at_once() {
        for name in ["a", "alice-2", "0"] {
            assert_eq!(namespace(name), Ok(()), "{name}");
        }
        for name in ["UPPER", "-a", "a-", "a.b", "a b", "", "ä", &"a".repeat(64)] {
            assert!(namespace(name).is_err(), "{name:?}");
        }
        let given = |name| Cli::try_parse_from(["kubectl-kubecoin", "-n", name, "version"]);
        assert!(given("UPPER").is_err() && given("ns/").is_err());
        let name = given("NS/alice").unwrap().global.connection.namespace;
        assert_eq!(name.as_deref(), Some("alice"));
    }

    #[test]
    fn kubectls_other_flags_are_taken() {
        let line = "kubectl-kubecoin version --cache-dir /tmp --disable-compression --disable-compression=true
            --profile none --profile-output p --log-flush-frequency 5s --vmodule a=1 --kuberc f --warnings-as-errors";
        Cli::try_parse_from(line.split_whitespace()).unwrap_or_else(|error| panic!("{error}"));
    }
}
