//! Credential plugins.

use super::user;
use crate::kubeconfig::row::Row;

const V1: &str = "client.authentication.k8s.io/v1";
const V1BETA1: &str = "client.authentication.k8s.io/v1beta1";
const V1ALPHA1: &str = "client.authentication.k8s.io/v1alpha1";

/// A credential of this version, with this status.
fn credential(version: &str, status: &str) -> String {
    format!(r#"{{"apiVersion":"{version}","kind":"ExecCredential","status":{{{status}}}}}"#)
}

const STATUS: &str = r#""token":"<token>""#;

/// A user whose plugin is asked in this version, with more fields, and answers this.
fn asks(name: &str, version: &str, more: &str, answer: &str) -> Row {
    user(name, &format!("exec: {{apiVersion: {version}, command: ./login{more}}}")).login(answer)
}

pub fn rows() -> Vec<Row> {
    [versions(), answers(), commands(), told(), preferences(), beside()].concat()
}

fn versions() -> Vec<Row> {
    let mut rows = Vec::new();
    for (version, known) in [(V1, true), (V1BETA1, true), (V1ALPHA1, false), ("v1", false), ("''", false)] {
        for mode in ["", "Never", "IfAvailable", "Always", "Sometimes", "never"] {
            let field = if mode.is_empty() { String::new() } else { format!(", interactiveMode: {mode}") };
            let name = format!("a plugin of {version} that is to be interactive {mode:?}");
            let row = asks(&name, version, &field, &credential(version, STATUS));
            let usual = matches!(mode, "Never" | "IfAvailable") || (mode.is_empty() && version == V1BETA1);
            rows.push(if known && usual { row.reached() } else { row.refused(&["ursula"]) });
        }
    }
    rows
}

fn answers() -> Vec<Row> {
    let never = ", interactiveMode: Never";
    let says = |name: &str, answer: &str| asks(name, V1, never, answer);
    let status = |name: &str, status: &str| asks(name, V1, never, &credential(V1, status));
    let does = |name: &str, does: &str| {
        user(name, &format!("exec: {{apiVersion: {V1}, command: ./login{never}}}")).script("login", does)
    };
    vec![
        status("a plugin that gives a token that is refused", r#""token":"denied""#).refused(&["credentials"]),
        status("a plugin that gives nothing", "").refused(&["ursula", "login"]),
        status("a plugin that gives an empty token", r#""token":"""#).refused(&["ursula", "login"]),
        status("a plugin that gives a token with a newline", r#""token":"a\nb""#).refused(&[]),
        status(
            "a plugin that gives what has expired",
            r#""token":"past","expirationTimestamp":"2020-01-01T00:00:00Z""#,
        )
        .reached(),
        status(
            "a plugin that gives what will expire",
            r#""token":"soon","expirationTimestamp":"2090-01-01T00:00:00Z""#,
        )
        .reached(),
        status("a plugin that gives a time that is none", r#""token":"soon","expirationTimestamp":"tomorrow""#)
            .refused(&["ursula", "login"]),
        status("a plugin that gives a time that is null", r#""token":"soon","expirationTimestamp":null"#).reached(),
        status("a plugin that gives unknown fields", r#""token":"a","future":[1]"#).reached(),
        status("a plugin that gives a certificate without a key", r#""clientCertificateData":"x""#)
            .refused(&["ursula", "login"]),
        status("a plugin that gives a key without a certificate", r#""clientKeyData":"x""#)
            .refused(&["ursula", "login"]),
        status("a plugin that gives a certificate that is none", r#""clientCertificateData":"x","clientKeyData":"y""#)
            .refused(&["ursula", "login"]),
        does("a plugin that gives a certificate", &certificate("client", "client")).reached(),
        does("a plugin that gives a certificate of X.509 v1", &certificate("v1", "v1")).reached(),
        does("a plugin that gives another certificate's key", &certificate("client", "other"))
            .refused(&["ursula", "login"]),
        does(
            "a plugin that gives a certificate and a token",
            &certificate("client", "client").replace(r#""status":{"#, r#""status":{"token":"and-more","#),
        )
        .reached(),
        says("a plugin that gives another version", &credential(V1BETA1, STATUS)).refused(&["ursula", "login"]),
        says("a plugin that gives no version", r#"{"kind":"ExecCredential","status":{"token":"x"}}"#)
            .refused(&["ursula", "login"]),
        says("a plugin that gives another kind", &credential(V1, STATUS).replace("ExecCredential", "Pod"))
            .refused(&["ursula", "login"]),
        says("a plugin that gives no status", &format!(r#"{{"apiVersion":"{V1}","kind":"ExecCredential"}}"#))
            .refused(&["ursula", "login"]),
        says("a plugin that gives no JSON", "hello").refused(&["ursula", "login"]),
        says("a plugin that says nothing", "").refused(&["ursula", "login"]),
        says("a plugin that gives more after it", &format!("{} more", credential(V1, STATUS))),
        does(
            "a plugin that gives YAML",
            &format!("printf 'apiVersion: {V1}\\nkind: ExecCredential\\nstatus: {{token: yaml}}\\n'"),
        ),
        does("a plugin that fails", "echo 'log in first' 1>&2; exit 3").refused(&[
            "ursula",
            "login",
            "3",
            "log in first",
        ]),
        does("a plugin that fails after it gave a token", &format!("echo '{}'; exit 1", credential(V1, STATUS)))
            .refused(&["ursula", "login", "1"]),
        does("a plugin that is ended by a signal", "kill -9 $$").refused(&["ursula", "login"]),
        does("a plugin that warns", &format!("echo careful 1>&2; echo '{}'", credential(V1, STATUS))).reached(),
        does("a plugin that reads its stdin", &format!("cat; echo '{}'", credential(V1, STATUS))).reached(),
        does("a plugin that gives its environment", &environment("$PLANTED $HOME"))
            .env("PLANTED", "from-outside")
            .reached(),
    ]
}

/// Gives a certificate and a key of files as JSON.
fn certificate(certificate: &str, key: &str) -> String {
    let text = |file: String| format!(r#"$(awk '{{printf "%s\\n", $0}}' {file})"#);
    let (certificate, key) = (text(format!("<{certificate}.crt>")), text(format!("<{key}.key>")));
    let status = format!(r#""clientCertificateData":"'"{certificate}"'","clientKeyData":"'"{key}"'""#);
    format!("printf '%s\\n' '{}'", credential(V1, &status))
}

/// Gives this text as the token.
fn environment(text: &str) -> String {
    format!("echo '{}'", credential(V1, &format!(r#""token":"'"{text}"'""#)))
}

/// A user whose plugin is this command, with more fields.
fn runs(name: &str, command: &str, more: &str) -> Row {
    user(name, &format!("exec: {{apiVersion: {V1}, interactiveMode: Never, command: {command}{more}}}"))
        .login(&credential(V1, STATUS))
}

fn commands() -> Vec<Row> {
    let hint = ", installHint: 'get it from example.com'";
    vec![
        runs("a plugin by its whole path", "<home>/.kube/login", "").reached(),
        runs("a plugin beside the kubeconfig without a dot", ".kube/login", "").refused(&["ursula", ".kube/login"]),
        runs("a plugin by name that is not on PATH", "login-of-nobody", hint).refused(&[
            "ursula",
            "login-of-nobody",
            "get it from example.com",
        ]),
        runs(
            "a plugin by name that is on PATH",
            "sh",
            &format!(", args: [-c, 'echo ''{}''']", credential(V1, STATUS).replace('"', "\\\"")),
        ),
        runs("a plugin by path that is missing", "./none", hint).refused(&[
            "ursula",
            "/none",
            "get it from example.com",
        ]),
        runs("a plugin by whole path that is missing", "/none/login", hint).refused(&[
            "ursula",
            "/none/login",
            "get it from example.com",
        ]),
        runs("a plugin that is a folder", "./", "").refused(&["ursula"]),
        runs("a plugin that is no program", "./config", "").refused(&["ursula", "config"]),
        runs("a plugin of an empty command", "''", "").refused(&["ursula", "command"]),
        runs("a plugin of a null command", "null", "").refused(&["ursula", "command"]),
        runs(
            "a plugin with arguments and environment",
            "./login",
            ", args: [one, 'two words'], env: [{name: PLANTED, value: from-the-file}]",
        )
        .script("login", &environment("$PLANTED $# $2"))
        .env("PLANTED", "from-outside")
        .reached(),
        runs("a plugin with lists of null", "./login", ", args: null, env: null").reached(),
        runs("a plugin with an empty variable's name", "./login", ", env: [{name: '', value: x}]")
            .refused(&["ursula", "env"]),
        runs("a plugin with a variable without a value", "./login", ", env: [{name: PLANTED}]")
            .script("login", &environment("[$PLANTED]"))
            .env("PLANTED", "x")
            .reached(),
        runs("a plugin with unknown fields", "./login", ", future: 1").reached(),
    ]
}

/// What plugins are told.
fn told() -> Vec<Row> {
    vec![
        runs("a plugin that is told the cluster", "./login", ", provideClusterInfo: true").reached(),
        asks(
            "a plugin of v1beta1 that is told the cluster",
            V1BETA1,
            ", provideClusterInfo: true",
            &credential(V1BETA1, STATUS),
        )
        .reached(),
        runs("a plugin that is told much of the cluster", "./login", ", provideClusterInfo: true")
            .config(&crate::kubeconfig::row::config(
                "server: 'https://<good>/k8s', certificate-authority-data: <ca:64>, \
             tls-server-name: localhost, disable-compression: true, \
             proxy-url: 'http://<http-proxy>', \
             extensions: [{name: client.authentication.k8s.io/exec, \
             extension: {audience: x, numbers: [1, 2.5, true, null]}}, {name: other, \
             extension: {}}]",
                &format!(
                    "exec: {{apiVersion: {V1}, interactiveMode: Never, command: ./login, \
             provideClusterInfo: true}}"
                ),
            ))
            .reached(),
        runs("a plugin that is told of an insecure cluster with a path", "./login", ", provideClusterInfo: true")
            .config(&crate::kubeconfig::row::config(
                "server: 'https://<host>/k8s/', insecure-skip-tls-verify: true",
                &format!(
                    "exec: {{apiVersion: {V1}, interactiveMode: Never, command: ./login, \
             provideClusterInfo: true}}"
                ),
            ))
            .reached(),
        runs("a plugin that is told of flags", "./login", ", provideClusterInfo: true")
            .args("--tls-server-name localhost")
            .reached(),
    ]
}

/// What kubectl's own preferences say of plugins.
fn preferences() -> Vec<Row> {
    vec![
        runs("a plugin that kuberc denies", "./login", "")
            .file(".kube/kuberc", &kuberc("credentialPluginPolicy: DenyAll"))
            .refused(&["login", "credentialPluginPolicy"]),
        runs("a plugin that kuberc allows", "./login", "")
            .file(".kube/kuberc", &kuberc("credentialPluginPolicy: AllowAll"))
            .reached(),
        runs("a plugin that is on kuberc's list", "./login", "").file(
            ".kube/kuberc",
            &kuberc("credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{name: login}]"),
        ),
        runs("a plugin that is on kuberc's list by path", "./login", "").file(
            ".kube/kuberc",
            &kuberc(
                "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{name: \
             <home>/.kube/login}]",
            ),
        ),
        runs("a plugin that is on kuberc's list by command", "./login", "").file(
            ".kube/kuberc",
            &kuberc(
                "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{command: \
             <home>/.kube/login}]",
            ),
        ),
        runs("a plugin that is not on kuberc's list", "./login", "").file(
            ".kube/kuberc",
            &kuberc("credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{name: other}]"),
        ),
        runs("an odd policy in kuberc", "./login", "").file(".kube/kuberc", &kuberc("credentialPluginPolicy: Perhaps")),
        runs("a kuberc that is switched off", "./login", "")
            .file(".kube/kuberc", &kuberc("credentialPluginPolicy: DenyAll"))
            .env("KUBERC", "off")
            .reached(),
        runs("a kuberc that a variable switches off", "./login", "")
            .file(".kube/kuberc", &kuberc("credentialPluginPolicy: DenyAll"))
            .env("KUBECTL_KUBERC", "false")
            .reached(),
        runs("another kuberc by a variable", "./login", "")
            .file("rc", &kuberc("credentialPluginPolicy: DenyAll"))
            .env("KUBERC", "<home>/rc"),
        runs("another kuberc by a flag", "./login", "")
            .file("rc", &kuberc("credentialPluginPolicy: DenyAll"))
            .args("--kuberc rc"),
        runs("a broken kuberc", "./login", "").file(".kube/kuberc", "apiVersion: ["),
        user("a kuberc that denies plugins to who has none", "token: <token>")
            .file(".kube/kuberc", &kuberc("credentialPluginPolicy: DenyAll"))
            .reached(),
    ]
}

fn kuberc(fields: &str) -> String {
    format!("apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n{fields}\n")
}

/// Plugins beside other credentials.
fn beside() -> Vec<Row> {
    let beside = |name: &str, other: &str| {
        user(name, &format!("{other}, exec: {{apiVersion: {V1}, interactiveMode: Never, command: ./login}}"))
            .login(&credential(V1, STATUS))
    };
    vec![
        beside("a plugin beside a token", "token: <token>"),
        beside("a plugin beside a token file", "tokenFile: token").file(".kube/token", "<token>"),
        beside("a plugin beside an empty token", "token: ''"),
        beside("a plugin beside a password", "username: anna, password: secret"),
        beside("a plugin beside a name alone", "username: anna"),
        beside("a plugin beside a certificate", "client-certificate: <client.crt>, client-key: <client.key>"),
        beside(
            "a plugin that gives a certificate beside a certificate",
            "client-certificate: <other.crt>, client-key: <other.key>",
        )
        .script("login", &certificate("client", "client")),
        beside("a plugin beside an auth-provider", "auth-provider: {name: oidc}").refused(&[
            "ursula",
            "auth-provider",
            "exec",
        ]),
        beside("a plugin and another to act as", "as: anna").reached(),
        beside("a plugin and a token's flag", "as: anna").args("--token flagged"),
        beside("a plugin and a name's flag", "as: anna").args("--username anna --password secret"),
        beside("a plugin and a certificate's flags", "as: anna")
            .args("--client-certificate <client.crt> --client-key <client.key>"),
        beside("a plugin and the flags of another server", "as: anna").args("--server http://<plain>"),
        user(
            "an unused plugin that is missing",
            &format!(
                "token: <token>, exec: {{apiVersion: {V1}, interactiveMode: Never, \
             command: ./none}}"
            ),
        ),
    ]
}
