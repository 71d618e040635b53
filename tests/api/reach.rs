//! Ways on which no cluster is reached.

use std::path::Path;
use std::time::Duration;

use crate::plugin::{Home, finished};
use crate::server::{Certificate, Server};
use crate::world::{World, refusal};

fn healthy() -> Server {
    let world = World::healthy();
    Server::start(move |request| world.reply(request))
}

/// A port of this machine on which nobody listens: that of a service which is long out of use, and that no test can get.
const CLOSED_PORT: u16 = 1;

#[test]
fn no_kubeconfig() {
    Home::empty().run("status").could_not_run("there is no cluster to connect to");
    Home::empty().run("status --kubeconfig nowhere").could_not_run("nowhere");
    let home = Home::empty();
    finished(home.command("status").env("KUBECONFIG", "/nowhere/config")).could_not_run("/nowhere/config");
}

#[test]
fn a_list_of_kubeconfigs_of_which_one_is_not_there() {
    let home = Home::at(&healthy());
    let other =
        home.write("other", "{current-context: other, contexts: [{name: other, context: {cluster: c, user: u}}]}");
    let listed = |files: &[&Path]| {
        let list = std::env::join_paths(files).unwrap();
        finished(home.command("status --no-db").env("KUBECONFIG", list))
    };
    let (usual, missing) = (home.path().join(".kube/config"), Path::new("/nowhere/config"));
    for files in [[&usual, missing], [missing, &usual], [&usual, &other]] {
        let ended = listed(&files);
        assert_eq!(ended.code, 0, "{files:?}: {ended:?}");
    }
    // The first one to name a context is followed.
    listed(&[missing, &other]).could_not_run("no cluster \"c\"");
    listed(&[missing, Path::new("/nowhere/either")]).could_not_run("/nowhere/config");
}

#[test]
fn a_kubeconfig_that_is_none() {
    let home = Home::empty();
    home.write(".kube/config", "");
    home.run("status").could_not_run("there is no cluster to connect to");
    home.write(".kube/config", "{contexts: [");
    home.run("status").could_not_run("could not read the kubeconfig");
    let home = Home::at(&healthy());
    let ended = home.run("status --context other");
    ended.could_not_run("no context \"other\"");
    assert!(ended.stderr.contains("--context: scripted"), "{ended:?}");
}

#[test]
fn a_server_that_is_not_there() {
    let home = Home::empty();
    home.kubeconfig(&format!("{{cluster: {{server: 'https://127.0.0.1:{CLOSED_PORT}'}}, user: {{token: hush}}}}"));
    let ended = home.run("status");
    ended.could_not_run("onnection refused");
    assert!(ended.took < Duration::from_secs(20), "{ended:?}");
    home.kubeconfig("{cluster: {server: 'https://kubecoin.invalid:6443'}, user: {token: hush}}");
    home.run("status").could_not_run("no connection");
}

#[test]
fn a_certificate_that_is_not_to_be_trusted() {
    let world = World::healthy();
    let server = Server::with_certificate(Certificate::Expired, move |request| world.reply(request));
    Home::at(&server).run("status").could_not_run("certificate");

    let server = healthy();
    let home = Home::at(&server);
    let other = home.write("other.pem", &healthy().authority);
    home.run(&format!("status --certificate-authority {}", other.display())).could_not_run("certificate");
    home.run("status --tls-server-name elsewhere").could_not_run("certificate");
    assert_eq!(home.run("status --no-db --tls-server-name localhost").code, 0);
    let insecure = home.run(&format!(
        "status --no-db --insecure-skip-tls-verify --server https://127.0.0.1:{}",
        server.address.port()
    ));
    assert_eq!(insecure.code, 0, "{insecure:?}");
}

#[test]
fn a_proxy_that_is_not_there() {
    let server = healthy();
    let home = Home::at(&server);
    // As in kubectl, the environment's proxy is not for this machine itself; the kubeconfig's is.
    let proxy = format!("http://127.0.0.1:{CLOSED_PORT}");
    let ended = finished(home.command("status --no-db").env("HTTPS_PROXY", &proxy));
    assert_eq!(ended.code, 0, "{ended:?}");
    let through_name = format!("status --no-db --server https://kubecoin.test:{}", server.address.port());
    finished(home.command(&through_name).env("HTTPS_PROXY", &proxy)).could_not_run("onnection refused");
    home.kubeconfig(&format!(
        "{{cluster: {{server: 'https://127.0.0.1:{}', insecure-skip-tls-verify: true, proxy-url: '{proxy}'}}, user: {{token: hush}}}}",
        server.address.port()
    ));
    home.run("status --no-db").could_not_run("onnection refused");
}

#[test]
fn works_without_a_path_and_shows_its_version_without_a_cluster() {
    let ended = Home::empty().run("version --client");
    assert_eq!((ended.code, ended.stdout.as_str()), (0, concat!("Client Version: v", env!("CARGO_PKG_VERSION"), "\n")));
}

#[test]
fn a_hint_can_be_pasted_whatever_the_context_is_called() {
    let home = Home::empty();
    let name = "my cluster (dev) $HOME";
    let file = serde_json::json!({
        "apiVersion": "v1", "kind": "Config",
        "contexts": [{ "name": name, "context": { "cluster": "c", "user": "u" } }],
        "clusters": [{ "name": "c", "cluster": { "server": "https://127.0.0.1:2" } }],
        "users": [{ "name": "u", "user": { "token": "hush-hush" } }],
    });
    let file = home.write("my kube config", &file.to_string()).display().to_string();
    let server = format!("https://127.0.0.1:{CLOSED_PORT}");
    let mut command = home.command("status -n alice");
    command.args(["--kubeconfig", &file, "--context", name, "-s", &server]);
    let shown = String::from_utf8(command.output().unwrap().stderr).unwrap();
    let hint = shown.lines().find(|line| line.starts_with("hint: ")).unwrap();
    let at = hint.find("kubectl ").unwrap();
    assert_eq!(
        shlex::split(&hint[at..]).unwrap(),
        ["kubectl", "cluster-info", "--kubeconfig", &file, "--context", name, "--server", &server],
        "{shown}"
    );
    let mut command = home.command("status --context mycluster");
    command.args(["--kubeconfig", &file]);
    let shown = String::from_utf8(command.output().unwrap().stderr).unwrap();
    assert!(shown.contains(&format!("hint: choose one with --context: {name}\n")), "{shown}");
}

/// As in a pod, or by the address of a server alone.
#[test]
fn where_there_is_no_context_none_is_named() {
    let world = World::healthy();
    let server = Server::start(move |request| match request.path.as_str() {
        path if path.ends_with("/exec") => refusal(403, "Forbidden", "no exec"),
        path if path.ends_with("/statefulsets/postgres") && request.method == "GET" => {
            refusal(404, "NotFound", "statefulsets.apps \"postgres\" not found")
        }
        _ => world.reply(request),
    });
    let home = Home::empty();
    let authority = home.write("ca.pem", &server.authority);
    let at = format!("https://127.0.0.1:{}", server.address.port());
    let flags = format!("-n alice --server {at} --token hush-hush --certificate-authority {}", authority.display());
    for (words, said) in [
        ("", "alice: exchange not healthy"),
        ("status", "exchange: not healthy (alice)"),
        ("init-db", &*format!("statefulset/postgres does not exist in namespace \"alice\" (server {at})")),
        ("rotate-password", "namespace alice, server v1.34.0"),
        ("psql -c select", &*format!("(server {at}, namespace alice): not permitted")),
    ] {
        let ended = home.run(&format!("{words} {flags}"));
        assert!(ended.stdout.contains(said) || ended.stderr.contains(said), "no {said:?} in {ended:?}");
        for empty in ["context ,", "context )", " on :", " on )", " on ;"] {
            assert!(!ended.stdout.contains(empty) && !ended.stderr.contains(empty), "{empty:?} in {ended:?}");
        }
    }
}
