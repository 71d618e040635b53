//! Rows drawn at random from parts.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};

use super::row::{Row, row};
use crate::support::chance::number;

/// The variable that gives how many rows are drawn.
const COUNT: &str = "KUBECOIN_DRAWN";

const USUAL_COUNT: u64 = 60;

/// The rows of a seed.
pub fn rows(seed: u64) -> Vec<Row> {
    let mut random = StdRng::seed_from_u64(seed);
    (0..number(COUNT).unwrap_or(USUAL_COUNT)).map(|number| draw(number, &mut random)).collect()
}

/// A part's choices, each with its name. What is chosen most of the time stands first.
type Part = [(&'static str, &'static str)];

const SERVERS: &Part = &[
    ("https", "server: 'https://<good>'"),
    ("a path", "server: 'https://<good>/k8s/c-1/'"),
    ("a name", "server: 'https://localhost:<good:port>'"),
    ("host and port", "server: '<good>'"),
    ("http", "server: 'http://<plain>'"),
    ("another name", "server: 'https://<elsewhere>'"),
    ("expired", "server: 'https://<expired>'"),
    ("its own certificate", "server: 'https://<own>'"),
    ("a chain", "server: 'https://<chained>'"),
    ("no server", ""),
];

const TRUST: &Part = &[
    ("authority", "certificate-authority: <ca>"),
    ("authority as data", "certificate-authority-data: <ca:64>"),
    ("all authorities", "certificate-authority: <all.pem>"),
    ("insecure", "insecure-skip-tls-verify: true"),
    ("no trust", ""),
    ("both forms", "certificate-authority: <ca>, certificate-authority-data: <ca:64>"),
    ("insecure with authority", "insecure-skip-tls-verify: true, certificate-authority-data: <ca:64>"),
    ("other authority", "certificate-authority: <other-ca.pem>"),
    ("missing authority", "certificate-authority: none"),
];

const NAMES: &Part = &[
    ("", ""),
    ("named localhost", "tls-server-name: localhost"),
    ("named elsewhere", "tls-server-name: elsewhere.test"),
    ("named by address", "tls-server-name: 127.0.0.1"),
    ("named nothing", "tls-server-name: ''"),
];

const PROXIES: &Part = &[
    ("", ""),
    ("proxy", "proxy-url: 'http://<http-proxy>'"),
    ("proxy with user", "proxy-url: 'http://a:b@<http-proxy>'"),
    ("https proxy", "proxy-url: 'https://<https-proxy>'"),
    ("socks", "proxy-url: 'socks5://<socks>'"),
    ("bad proxy", "proxy-url: 'gopher://<socks>'"),
    ("empty proxy", "proxy-url: ''"),
];

/// Several of these may come together in a user.
const CREDENTIALS: &Part = &[
    ("token", "token: <token>"),
    ("empty token", "token: ''"),
    ("token file", "tokenFile: token"),
    ("missing token file", "tokenFile: none"),
    ("certificate", "client-certificate: <client.crt>, client-key: <client.key>"),
    ("certificate as data", "client-certificate-data: <client.crt:64>, client-key-data: <client.key:64>"),
    ("v1", "client-certificate-data: <v1.crt:64>, client-key: <v1.key>"),
    ("wrong key", "client-certificate: <client.crt>, client-key: <other.key>"),
    ("no key", "client-certificate: <client.crt>"),
    ("no certificate", "client-key: <client.key>"),
    ("password", "username: anna, password: secret"),
    (
        "plugin",
        "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, \
             command: ./login}",
    ),
    (
        "plugin told",
        "exec: {apiVersion: client.authentication.k8s.io/v1, \
             interactiveMode: IfAvailable, command: ./login, provideClusterInfo: true}",
    ),
    (
        "always interactive",
        "exec: {apiVersion: client.authentication.k8s.io/v1, \
             interactiveMode: Always, command: ./login}",
    ),
    ("no mode", "exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login}"),
    (
        "no plugin",
        "exec: {apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, \
             command: ./none}",
    ),
    ("auth-provider", "auth-provider: {name: gcp}"),
];

const AS: &Part = &[
    ("", ""),
    ("as", "as: anna"),
    ("as with all", "as: anna, as-uid: u, as-groups: [one, two], as-user-extra: {k: [v, w]}"),
    ("groups alone", "as-groups: [one]"),
    ("empty as", "as: ''"),
];

const CONTEXTS: &Part = &[
    ("", "{name: work, context: {cluster: north, user: ursula}}"),
    ("namespace", "{name: work, context: {cluster: north, user: ursula, namespace: bob}}"),
    ("bad namespace", "{name: work, context: {cluster: north, user: ursula, namespace: B_B}}"),
    ("no user", "{name: work, context: {cluster: north}}"),
    ("no cluster", "{name: work, context: {user: ursula}}"),
    ("missing user", "{name: work, context: {cluster: north, user: ulla}}"),
    ("null context", "{name: work, context: null}"),
];

const FLAGS: &Part = &[
    ("--context=", "--context="),
    ("--context", "--context work"),
    ("--context none", "--context none"),
    ("--server", "--server https://<good>"),
    ("--server path", "--server https://<good>/p"),
    ("-s", "-s <plain>"),
    ("--server=", "--server="),
    ("--token", "--token <other-token>"),
    ("--token=", "--token="),
    ("--user", "--user ursula"),
    ("--user none", "--user none"),
    ("--cluster", "--cluster north"),
    ("--as", "--as berta"),
    ("--as=", "--as="),
    ("--as-group", "--as-group three"),
    ("--as-uid", "--as-uid 9"),
    ("--username", "--username berta --password other"),
    ("--client-certificate", "--client-certificate <v1.crt> --client-key <v1.key>"),
    ("--client-key", "--client-key <client.key>"),
    ("--insecure-skip-tls-verify", "--insecure-skip-tls-verify"),
    ("--insecure-skip-tls-verify=false", "--insecure-skip-tls-verify=false"),
    ("--certificate-authority", "--certificate-authority <ca>"),
    ("--certificate-authority other", "--certificate-authority <other-ca.pem>"),
    ("--tls-server-name", "--tls-server-name localhost"),
    ("-n", "-n carol"),
    ("-n=", "--namespace="),
];

/// Around the kubeconfig's own text.
const WRITTEN: &Part = &[
    ("", ""),
    ("future fields", "future: {a: [1]}\n"),
    ("preferences", "preferences: {}\n"),
    ("null extensions", "extensions: null\n"),
    ("another kind", "kind: Pod\n"),
];

/// What stands beside what is used.
const UNUSED: &Part = &[
    ("", ""),
    ("null user", "{name: idle, user: null}, "),
    ("null provider", "{name: idle, user: {auth-provider: {name: x, config: null}}}, "),
    ("twice", "{name: ursula, user: {token: first}}, "),
    ("null entry", "null, "),
    ("bad type", "{name: idle, user: {token: 5}}, "),
];

fn draw(number: u64, random: &mut StdRng) -> Row {
    let mut names = Vec::new();
    let mut part = |choices: &Part, usual: f64, random: &mut StdRng| {
        let (name, text) = if random.random_bool(usual) { choices[0] } else { *choices.choose(random).unwrap() };
        names.push(name);
        text
    };
    let cluster = fields(&[
        part(SERVERS, 0.5, random),
        part(TRUST, 0.6, random),
        part(NAMES, 0.7, random),
        part(PROXIES, 0.7, random),
    ]);
    let mut credentials: Vec<&str> = Vec::new();
    for (chance, usual) in [(0.95, 0.4), (0.3, 0.0), (0.1, 0.0)] {
        if random.random_bool(chance) {
            let next = part(CREDENTIALS, usual, random);
            // A field that is there twice is another matter.
            if !credentials.iter().any(|known| shares_a_field(known, next)) {
                credentials.push(next);
            }
        }
    }
    credentials.push(part(AS, 0.7, random));
    let context = part(CONTEXTS, 0.9, random);
    let (written, unused) = (part(WRITTEN, 0.9, random), part(UNUSED, 0.7, random));
    let mut args: Vec<&str> = Vec::new();
    for chance in [0.4, 0.2, 0.1] {
        if random.random_bool(chance) {
            args.push(part(FLAGS, 0.0, random));
        }
    }
    let way = ["alone", "first", "last", "flag"].choose(random).copied().unwrap();
    let config = format!(
        "{written}current-context: work\ncontexts: [{context}]\nclusters: [{{name: north, cluster: {{{cluster}}}}}]\n\
         users: [{unused}{{name: ursula, user: {{{}}}}}]\n",
        fields(&credentials)
    );
    let other = "current-context: ''\nclusters: [{name: north, \
             cluster: {server: 'http://<plain>/other'}}]\nusers: []\n";
    names.retain(|name| !name.is_empty());
    let parts: Vec<String> = names.into_iter().map(str::to_owned).collect();
    let row = Row { parts: parts.clone(), ..row(format!("drawn {number}: {}, {way}", parts.join(", "))) }
        .file(".kube/token", "<token>\n")
        .login(
            r#"{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"plugin"}}"#,
        )
        .args(&args.join(" "));
    match way {
        "first" => row
            .file(".kube/a-config", &config)
            .file(".kube/b-config", other)
            .env("KUBECONFIG", ".kube/a-config:.kube/b-config"),
        "last" => row
            .file(".kube/a-config", other)
            .file(".kube/b-config", &config)
            .env("KUBECONFIG", ".kube/a-config:none:.kube/b-config"),
        "flag" => row.file(".kube/c-config", &config).args("--kubeconfig .kube/c-config"),
        _ => row.config(&config),
    }
}

fn fields(parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(", ")
}

fn shares_a_field(one: &str, other: &str) -> bool {
    let names = |text: &str| -> Vec<String> {
        text.split(", ").filter_map(|field| field.split_once(':')).map(|(name, _)| name.trim().to_owned()).collect()
    };
    names(one).iter().any(|name| names(other).contains(name))
}
