//! What proves who one is: credential plugins, files of tokens, and where none of it is sent.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::json;

use crate::plugin::{Ended, Home, finished};
use crate::server::{Reply, Server};
use crate::world::{World, refusal};

const V1: &str = "client.authentication.k8s.io/v1";

/// A server that takes only this token.
fn server(token: &'static str) -> Server {
    let world = World::healthy();
    Server::start(move |request| {
        if request.authorization == format!("Bearer {token}") {
            world.reply(request)
        } else {
            refusal(401, "Unauthorized", "Unauthorized")
        }
    })
}

/// A home whose user entry is this, on a server.
fn home(server: &Server, user: &str) -> Home {
    let home = Home::empty();
    log_in_by(&home, server, user);
    home
}

fn log_in_by(home: &Home, server: &Server, user: &str) {
    let authority = home.write("ca.pem", &server.authority);
    home.kubeconfig(&format!(
        "{{cluster: {{server: 'https://127.0.0.1:{}', certificate-authority: {}}}, user: {user}}}",
        server.address.port(),
        authority.display()
    ));
}

/// A user entry with the plugin `login` of the home folder, which counts its runs and then does this. It finds the shell's
/// own commands alone.
fn plugin(home: &Home, does: &str) -> String {
    plugin_of(home, V1, "Never", does)
}

/// The same, of an API version and a mode.
fn plugin_of(home: &Home, version: &str, mode: &str, does: &str) -> String {
    let path = home.script("login", &format!("echo run >> {}\n{does}", home.path().join("runs").display()));
    json!({ "exec": { "apiVersion": version, "command": path, "interactiveMode": mode } }).to_string()
}

/// What a plugin of v1 does that answers this.
fn answer(status: &str) -> String {
    format!("echo '{{\"kind\": \"ExecCredential\", \"apiVersion\": \"{V1}\", \"status\": {status}}}'")
}

fn runs(home: &Home) -> usize {
    std::fs::read_to_string(home.path().join("runs")).map_or(0, |text| text.lines().count())
}

/// What there is at last.
fn until<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "not in 30 s: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn holds(ended: &Ended) {
    assert_eq!(ended.code, 0, "{ended:?}");
}

#[test]
fn a_plugin_runs_once_however_many_requests_there_are() {
    let (server, home) = (server("right"), Home::empty());
    log_in_by(&home, &server, &plugin(&home, &answer("{\"token\": \"right\"}")));
    holds(&home.run("status --no-db"));
    assert!(server.requests().len() > 5, "{:?}", server.requests());
    assert_eq!(runs(&home), 1);
}

#[test]
fn a_plugin_runs_again_for_a_token_that_has_expired_or_is_refused() {
    let (server, home) = (server("right"), Home::empty());
    let once = home.path().join("once");
    let wrong_at_first = format!(
        "if [ -e {0} ]; then {1}; else : > {0}; {2}; fi",
        once.display(),
        answer("{\"token\": \"right\"}"),
        answer("{\"token\": \"stale\"}")
    );
    log_in_by(&home, &server, &plugin(&home, &wrong_at_first));
    holds(&home.run("status --no-db"));
    assert_eq!(runs(&home), 2);

    let home = Home::empty();
    let expired = "{\"token\": \"right\", \"expirationTimestamp\": \"2020-01-01T00:00:00Z\"}";
    log_in_by(&home, &server, &plugin(&home, &answer(expired)));
    holds(&home.run("version -o json"));
    assert_eq!(runs(&home), 2, "one for each request");
}

#[test]
fn a_token_that_stays_refused_is_no_endless_tale() {
    let (server, home) = (server("right"), Home::empty());
    log_in_by(&home, &server, &plugin(&home, &answer("{\"token\": \"wrong\"}")));
    home.run("version").could_not_run("does not accept these credentials");
    assert_eq!(runs(&home), 2);
}

#[test]
fn a_plugin_leaves_stdin_to_the_command() {
    let (server, home) = (server("right"), Home::empty());
    let stolen = home.path().join("stolen");
    let answer = answer("{\"token\": \"right\"}");
    let reads = format!("while read -r line; do echo \"$line\" >> {}; done; {answer}", stolen.display());
    for (version, mode) in [(V1, "IfAvailable"), ("client.authentication.k8s.io/v1beta1", "")] {
        log_in_by(&home, &server, &plugin_of(&home, version, mode, &reads.replace(V1, version)));
        let program = env!("CARGO_BIN_EXE_kubectl-kubecoin");
        let line =
            format!("printf 'one\\ntwo\\n' | while read -r line; do {program} version > /dev/null && echo $line; done");
        let ended = finished(Command::new("sh").args(["-c", &line]).env_clear().env("HOME", home.path()));
        assert_eq!(ended.stdout, "one\ntwo\n", "{mode}: {ended:?}");
        assert!(!stolen.exists(), "{mode}");
    }
    assert_eq!(runs(&home), 4);
}

#[test]
fn a_plugin_that_has_to_ask_is_refused_where_nobody_can_be_asked() {
    let (server, home) = (server("right"), Home::empty());
    log_in_by(&home, &server, &plugin_of(&home, V1, "Always", &answer("{\"token\": \"right\"}")));
    home.run("version").could_not_run("interactiveMode is Always");
    assert_eq!(runs(&home), 0);
}

#[test]
fn a_plugin_is_left_out_where_the_entry_has_something_else() {
    let server = server("right");
    for (more, reaches) in [("\"token\": \"right\"", true), ("\"username\": \"bob\", \"password\": \"right\"", false)] {
        let home = Home::empty();
        let exec = plugin(&home, &answer("{\"token\": \"right\"}"));
        log_in_by(&home, &server, &exec.replacen('{', &format!("{{{more}, "), 1));
        assert_eq!(home.run("version").code == 0, reaches, "{more}");
        assert_eq!(runs(&home), 0, "{more}");
    }
    assert!(server.requests().iter().any(|request| request.authorization.starts_with("Basic ")));
}

#[test]
fn a_plugin_that_takes_long_is_said_to_be_waited_for() {
    let (server, home) = (server("right"), Home::empty());
    let slow = format!("/bin/sleep 2.5; {}", answer("{\"token\": \"right\"}"));
    log_in_by(&home, &server, &plugin(&home, &slow));
    let ended = home.run("version");
    holds(&ended);
    assert_eq!(ended.stderr.matches("waiting for the credential plugin").count(), 1, "{ended:?}");
    assert!(ended.stderr.contains("login"), "{ended:?}");
}

#[test]
fn a_plugin_ends_with_the_command() {
    let (server, home) = (server("right"), Home::empty());
    let pid = home.path().join("pid");
    let user = plugin(&home, &format!("echo $$ > {0}.new; /bin/mv {0}.new {0}; exec /bin/sleep 600", pid.display()));
    log_in_by(&home, &server, &user);
    let child = home.start("status");
    let plugin = until("the plugin runs", || std::fs::read_to_string(&pid).ok());
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGINT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let plugin = Pid::from_raw(plugin.trim().parse().unwrap());
    until("the plugin is gone", || kill(plugin, None).err());
}

#[test]
fn a_plugin_that_fails_is_named_with_what_it_says() {
    let (server, home) = (server("right"), Home::empty());
    log_in_by(&home, &server, &plugin(&home, "echo 'token-on-stdout'; echo 'log in first' >&2; exit 7"));
    let ended = home.run("status");
    ended.could_not_run("login\" of user \"u\" in");
    assert_eq!((runs(&home), ended.stderr.matches("log in first").count()), (1, 1), "{ended:?}");
    assert!(ended.stderr.contains("failed with exit code 7") && ended.stderr.contains("log in first"), "{ended:?}");
    assert!(!ended.stderr.contains("token-on-stdout"), "{ended:?}");

    let missing = format!(
        "{{exec: {{apiVersion: {V1}, command: kubecoin-login, interactiveMode: Never, installHint: get it from kubecoin.test}}}}"
    );
    log_in_by(&home, &server, &missing);
    let ended = home.run("status");
    ended.could_not_run("\"kubecoin-login\" of user \"u\"");
    assert!(
        ended.stderr.contains("is not installed") && ended.stderr.contains("hint: get it from kubecoin.test"),
        "{ended:?}"
    );
}

#[test]
fn preferences_of_kubectl_say_which_plugins_may_run() {
    let (server, home) = (server("right"), Home::empty());
    log_in_by(&home, &server, &plugin(&home, &answer("{\"token\": \"right\"}")));
    home.write(".kube/kuberc", "credentialPluginPolicy: DenyAll");
    home.run("version").could_not_run("is not allowed to run");
    let other = home.write(
        "other",
        &format!(
            "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{{command: {}}}]",
            home.path().join("login").display()
        ),
    );
    holds(&home.run(&format!("version --kuberc {}", other.display())));
    holds(&finished(home.command("version").env("KUBERC", &other)));
    holds(&finished(home.command("version").env("KUBERC", "off")));
    assert_eq!(runs(&home), 3);
    home.run("version --kuberc nowhere").could_not_run("preferences nowhere");
}

#[test]
fn a_file_of_a_token_stands_before_the_token() {
    let server = server("right");
    for (file, token, reaches) in
        [("right\n", None, true), ("right", Some("stale"), true), ("stale", Some("right"), false)]
    {
        let home = Home::empty();
        let path = home.write("token", file);
        let token = token.map_or_else(String::new, |token| format!(", token: {token}"));
        log_in_by(&home, &server, &format!("{{tokenFile: {}{token}}}", path.display()));
        assert_eq!(home.run("version").code == 0, reaches, "{file:?}{token}");
    }
    holds(&home(&server, "{tokenFile: nowhere, token: right}").run("version"));
    let lost = home(&server, "{tokenFile: nowhere}");
    lost.run("version").could_not_run(&lost.path().join(".kube/nowhere").display().to_string());
}

#[test]
fn a_client_certificate_that_has_expired_is_named_with_its_date() {
    let server = server("right");
    let key = KeyPair::generate().unwrap();
    let mut certificate = CertificateParams::default();
    (certificate.not_before, certificate.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    let data = |pem: String| STANDARD.encode(pem);
    let user = json!({
        "client-certificate-data": data(certificate.self_signed(&key).unwrap().pem()),
        "client-key-data": data(key.serialize_pem()),
    });
    let home = home(&server, &user.to_string());
    let ended = home.run("version");
    ended.could_not_run("client-certificate-data of user \"u\" in ");
    assert!(ended.stderr.contains("expired on 2021-01-01"), "{ended:?}");
}

/// A server without TLS that notes what it is sent.
fn plain() -> (u16, Arc<AtomicUsize>, Arc<std::sync::Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (asked, noted) = (Arc::new(AtomicUsize::new(0)), Arc::new(std::sync::Mutex::new(String::new())));
    let (count, log) = (Arc::clone(&asked), Arc::clone(&noted));
    let Reply::Json(_, version) = World::healthy().reply(&crate::server::Request {
        method: "GET".to_owned(),
        path: "/version".to_owned(),
        query: String::new(),
        body: String::new(),
        authorization: String::new(),
    }) else {
        panic!("a version is an object")
    };
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { break };
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read(&mut byte).unwrap_or(0) == 0 {
                    break;
                }
                head.push(byte[0]);
            }
            log.lock().unwrap().push_str(&String::from_utf8_lossy(&head));
            count.fetch_add(1, Ordering::SeqCst);
            let body = version.to_string();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
        }
    });
    (port, asked, noted)
}

#[test]
fn nothing_that_proves_who_one_is_goes_over_http() {
    let (port, asked, heard) = plain();
    let home = Home::empty();
    let exec = plugin(&home, &answer("{\"token\": \"right\"}"));
    for user in ["{token: hush}", "{username: bob, password: hush}", exec.as_str(), "{}"] {
        home.kubeconfig(&format!("{{cluster: {{server: '127.0.0.1:{port}'}}, user: {user}}}"));
        holds(&home.run("version"));
        holds(&home.run(&format!("version -s http://127.0.0.1:{port}")));
    }
    assert_eq!((asked.load(Ordering::SeqCst), runs(&home)), (8, 0));
    let heard = heard.lock().unwrap().to_lowercase();
    assert!(!heard.contains("authorization") && !heard.contains("hush"), "{heard}");
}

#[test]
fn warnings_of_the_server_are_shown_once_and_may_count() {
    let world = World::healthy();
    let server = Server::start(move |request| match world.reply(request) {
        Reply::Json(code, body) => Reply::With(code, ("Warning", "299 - \"v1 is old\""), body),
        other => other,
    });
    let home = Home::at(&server);
    let ended = home.run("status --no-db");
    assert_eq!((ended.code, ended.stderr.matches("warning: v1 is old").count()), (0, 1), "{ended:?}");
    let ended = home.run("status --no-db --warnings-as-errors");
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(ended.stderr.contains("error: 1 warning of the server"), "{ended:?}");
}

#[test]
fn a_server_of_another_version_is_refused_where_that_is_asked() {
    let mut world = World::healthy();
    world.at("/version")["minor"] = json!("12");
    let server = Server::start(move |request| world.reply(request));
    let home = Home::at(&server);
    home.run("version --match-server-version").could_not_run("supports Kubernetes 1.");
    holds(&home.run("version --match-server-version=false"));
}
