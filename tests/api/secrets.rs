//! A marker stands in every place that is secret, each step is made to fail, and the marker is found in no output.
//!
//! Left out are what a plugin writes to stderr itself, rows that psql is asked for, and the Secret that
//! `manifests --include-secrets` is asked for.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::plugin::{Ended, Home, finished};
use crate::server::{Reply, Server};
use crate::world::{World, refusal};

/// What may turn up nowhere. It is text in base64, too, for what is kept so.
const MARKER: &str = "Kc4711MarkerKc47";

const V1: &str = "client.authentication.k8s.io/v1";

/// Each command, with all that it says of itself.
const COMMANDS: [&str; 14] = [
    "",
    "version -o json",
    "status -o yaml",
    "deploy --dry-run=server",
    "deploy --timeout 2s",
    "init-db",
    "dns-check",
    "persistence-demo --yes --report report.html --report report.json",
    "persistence-demo --yes --target statefulset/postgres --report set.html --report set.json",
    "psql -c SELECT",
    "manifests --out-dir manifests",
    "rotate-password --yes",
    "open --no-browser",
    "teardown --yes",
];

/// A server that answers every request like this.
fn always(reply: impl Fn() -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |_| reply())
}

/// What servers do to a program that has got as far as them. The Secret of the exchange holds the marker.
fn servers() -> Vec<(&'static str, Server)> {
    let mut world = World::healthy();
    let secret = world.at("/api/v1/namespaces/alice/secrets/postgres-credentials");
    secret["data"] = json!({ "username": "cG9zdGdyZXM=", "password": STANDARD.encode(MARKER) });
    let (works, breaks) = (world.clone(), world);
    vec![
        ("works", Server::start(move |request| works.reply(request))),
        ("refuses", always(|| refusal(401, "Unauthorized", "Unauthorized"))),
        ("forbids", always(|| refusal(403, "Forbidden", "no"))),
        ("breaks off", always(|| Reply::Truncated("{\"kind\": \"Sec".to_owned()))),
        // Only what is written fails: the Secret has been read by then.
        (
            "takes nothing",
            Server::start(move |request| match request.method.as_str() {
                "GET" => breaks.reply(request),
                _ => refusal(422, "Invalid", "is invalid"),
            }),
        ),
    ]
}

/// Kubeconfigs with the marker in all that they keep secret, by what is wrong with them. The first are as they should be.
fn kubeconfigs(home: &Home, port: u16) -> Vec<(String, String)> {
    let authority = home.path().join("ca.pem");
    let token_file = home.write("token", &format!("{MARKER}\n"));
    let good = format!(
        "echo '{{\"kind\": \"ExecCredential\", \"apiVersion\": \"{V1}\", \"status\": {{\"token\": \"{MARKER}\"}}}}'"
    );
    let plugin = |does: &str, name: &str| {
        json!({ "exec": {
            "apiVersion": V1, "interactiveMode": "Never", "command": home.script(name, does),
            "args": [format!("--client-secret={MARKER}")], "env": [{ "name": "SECRET", "value": MARKER }],
        } })
    };
    let key = format!("-----BEGIN PRIVATE KEY-----\n{MARKER}\n-----END PRIVATE KEY-----\n");
    let cluster = json!({ "server": format!("https://127.0.0.1:{port}"), "certificate-authority": authority });
    let mut files: Vec<(String, String)> = [
        ("token", json!({ "token": MARKER })),
        ("token file", json!({ "tokenFile": token_file })),
        ("password", json!({ "username": "bob", "password": MARKER })),
        ("plugin", plugin(&good, "works")),
        ("plugin that fails", plugin(&format!("{good}; exit 3"), "fails")),
        ("plugin that says nonsense", plugin(&format!("echo '{{\"token\": \"{MARKER}'"), "nonsense")),
        ("plugin with a broken certificate", plugin(
            &format!("echo '{{\"kind\": \"ExecCredential\", \"apiVersion\": \"{V1}\", \"status\": {{\"clientCertificateData\": \"{MARKER}\", \"clientKeyData\": \"{MARKER}\"}}}}'"),
            "certificate",
        )),
        ("plugin that is not there", json!({ "exec": { "apiVersion": V1, "interactiveMode": "Never", "command": "kubecoin-login",
            "args": [MARKER], "env": [{ "name": "SECRET", "value": MARKER }] } })),
        ("token with a line break", json!({ "token": format!("{MARKER}\n{MARKER}") })),
        ("key that is none", json!({ "client-certificate-data": STANDARD.encode("no certificate"),
            "client-key-data": STANDARD.encode(&key) })),
        ("key that is no base64", json!({ "client-key-data": format!("-{MARKER}") })),
        ("token and password", json!({ "token": MARKER, "username": "bob", "password": MARKER })),
        ("provider", json!({ "auth-provider": { "name": "oidc", "config": { "idp-issuer-url": "https://idp",
            "client-id": "kubecoin", "client-secret": MARKER, "id-token": MARKER, "refresh-token": MARKER } } })),
        ("provider of old", json!({ "auth-provider": { "name": "gcp", "config": { "access-token": MARKER } } })),
        ("extra that cannot be sent", json!({ "token": MARKER, "as": "eve", "as-user-extra": { "k": [format!("{MARKER}\n")] } })),
    ]
    .into_iter()
    .map(|(what, user)| (what.to_owned(), file(&cluster, &user)))
    .collect();
    for (what, field, value) in [
        ("server with a password", "server", format!("https://bob:{MARKER}@127.0.0.1:{port}")),
        ("server that is none", "server", format!("https://bob:{MARKER}@127.0 .0.1:{port}")),
        ("server of another scheme", "server", format!("ftp://bob:{MARKER}@127.0.0.1:{port}")),
        ("proxy that is not there", "proxy-url", format!("http://bob:{MARKER}@127.0.0.1:1")),
        ("proxy that is none", "proxy-url", format!("http://bob:{MARKER}@127.0 .0.1")),
        ("proxy of another scheme", "proxy-url", format!("socks5h://bob:{MARKER}@127.0.0.1")),
    ] {
        let mut cluster = cluster.clone();
        cluster[field] = value.into();
        files.push((what.to_owned(), file(&cluster, &json!({ "token": MARKER }))));
    }
    for (what, text) in [
        ("a mistake near the token", format!("users:\n- name: u\n  user:\n    token: \"{MARKER}\n  x: [")),
        ("a token that is a list", format!("users: [{{name: u, user: {{token: [{MARKER}]}}}}]")),
        (
            "a key that is twice there",
            format!("users: [{{name: u, user: {{token: {MARKER}, token: {{{MARKER}: x}}}}}}]"),
        ),
        ("a tab", format!("users:\n\t- token: {MARKER}")),
        ("an anchor that is not there", format!("users: [{{name: u, user: {{token: *{MARKER}}}}}]")),
    ] {
        files.push((what.to_owned(), text));
    }
    files
}

fn file(cluster: &Value, user: &Value) -> String {
    json!({
        "current-context": "c", "contexts": [{ "name": "c", "context": { "cluster": "c", "user": "u", "namespace": "alice" } }],
        "clusters": [{ "name": "c", "cluster": cluster }], "users": [{ "name": "u", "user": user }],
    })
    .to_string()
}

/// That neither the output nor any file that was written holds the marker, in any form.
fn hidden(ended: &Ended, home: &Home, what: &str) {
    let written = home.path().join("work");
    let forms = [MARKER.to_owned(), STANDARD.encode(MARKER), STANDARD.encode(format!("bob:{MARKER}"))];
    for form in &forms {
        let shown = [&ended.stdout, &ended.stderr].into_iter().any(|text| text.contains(form));
        assert!(!shown, "{what} shows {form}: {ended:?}");
        assert_eq!(holding(&written, form), None, "{what} writes {form}");
    }
}

/// A file below a folder that holds this.
fn holding(folder: &Path, text: &str) -> Option<String> {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let found = if path.is_dir() {
            holding(&path, text)
        } else {
            String::from_utf8_lossy(&fs::read(&path).unwrap()).contains(text).then(|| path.display().to_string())
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Runs it, for as long as it takes to say all: what goes on until it is stopped is stopped.
fn run(home: &Home, words: &str) -> Ended {
    let mut limited = Command::new("timeout");
    limited.args([
        "--signal=INT",
        "--kill-after=60",
        "4",
        env!("CARGO_BIN_EXE_kubectl-kubecoin"),
        "--request-timeout=1s",
    ]);
    limited.args(words.split_whitespace()).stdin(Stdio::null()).current_dir(home.path().join("work"));
    finished(limited.env_clear().env("HOME", home.path()))
}

#[test]
fn no_output_of_any_command_holds_what_is_secret() {
    // What is waited for here is time alone.
    thread::scope(|scope| {
        for (does, server) in servers() {
            scope.spawn(move || all_hidden(does, &server));
        }
    });
}

/// All commands where the server is reached by the first of the kubeconfigs; of the others, what they have in common.
fn all_hidden(does: &str, server: &Server) {
    let home = Home::empty();
    home.write("ca.pem", &server.authority);
    fs::create_dir(home.path().join("work")).unwrap();
    for (index, (what, text)) in kubeconfigs(&home, server.address.port()).iter().enumerate() {
        home.write(".kube/config", text);
        let commands = match index {
            0 => &COMMANDS[..],
            _ if does == "works" => &COMMANDS[..3],
            _ => &COMMANDS[1..2],
        };
        for command in commands {
            for more in ["", " --v=9 --show-commands"] {
                let line = format!("{command}{more}");
                hidden(&run(&home, &line), &home, &format!("{does}, {what}: {line}"));
            }
        }
    }
}

#[test]
fn secrets_that_flags_hold_are_not_shown_either() {
    let server = always(|| refusal(401, "Unauthorized", "Unauthorized"));
    let home = Home::at(&server);
    fs::create_dir(home.path().join("work")).unwrap();
    for flags in [
        format!("--token {MARKER}"),
        format!("--token {MARKER} --password {MARKER}"),
        format!("--username bob --password {MARKER}"),
        format!("--proxy-url http://bob:{MARKER}@127.0.0.1:1"),
        format!("-s https://bob:{MARKER}@127.0.0.1:1"),
        format!("-s ftp://bob:{MARKER}@127.0.0.1:1"),
    ] {
        for command in COMMANDS {
            let line = format!("{command} {flags} --v=9 --show-commands");
            hidden(&run(&home, &line), &home, &line);
        }
    }
}

/// That the marker is looked for where it would be: what is shown on purpose is found.
#[test]
fn what_is_shown_on_purpose_is_found() {
    let home = Home::empty();
    home.write("work/report", MARKER);
    assert!(holding(&home.path().join("work"), MARKER).is_some());
    let shown = Ended { code: 0, stdout: MARKER.to_owned(), stderr: String::new(), took: std::time::Duration::ZERO };
    assert!(std::panic::catch_unwind(|| hidden(&shown, &Home::empty(), "shown")).is_err());
}
