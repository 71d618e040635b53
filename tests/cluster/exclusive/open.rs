use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use crate::support::deployed::deployed;
use crate::support::kubectl::ok;
use crate::support::page::{Opened, get};
use crate::support::plugin::{command, ends};
use crate::support::scene::{Scene, testbed, watchers_start_anew};
use crate::support::wait::until;

const SOON: Duration = Duration::from_mins(2);

/// A folder with a browser that writes down what it opens.
fn browser(opened: &Path) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("xdg-open");
    fs::write(&program, format!("#!/bin/sh\necho \"$1\" >>{}\n", opened.display())).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

fn page_pods(namespace: &str) -> String {
    ok(&format!("get pods -l app=frontend -n {namespace} -o name"))
}

#[test]
fn the_page_stays_while_its_pod_is_replaced_and_the_server_is_away() {
    let absent = Scene::without_namespace("kc-plugin-nothing");
    let nothing = ends(absent.namespace(), "open --no-browser", 2);
    assert!(nothing.stderr.contains("namespace/kc-plugin-nothing does not exist"), "{}", nothing.stderr);

    let scene = deployed("kc-plugin-open");
    let namespace = scene.namespace();
    let visited = tempfile::NamedTempFile::new().unwrap();
    let folder = browser(visited.path());
    let mut with_browser = command(namespace, "open --wallet anna");
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
    with_browser.env("PATH", path).env("DISPLAY", ":7");
    let opened = Opened::start(with_browser);
    assert!(opened.address.ends_with("/w/anna"), "{}", opened.address);
    until("the browser is at the wallet", SOON, || match fs::read_to_string(visited.path()).unwrap() {
        visited if visited.trim_end() == opened.address => Ok(()),
        visited => Err(visited),
    });
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..6).map(|_| scope.spawn(|| get(&opened.address).unwrap())).collect();
        for page in all {
            assert!(page.join().unwrap().contains("<div id=\"root\">"));
        }
    });

    let other = Opened::start(command(namespace, "open --no-browser --show-commands"));
    assert_eq!(other.port(), opened.port() + 1, "the same port is wanted each time");
    get(&other.address).unwrap();
    let said = other.ends();
    assert!(said.contains(&format!("port {} of this machine is in use", opened.port())), "{said}");
    assert!(said.contains("port-forward deployment/frontend") && said.contains("press Ctrl-C to stop"), "{said}");

    let before = page_pods(namespace);
    ok(&format!("delete {} -n {namespace} --wait=false", before.trim()));
    until("another pod answers", SOON, || match page_pods(namespace) {
        pods if pods.contains(before.trim()) => Err(pods),
        _ => get(&opened.address).map(drop),
    });

    testbed(&["stop", "kube-apiserver"]);
    let asked = std::thread::scope(|scope| {
        let asked = scope.spawn(|| get(&opened.address));
        std::thread::sleep(Duration::from_secs(5));
        testbed(&["start", "kube-apiserver"]);
        asked.join().unwrap()
    });
    asked.expect("a connection waits for the server");
    until("the page is there", SOON, || get(&opened.address).map(drop));
    opened.ends();
    watchers_start_anew();
}
