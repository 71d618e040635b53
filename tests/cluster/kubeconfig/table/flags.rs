//! Flags over the kubeconfig.

use super::user;
use crate::kubeconfig::row::{Row, row};

/// Two of each.
const TWO: &str = "\
apiVersion: v1
kind: Config
current-context: work
contexts:
- {name: work, context: {cluster: north, user: ursula, namespace: alice}}
- {name: rest, context: {cluster: south, user: vera}}
clusters:
- {name: north, cluster: {server: <server>, certificate-authority: <ca>}}
- {name: south, cluster: {server: <server>, certificate-authority-data: <ca:64>, tls-server-name: localhost}}
users:
- {name: ursula, user: {token: <token>}}
- {name: vera, user: {token: <other-token>}}
";

pub fn rows() -> Vec<Row> {
    [chosen(), server(), credentials(), empty(), without(), odd()].concat()
}

fn flags(name: &str, words: &str) -> Row {
    row(name).config(TWO).args(words)
}

fn chosen() -> Vec<Row> {
    vec![
        flags("--context", "--context rest"),
        flags("--context with an equals sign", "--context=rest"),
        flags("--context that is not there", "--context none").refused(&["none"]),
        flags("--user", "--user vera").reached(),
        flags("--user that is not there", "--user none").refused(&["none"]),
        flags("--cluster", "--cluster south"),
        flags("--cluster that is not there", "--cluster none").refused(&["none"]),
        flags("--cluster and --user", "--cluster south --user vera"),
        flags("--context twice", "--context none --context work").reached(),
        row("--user mends a context without one").config(&TWO.replace(", user: ursula", "")).args("--user ursula"),
        row("--cluster mends a context without one")
            .config(&TWO.replace("cluster: north, ", ""))
            .args("--cluster north"),
        row("--context where there is none").config("").args("--context work").refused(&["work"]),
        row("--user and --cluster without a context")
            .config(&TWO.replace("current-context: work\n", ""))
            .args("--user ursula --cluster north"),
        row("--cluster of a context whose cluster is not there")
            .config(&TWO.replace("cluster: north", "cluster: none"))
            .args("--cluster north"),
        row("--user of a context whose user is not there")
            .config(&TWO.replace("user: ursula", "user: none"))
            .args("--user ursula"),
    ]
}

fn server() -> Vec<Row> {
    vec![
        flags("--server", "--server <server>").reached(),
        flags("-s", "-s <server>").reached(),
        flags("--server with a path", "--server <server>/k8s/").reached(),
        flags("-s of host and port", "-s <host>").refused(&["http://<host>"]),
        flags("-s of localhost and port", "-s localhost:<good:port>"),
        flags("-s of host and port over http", "-s <plain>"),
        flags("-s of http", "-s http://<plain>").reached(),
        flags("-s of http and a token", "-s http://<plain> --token x").reached(),
        flags("--server with a name", "--server https://localhost:<good:port>").reached(),
        flags("--server of nothing", "--server https://").refused(&["server"]),
        flags("--tls-server-name", "--tls-server-name localhost").reached(),
        flags("--tls-server-name of another", "--tls-server-name other.test").refused(&["certificate"]),
        flags("--server keeps tls-server-name", "--context rest --server https://<good>"),
        flags("--server of another keeps the authority", "--server https://<expired>").refused(&["expired"]),
        flags("--insecure-skip-tls-verify and the file's authority", "--insecure-skip-tls-verify"),
        flags(
            "--insecure-skip-tls-verify and the file's authority as data",
            "--insecure-skip-tls-verify --context rest",
        ),
        flags("--insecure-skip-tls-verify with a value", "--insecure-skip-tls-verify=true"),
        flags("--insecure-skip-tls-verify that is false", "--insecure-skip-tls-verify=false").reached(),
        flags("--insecure-skip-tls-verify with no boolean", "--insecure-skip-tls-verify=maybe")
            .refused(&["insecure-skip-tls-verify"]),
        flags("--insecure-skip-tls-verify with 1", "--insecure-skip-tls-verify=1"),
        flags(
            "--insecure-skip-tls-verify and --certificate-authority",
            "--insecure-skip-tls-verify --certificate-authority <ca>",
        ),
        flags("--insecure-skip-tls-verify and another server", "--insecure-skip-tls-verify --server https://<expired>"),
        row("--insecure-skip-tls-verify=false over the file's")
            .config(&TWO.replace("certificate-authority: <ca>", "insecure-skip-tls-verify: true"))
            .args("--insecure-skip-tls-verify=false"),
        flags("--certificate-authority", "--certificate-authority <ca>").reached(),
        flags("--certificate-authority of another", "--certificate-authority <other-ca.pem>").refused(&["certificate"]),
        flags("--certificate-authority over data", "--context rest --certificate-authority <ca>").reached(),
        flags("--certificate-authority over data, of another", "--context rest --certificate-authority <other-ca.pem>")
            .refused(&["certificate"]),
        flags("--certificate-authority that is missing", "--certificate-authority none")
            .refused(&["certificate-authority", "none"]),
        row("--certificate-authority over insecure")
            .config(&TWO.replace("certificate-authority: <ca>", "insecure-skip-tls-verify: true"))
            .args("--certificate-authority <ca>"),
        flags("--proxy-url", "--proxy-url http://<http-proxy>"),
        flags("--disable-compression", "--disable-compression").reached(),
        flags("--cache-dir", "--cache-dir <home>/c").reached(),
        flags("--request-timeout", "--request-timeout 5s").reached(),
        flags("--request-timeout without a unit", "--request-timeout 5").reached(),
        flags("--request-timeout of nothing", "--request-timeout 0").reached(),
        flags("--request-timeout that is none", "--request-timeout soon").refused(&["request-timeout"]),
        flags("--request-timeout below nothing", "--request-timeout=-1s"),
        flags("-v and a number", "-v 0"),
        flags("--v", "--v=1").reached(),
        flags("--vmodule", "--vmodule=a=1").reached(),
        flags("--log-flush-frequency", "--log-flush-frequency=1s").reached(),
        flags("--profile", "--profile none --profile-output x").reached(),
        flags("--warnings-as-errors", "--warnings-as-errors").reached(),
    ]
}

fn credentials() -> Vec<Row> {
    let passworded = |name: &str, words: &str| user(name, "username: anna, password: secret").args(words);
    let certified =
        |name: &str, words: &str| user(name, "client-certificate: <client.crt>, client-key: <client.key>").args(words);
    vec![
        flags("--token", "--token <other-token>").reached(),
        user("--token over a token file", "tokenFile: token").file(".kube/token", "old").args("--token <token>"),
        user("--token over a token file that is missing", "tokenFile: none").args("--token <token>"),
        user("--token over a token and a token file", "token: older, tokenFile: token")
            .file(".kube/token", "old")
            .args("--token <token>"),
        passworded("--token over a password", "--token <token>"),
        certified("--token beside a certificate", "--token <token>"),
        certified("--as beside a certificate", "--as anna").reached(),
        certified("--as and more beside a certificate", "--as anna --as-uid 7 --as-group one --as-group two").reached(),
        certified(
            "--as-user-extra beside a certificate",
            "--as anna --as-user-extra reason=x --as-user-extra reason=y",
        ),
        certified("--user-extra with odd letters", "--as anna --as-user-extra example.com/Key=a=b"),
        user("--token over an auth-provider", "auth-provider: {name: gcp}").args("--token <token>"),
        flags("--username over a token", "--username anna --password secret"),
        flags("--username alone", "--username anna"),
        user("--username and --password", "").args("--username anna --password secret").reached(),
        user("--username without --password", "").args("--username anna"),
        user("--password without --username", "").args("--password secret"),
        passworded("--username over a name", "--username berta"),
        passworded("--password over a password", "--password other"),
        flags("--token and --username", "--token x --username anna").refused(&["token", "username"]),
        user("--username over a token file", "tokenFile: token")
            .file(".kube/token", "old")
            .args("--username anna --password secret"),
        certified("--username beside a certificate", "--username anna --password secret"),
        flags("--client-certificate and --client-key", "--client-certificate <client.crt> --client-key <client.key>")
            .reached(),
        flags("--client-certificate without --client-key", "--client-certificate <client.crt>")
            .refused(&["client-key"]),
        flags("--client-key without --client-certificate", "--client-key <client.key>"),
        flags("--client-certificate that is missing", "--client-certificate none --client-key <client.key>")
            .refused(&["client-certificate", "none"]),
        flags("--client-key of another", "--client-certificate <client.crt> --client-key <other.key>")
            .refused(&["client-key", "other.key"]),
        certified("--client-certificate over a certificate", "--client-certificate <v1.crt> --client-key <v1.key>"),
        certified("--client-key alone over a key", "--client-key <other.key>").refused(&["client-key"]),
        user(
            "--client-certificate over data",
            "client-certificate-data: <other.crt:64>, client-key-data: <other.key:64>",
        )
        .args("--client-certificate <client.crt> --client-key <client.key>"),
        flags("--as", "--as anna"),
        flags("--as and --as-group", "--as anna --as-group one --as-group two"),
        flags("--as-group with a comma", "--as anna --as-group one,two"),
        flags("--as, --as-uid, --as-group", "--as anna --as-uid 7 --as-group one"),
        flags("--as-group alone", "--as-group one").refused(&["as"]),
        flags("--as-uid alone", "--as-uid 7").refused(&["as"]),
        flags("--as-user-extra", "--as anna --as-user-extra reason=x"),
        flags("--as of a service account", "--as system:serviceaccount:kube-system:default"),
        user("--as over as", "token: <token>, as: anna, as-groups: [one], as-uid: '7', as-user-extra: {a: [b]}")
            .args("--as berta"),
        user("--as-group over as-groups", "token: <token>, as: anna, as-groups: [one]").args("--as-group two"),
        user("--as-uid over as-uid", "token: <token>, as: anna, as-uid: '7'").args("--as-uid 8"),
    ]
}

/// Flags given empty.
fn empty() -> Vec<Row> {
    [
        "--context",
        "--user",
        "--cluster",
        "--server",
        "-s",
        "--token",
        "--tls-server-name",
        "--certificate-authority",
        "--client-certificate",
        "--client-key",
        "--as",
        "--as-uid",
        "--username",
        "--password",
        "--namespace",
        "-n",
        "--kubeconfig",
        "--cache-dir",
    ]
    .map(|flag| row(format!("{flag} is empty")).config(TWO).arg(flag).arg("").reached())
    .into_iter()
    .chain([
        row("--as-group is empty").config(TWO).arg("--as-group").arg(""),
        row("--as-group is empty beside --as").config(TWO).args("--as anna --as-group").arg(""),
        row("--request-timeout is empty").config(TWO).args("--request-timeout="),
        row("--insecure-skip-tls-verify is empty").config(TWO).args("--insecure-skip-tls-verify="),
        row("all are empty")
            .config(TWO)
            .args("--context= --user= --cluster= --server= --token= --namespace=")
            .reached(),
        user("--token is empty over a token file", "tokenFile: token")
            .file(".kube/token", "<token>")
            .args("--token=")
            .reached(),
        user("--as is empty over as", "token: <token>, as: anna").args("--as="),
        row("a flag of a space").config(TWO).arg("--context").arg(" ").refused(&[]),
    ])
    .collect()
}

/// Flags and no kubeconfig.
fn without() -> Vec<Row> {
    let flags = |name: &str, words: &str| row(name).args(words);
    vec![
        flags(
            "no kubeconfig, but a server and a token",
            "--server <server> --certificate-authority <ca> --token <token>",
        )
        .reached(),
        flags(
            "no kubeconfig, but a server and a certificate",
            "--server <server> --certificate-authority <ca> --client-certificate \
             <client.crt> --client-key <client.key>",
        )
        .reached(),
        flags(
            "no kubeconfig, but a server and a name",
            "--server <server> --certificate-authority <ca> --username anna --password secret",
        )
        .reached(),
        flags("no kubeconfig, but a server over http", "--server http://<plain>").reached(),
        flags("no kubeconfig, but host and port", "-s <plain>").reached(),
        flags("no kubeconfig, but an insecure server", "--server <server> --insecure-skip-tls-verify --token <token>")
            .reached(),
        flags("no kubeconfig, but a server that is not trusted", "--server <server> --token <token>")
            .refused(&["certificate"]),
        flags("no kubeconfig, but a server and nobody", "--server <server> --certificate-authority <ca>"),
        flags("no kubeconfig, but a server and a user", "--server <server> --certificate-authority <ca> --user ursula")
            .refused(&["ursula"]),
        flags(
            "no kubeconfig, but a server and a context",
            "--server <server> --certificate-authority <ca> --token x --context work",
        )
        .refused(&["work"]),
        flags(
            "no kubeconfig, but a server and a cluster",
            "--server <server> --certificate-authority <ca> --token x --cluster north",
        )
        .refused(&["north"]),
        flags("no kubeconfig, but a token", "--token <token>").refused(&[]),
        flags("no kubeconfig, but a namespace", "-n alice").refused(&[]),
        flags("no kubeconfig, but KUBERNETES_MASTER", "").env("KUBERNETES_MASTER", "http://<plain>"),
        row("an empty kubeconfig, but a server").config("").args("--server http://<plain>").reached(),
        row("no current-context, but a server")
            .config(&TWO.replace("current-context: work\n", ""))
            .args("--server <server> --certificate-authority <ca> --token <token>")
            .reached(),
        row("a missing current-context, but a server")
            .config(&TWO.replace("current-context: work", "current-context: none"))
            .args("--server <server> --certificate-authority <ca> --token <token>"),
        row("no current-context, but --context=")
            .config(&TWO.replace("current-context: work\n", ""))
            .args("--context="),
    ]
}

fn odd() -> Vec<Row> {
    let space = |name: &str, namespace: &str| row(name).config(TWO).arg("-n").arg(namespace);
    vec![
        space("-n", "bob").reached(),
        space("-n in capitals", "BOB"),
        space("-n with a dot", "a.b"),
        space("-n with a space", "a b"),
        space("-n with a kind", "ns/bob").reached(),
        space("-n with a long kind", "namespaces/bob").reached(),
        space("-n of 64 letters", &"a".repeat(64)),
        flags("-n and its value as one", "-nbob").reached(),
        flags("-n and its value by an equals sign", "-n=bob").reached(),
        flags("--namespace", "--namespace bob").reached(),
        flags("an unknown flag", "--future").refused(&["--future"]),
        flags("a flag without its value", "--context").refused(&["--context"]),
    ]
}
